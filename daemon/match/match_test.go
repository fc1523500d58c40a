package match

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// login is where the tests' criteria are compared.
func login(groups ...string) *Login {
	return &Login{User: "alice", Addr: netip.MustParseAddr("192.0.2.7"),
		Local: netip.MustParseAddrPort("127.0.0.2:7422"), Key: "SHA256:abc/+d",
		Groups: func() ([]string, error) { return groups, nil }}
}

// Criteria are ANDed, and lists are sshd's pattern lists.
func TestHolds(t *testing.T) {
	for line, want := range map[string]bool{
		"all": true, "ALL": true,
		"user alice": true, "User=alice": true, "user Alice": false, "user bob,al*": true,
		"user *,!alice": false, "user !bob": false, "user !bob,*": true,
		"group staff": true, "group wheel,st*": true, "group *,!staff": false, "group x": false,
		"group !x": false, "group staff group users": true, "group staff group x": false,
		"address 192.0.2.0/24": true, "address 192.0.2.*": true, "address !192.0.2.7,*": false,
		"address 10.0.0.0/8": false, "address ::1": false, "address !10.0.0.0/8": false,
		"localaddress 127.0.0.2": true, "localaddress 127.0.0.1": false,
		"localport 7422": true, "localport 22": false,
		"key SHA256:abc/+d": true, "key SHA256:x,SHA256:abc*": true, "key !SHA256:abc/+d,*": false,
		"key SHA256:x":                       false,
		"user alice address 192.0.2.7 key *": true, "user alice address 192.0.2.8": false,
	} {
		l, err := Parse(strings.Fields(line))
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if got, err := l.Holds(login("users", "staff")); got != want || err != nil {
			t.Errorf("%s: %v, %v", line, got, err)
		}
	}
}

// On a Unix socket there is neither an address nor a key, whatever the pattern.
func TestNowhere(t *testing.T) {
	at := &Login{User: "alice", Groups: func() ([]string, error) { return nil, nil }}
	for _, line := range []string{"address *", "address 0.0.0.0/0", "localaddress *",
		"localport 7422", "key *", "address !192.0.2.7,*"} {
		l, err := Parse(strings.Fields(line))
		if err != nil {
			t.Fatal(err)
		}
		if holds, _ := l.Holds(at); holds {
			t.Errorf("%s holds", line)
		}
		if could, _ := l.Could(at); !could {
			t.Errorf("%s could not hold", line)
		}
	}
	for _, line := range []string{"user bob address *", "address * group x", "key !SHA256:abc"} {
		l, err := Parse(strings.Fields(line))
		if err != nil {
			t.Fatal(err)
		}
		if could, _ := l.Could(at); could {
			t.Errorf("%s could hold", line)
		}
	}
}

// Groups are asked for only where the rest holds. That they cannot be told is an error, not a no.
func TestGroupsUnknown(t *testing.T) {
	at := login()
	asked := 0
	at.Groups = func() ([]string, error) { asked++; return nil, errors.New("no answer") }
	for line, unsure := range map[string]bool{"group x user alice": true, "group !x": false,
		"group x user bob": false, "address 10.0.0.1 group x": false} {
		l, err := Parse(strings.Fields(line))
		if err != nil {
			t.Fatal(err)
		}
		if holds, err := l.Holds(at); holds || (err != nil) != unsure {
			t.Errorf("%s: %v, %v", line, holds, err)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

// What is wrong is said by its name.
func TestWrongLines(t *testing.T) {
	for line, want := range map[string]string{
		"":                            "needs a criterion",
		"all user alice":              "all cannot be combined",
		"user alice all":              "all cannot be combined",
		"host lab":                    "there is no criterion Host",
		"rdomain x":                   "RDomain",
		"exec true":                   `"exec" is not a criterion`,
		"user":                        "user needs a value",
		"user alice address":          "address needs a value",
		"user a,,b":                   "empty",
		"user !":                      "empty",
		"address 10.0.0.1/8":          "bits beyond its mask",
		"address 10.0.0.0/33":         "not a network",
		"address lab.example":         "name of a host",
		"address lab.example,::1":     "name of a host",
		"localport 0":                 "not a port",
		"localport 22,23":             "not a port",
		"localport 65536":             "not a port",
		"key MD5:aa":                  "not the fingerprint",
		strings.Repeat("user a ", 17): "16 criteria at most",
		"user " + strings.Repeat("a,", 1024) + "a": "more than 1024 patterns",
	} {
		if _, err := Parse(strings.Fields(line)); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v", line, err)
		}
	}
}

// No line makes it panic, and one that can be read can be compared.
func FuzzParse(f *testing.F) {
	for _, line := range []string{"all", "user=a,!b*", "group x address 10.0.0.0/8 localport 22",
		"key SHA256:abc", "address !::1,fe80::*,*", "localaddress 1.2.3.?"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		l, err := Parse(strings.Fields(line))
		if err != nil {
			return
		}
		at := login("staff")
		holds, err := l.Holds(at)
		if could, _ := l.Could(at); err != nil || holds && (!could || l.Never()) {
			t.Errorf("%q: %v, could %v, never %v, %v", line, holds, could, l.Never(), err)
		}
	})
}
