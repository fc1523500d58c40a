package authorized

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestExpiry(t *testing.T) {
	zone := time.FixedZone("here", 3600)
	for text, want := range map[string]string{
		"20250615":          "2025-06-14T23:00:00Z",
		"20250615Z":         "2025-06-15T00:00:00Z",
		"20250615z":         "2025-06-15T00:00:00Z",
		"20250615UTC":       "2025-06-15T00:00:00Z",
		"202506151230":      "2025-06-15T11:30:00Z",
		"202506151230Z":     "2025-06-15T12:30:00Z",
		"20250615123059":    "2025-06-15T11:30:59Z",
		"20250615123059Z":   "2025-06-15T12:30:59Z",
		"20240229Z":         "2024-02-29T00:00:00Z",
		"":                  "",
		"Z":                 "",
		"2025":              "",
		"2025061":           "",
		"2025061512":        "",
		"20250615123059.5":  "",
		"20250615123059.5Z": "",
		"2025-06-15":        "",
		"20250230":          "",
		"20251301":          "",
		"202506152460":      "",
		"20250615ZZ":        "",
		"+0250615":          "",
		" 20250615":         "",
		"19690101Z":         "", // sshd takes 0 for "no time"
	} {
		at, err := parseExpiry(text, zone)
		got := ""
		if err == nil {
			got = at.UTC().Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestFrom(t *testing.T) {
	for _, c := range []struct {
		from  string
		allow string // addresses
		deny  string
	}{
		{"192.0.2.7", "192.0.2.7 ::ffff:192.0.2.7", "192.0.2.70 192.0.2.8 ::1"},
		{"192.0.2.0/24", "192.0.2.0 192.0.2.255 ::ffff:192.0.2.7", "192.0.3.0 2001:db8::1"},
		{"192.0.2.*", "192.0.2.7 192.0.2.255", "192.0.20.1 10.192.0.2"},
		{"192.0.2.?", "192.0.2.7", "192.0.2.77"},
		{"*", "192.0.2.7 ::1", ""},
		{"192.0.2.0/24,!192.0.2.66", "192.0.2.65", "192.0.2.66"},
		{"!192.0.2.66,192.0.2.0/24", "192.0.2.65", "192.0.2.66"}, // wherever it is in the list
		{"*,!192.0.2.0/24", "10.0.0.1 ::1", "192.0.2.66"},
		{"!192.0.2.66", "", "192.0.2.66 192.0.2.65"}, // refusals alone allow nobody
		{"10.0.0.1, 192.0.2.7", "192.0.2.7 10.0.0.1", "10.0.0.2"},
		{"2001:DB8::/32", "2001:db8::1", "2001:db9::1 192.0.2.7"},
		{"2001:db8:0:0::1", "2001:db8::1", "2001:db8::2"},
		{"2001:db8::*", "2001:db8::1 2001:db8::ffff", "2001:db80::1"},
		{"fe80::/10", "fe80::1%eth0", "::1"},
		{"::1", "::1", "::2 127.0.0.1"},
		{"0.0.0.0/0", "192.0.2.7", "::1"},
		{"*.example.com", "", "192.0.2.7"},
		{"host.example.com,192.0.2.7", "192.0.2.7", "192.0.2.8"},
	} {
		from, _, err := ParseFrom(c.from)
		if err != nil {
			t.Errorf("%s: %v", c.from, err)
			continue
		}
		for text := range strings.FieldsSeq(c.allow) {
			if !from.Allows(netip.MustParseAddr(text)) {
				t.Errorf("%s does not allow %s", c.from, text)
			}
		}
		for text := range strings.FieldsSeq(c.deny) {
			if from.Allows(netip.MustParseAddr(text)) {
				t.Errorf("%s allows %s", c.from, text)
			}
		}
		if from.Allows(netip.Addr{}) {
			t.Errorf("%s allows a Unix socket", c.from)
		}
	}
	if !(From{}).Allows(netip.Addr{}) || !(From{}).Allows(lan) {
		t.Error("no from= does not allow everyone")
	}
	for _, bad := range []string{"", ",", "10.0.0.1,", "!", "10.0.0.0/33", "10.0.0.1/24",
		"10.0.0.0/x", "host/24", "!evil.example.com", "*,!evil.example.com", "!*.cafe", "/"} {
		if _, _, err := ParseFrom(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	_, remark, err := ParseFrom("Lab.example,10.0.0.1")
	if err != nil || !strings.Contains(remark, `"lab.example"`) {
		t.Errorf("%q, %v", remark, err)
	}
}
