package lan

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"minissh/client/knownhosts"
	"minissh/protocol/mdns"
)

func newCrowd() *crowd { return &crowd{sources: map[source]*told{}} }

func from(i int) source {
	return source{netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}), 2}
}

// says has a source announce a daemon.
func (c *crowd) says(t testing.TB, who source, name string, goodbye bool) {
	t.Helper()
	s := mdns.Service{Name: name, Port: 7422, Fingerprint: "SHA256:" + strings.Repeat("A", 43),
		Addresses: []netip.Addr{who.address}}
	packet := s.Announcement()
	if goodbye {
		packet = s.Goodbye()
	}
	m, err := mdns.Parse(packet)
	if err != nil {
		t.Fatal(err)
	}
	c.add(who, "eth0", m.Answer.Records())
}

// Whoever answers without end, from one address or from many, does not keep the others out, and
// only so much is kept.
func TestFlood(t *testing.T) {
	for _, liars := range []int{1, 100, 1000} {
		c := newCrowd()
		for i := range 10_000 {
			c.says(t, from(i%liars), fmt.Sprint("flood", i), false)
		}
		c.says(t, from(5000), "honest", false)
		hosts, found := c.hosts(), false
		for _, h := range hosts {
			found = found || h.Name == "honest"
		}
		if most := min(1024, 32*liars+1); len(hosts) > most || !found || c.Dropped == 0 {
			t.Errorf("%d liars: %d hosts, the honest one %v, %d dropped", liars, len(hosts), found,
				c.Dropped)
		}
	}
}

// A goodbye counts for the one who says it, and for nobody else.
func TestGoodbye(t *testing.T) {
	c := newCrowd()
	c.says(t, from(1), "web1", false)
	c.says(t, from(2), "web1", true)
	if len(c.hosts()) != 1 {
		t.Error("a stranger has taken it back")
	}
	c.says(t, from(1), "web1", true)
	if len(c.hosts()) != 0 || c.count != 0 {
		t.Error("it is still there")
	}
}

func TestShown(t *testing.T) {
	for name, want := range map[string]string{"web1": "web1", "web-1": "web-1", "-oX": `"-oX"`,
		"a b": `"a b"`, "a,b": `"a,b"`, "\x1b[31m": `"\x1b[31m"`, "教室": `"教室"`, "\xff": `"\xff"`,
		"a\u202eb": `"a\u202eb"`} {
		if got := (Host{Name: name}).Shown(); got != want {
			t.Errorf("%q: %s", name, got)
		}
	}
}

const keyA = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
const keyB = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP/+/fz7+vn49/b19PPy8fDv7u3s6+rp6Ofm5eTj4uHg"

// What known_hosts says about web1 on port 7422 of 192.0.2.1 with the key A.
func TestKnown(t *testing.T) {
	public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(keyA))
	if err != nil {
		t.Fatal(err)
	}
	fingerprint := ssh.FingerprintSHA256(public)
	file := filepath.Join(t.TempDir(), "known_hosts")
	for _, c := range []struct {
		name, known string // A and B stand for the keys
		want        Status
		as          string
	}{
		{"web1", "", Unknown, ""},
		{"web1", "[web1]:7422 A", Known, "web1"},
		{"WEB1", "[web1]:7422 A", Known, "WEB1"},
		{"web1", "web1 A", Known, "web1"}, // as known from ssh
		{"web1", "web1 B", Unknown, ""},   // which says nothing about this port
		{"web1", "[web1]:7422 B", Different, "web1"},
		{"web1", "[web1]:7422 B\n[web1]:7422 A", Known, "web1"},
		{"web1", "[web1.local]:7422 A", Known, "web1.local"},
		{"web1", "[web1]:7422 B\n[web1.local]:7422 A", Different, "web1"},
		{"web1", "[web1]:7500 A", Elsewhere, "web1"},
		{"web1", "[192.0.2.1]:7422 A", Elsewhere, "192.0.2.1"},
		{"web1", "[db]:7422,other A", Elsewhere, "db"},
		{"web1", "[192.0.2.1]:7422 B", Different, "192.0.2.1"},
		{"web1", "[192.0.2.1]:7422 B\ndb A", Elsewhere, "db"},
		{"web1-2", "[web1]:7422 A", Known, "web1"}, // somebody has taken its name
		{"web1-2", "[web1]:7422 B", Unknown, ""},   // it is another one
		{"web1-2", "[web1-2]:7422 B", Different, "web1-2"},
		{"web1", "@revoked * A\n[web1]:7422 A", Revoked, ""},
		{"web1", "[web*]:7422 A", Known, "web1"},
		{"a,web1", "[web1]:7422 A", Elsewhere, "web1"}, // not a host's name
		{"*", "[web1]:7422 B", Unknown, ""},
		{"\x1b[31m", "[web1]:7422 B", Unknown, ""},
	} {
		text := strings.NewReplacer("A", keyA, "B", keyB).Replace(c.known)
		if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		h := Host{Name: c.name, Port: 7422, Fingerprint: fingerprint,
			Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}
		if got := h.Known(knownhosts.Open(file)); got.Status != c.want || got.As != c.as {
			t.Errorf("%q with %q: %v as %q", c.name, c.known, got.Status, got.As)
		}
		h.Fingerprint = ""
		if got := h.Known(knownhosts.Open(file)); got.Status != Unknown {
			t.Errorf("%q without a fingerprint: %v", c.name, got)
		}
	}
}

// Whatever is answered, what is kept stays within its bounds.
func FuzzAnswers(f *testing.F) {
	s := mdns.Service{Name: "web1", Port: 7422, Fingerprint: "SHA256:x",
		Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}
	f.Add(s.Announcement(), s.Goodbye())
	f.Add(s.Probe(), s.Announcement())
	f.Fuzz(func(t *testing.T, one, two []byte) {
		c := newCrowd()
		for _, packet := range [][]byte{one, two} {
			if m, err := mdns.Parse(packet); err == nil && m.Answer != nil {
				c.add(from(1), "eth0", m.Answer.Records())
			}
		}
		for _, who := range c.sources {
			for _, i := range who.instances {
				for range 5 {
					who.missing(i)
				}
			}
		}
		for _, h := range c.hosts() {
			if len(h.Name) > 63 || len(h.Addresses) > 16 ||
				strings.ContainsAny(h.Shown(), "\x1b\n\x00") {
				t.Errorf("%+v", h)
			}
		}
	})
}
