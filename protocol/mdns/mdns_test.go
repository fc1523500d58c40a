package mdns

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"minissh/protocol/testend"
)

func TestMain(m *testing.M) { testend.Main(m) }

var sum = "SHA256:" + strings.Repeat("a", 42) + "A"

func example() *Service {
	return &Service{Name: "web1", Port: 7422, Fingerprint: sum, Addresses: []netip.Addr{
		netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}}
}

func parse(t *testing.T, packet []byte) Message {
	t.Helper()
	m, err := Parse(packet)
	if err != nil || len(packet) == 0 {
		t.Fatalf("%d bytes: %v", len(packet), err)
	}
	return m
}

// What is announced is what a client takes from it, and what is taken back.
func TestAnnouncement(t *testing.T) {
	s := example()
	for _, gone := range []bool{false, true} {
		packet := s.Announcement()
		if gone {
			packet = s.Goodbye()
		}
		a := parse(t, packet).Answer
		want := []Record{
			{Name: Type, Type: dnsmessage.TypePTR, Gone: gone, Target: "web1._minissh._tcp.local."},
			{Name: "web1._minissh._tcp.local.", Type: dnsmessage.TypeSRV, Gone: gone, Port: 7422,
				Target: "web1-minissh.local."},
			{Name: "web1._minissh._tcp.local.", Type: dnsmessage.TypeTXT, Gone: gone,
				Fingerprint: sum},
			{Name: "web1-minissh.local.", Type: dnsmessage.TypeA, Gone: gone,
				Address: s.Addresses[0]},
			{Name: "web1-minissh.local.", Type: dnsmessage.TypeAAAA, Gone: gone,
				Address: s.Addresses[1]},
		}
		got := a.Records()
		if !gone {
			got = got[1:] // the type of all types
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v", got)
		}
		none := func(netip.Addr) bool { return false }
		if a.Conflicts(s, none) || a.TakesBack(s) != gone {
			t.Errorf("gone %v: it conflicts with itself, or takes back what it says", gone)
		}
		for cut := range packet { // none of these panics
			Parse(packet[:cut])
		}
	}
}

// Who says something else under the same names is a conflict, in any letters; whoever says it under
// another name, or takes it back, is not.
func TestConflicts(t *testing.T) {
	for what, c := range map[string]struct {
		change func(*Service)
		want   bool
	}{
		"the same":          {func(*Service) {}, false},
		"in capitals":       {func(s *Service) { s.Name = "WEB1" }, false},
		"another port":      {func(s *Service) { s.Port++ }, true},
		"another key":       {func(s *Service) { s.Fingerprint = "SHA256:other" }, true},
		"capitals and port": {func(s *Service) { s.Name = "WEB1"; s.Port++ }, true},
		"another name":      {func(s *Service) { s.Name = "web2"; s.Port++ }, false},
		"another address": {func(s *Service) {
			s.Addresses = []netip.Addr{netip.MustParseAddr("192.0.2.9")}
		}, true},
		"an address of ours": {func(s *Service) {
			s.Addresses = []netip.Addr{netip.MustParseAddr("198.51.100.1")}
		}, false},
	} {
		s := example()
		c.change(s)
		ours := func(a netip.Addr) bool { return a == netip.MustParseAddr("198.51.100.1") }
		if got := parse(t, s.Announcement()).Answer.Conflicts(example(), ours); got != c.want {
			t.Errorf("%s: %v", what, got)
		}
		if parse(t, s.Goodbye()).Answer.Conflicts(example(), ours) {
			t.Errorf("%s: taking it back is a conflict", what)
		}
	}
}

// Of two probes for one name, one wins and not both.
func TestBeats(t *testing.T) {
	a, b := example(), example()
	b.Port++
	probe := func(s *Service) *Query { return parse(t, s.Probe()).Query }
	if !probe(a).Probes() || probe(a).Beats(b, false) || !probe(b).Beats(a, false) ||
		probe(a).Beats(a, false) {
		t.Error("the port does not decide")
	}
	c := example()
	c.Addresses = []netip.Addr{netip.MustParseAddr("192.0.2.200")}
	if !probe(c).Beats(a, false) || probe(a).Beats(c, false) || probe(c).Beats(a, true) {
		t.Error("the address does not decide, or does for one's own machine")
	}
}

// Who is answered what (sections 5.4, 6.7, 7.1).
func TestReply(t *testing.T) {
	ask := func(name string, kind dnsmessage.Type) []byte { return Question(7, Asked{name, kind}) }
	toOne := ask(Type, dnsmessage.TypePTR)
	toOne[len(toOne)-2] |= flush >> 8
	known := &packet{questions: []dnsmessage.Question{{Name: nameOf(Type),
		Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET}}, answers: example().records()[1:2],
		ttl: TTL}
	old := *known
	old.ttl = TTL/2 - 1
	instance := example().Instance()
	for _, c := range []struct {
		what           string
		packet         []byte
		legacy         bool
		everybody, one bool
	}{
		{"a question", ask(Type, dnsmessage.TypePTR), false, true, false},
		{"in capitals", ask(strings.ToUpper(Type), dnsmessage.TypePTR), false, true, false},
		{"for the asker", toOne, false, false, true},
		{"from a port of its own", ask(Type, dnsmessage.TypePTR), true, false, true},
		{"for all types", ask(allType, dnsmessage.TypePTR), false, true, false},
		{"for anything", ask(instance, dnsmessage.TypeALL), true, false, true},
		{"for another record", ask(Type, dnsmessage.TypeA), true, false, false},
		{"for another service", ask("_ssh._tcp.local.", dnsmessage.TypePTR), true, false, false},
		{"with the answer", known.pack(), false, false, false},
		{"with an old answer", old.pack(), false, true, false},
		{"the machine's own name", ask("web1.local.", dnsmessage.TypeA), true, false, false},
	} {
		what := c.what
		everybody, one := parse(t, c.packet).Query.Reply(example(), c.legacy)
		if everybody != c.everybody || (one != nil) != c.one {
			t.Errorf("%s: %v %d", what, everybody, len(one))
		}
		if one == nil {
			continue
		}
		var m dnsmessage.Message
		if err := m.Unpack(one); err != nil || m.ID != 7 || len(m.Answers) == 0 {
			t.Fatalf("%s: %+v %v", what, m, err)
		}
		for _, r := range append(m.Answers, m.Additionals...) {
			if c.legacy && (r.Header.TTL > legacyTTL || r.Header.Class != dnsmessage.ClassINET) {
				t.Errorf("%s: %+v", what, r.Header)
			}
		}
		if len(one) > 10*len(c.packet) {
			t.Errorf("%s: %d bytes for %d", what, len(one), len(c.packet))
		}
	}
}

func TestNames(t *testing.T) {
	for hostname, want := range map[string]string{"web1": "web1", "web1.example.org": "web1",
		"": "minissh", ".": "minissh", "教室": "教室"} {
		if got := Label(hostname); got != want {
			t.Errorf("%q: %q", hostname, got)
		}
	}
	// the longest name with a port and a number can be sent
	s := example()
	s.Name = Label(strings.Repeat("界", 30)) + "-65535-9999"
	if len(s.Announcement()) == 0 || len(s.Probe()) == 0 || len(s.Goodbye()) == 0 {
		t.Error("a long name cannot be announced")
	}
	for instance, want := range map[string]string{"a." + Type: "a",
		"A b." + strings.ToUpper(Type): "A b", Type: "", "." + Type: "",
		"a._ssh._tcp.local.": "", "a\x00." + Type: ""} {
		if got := NameOf(instance); got != want {
			t.Errorf("%q: %q", instance, got)
		}
	}
	for _, c := range []struct {
		want string
		text []string
	}{
		{sum, []string{"txtvers=1", "hostkey=" + sum}}, {sum, []string{"HostKey=" + sum}},
		{sum, []string{"hostkey=" + sum, "hostkey=x"}},
		{"", []string{"hostkey=x", "hostkey=" + sum}},
		{"", nil}, {"", []string{"hostkey="}}, {"", []string{"hostkey=SHA256:\x1b[31m"}},
		{"", []string{"hostkey=" + sum + "\n"}},
		{"", []string{"hostkey=" + sum[:30] + "\n" + sum[30:]}},
		{"", []string{"hostkey=MD5:" + sum}},
	} {
		if got := fingerprint(c.text); got != c.want {
			t.Errorf("%q: %q", c.text, got)
		}
	}
}

func TestOnLink(t *testing.T) {
	i := Interface{Name: "eth0", Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24"),
		netip.MustParsePrefix("2001:db8::1/64")}}
	for address, want := range map[string]bool{"192.0.2.200": true, "192.0.3.1": false,
		"169.254.1.1": true, "2001:db8::ffff": true, "2001:db8:1::1": false, "fe80::1%eth0": true,
		"fe80::1%eth1": false, "8.8.8.8": false, "127.0.0.1": false} {
		if got := i.OnLink(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}

// Nothing that a stranger sends stops anybody, or makes an answer that is much longer than it.
func FuzzParse(f *testing.F) {
	s := example()
	for _, packet := range [][]byte{s.Announcement(), s.Goodbye(), s.Probe(),
		Question(1, Asked{Type, dnsmessage.TypePTR}),
		Question(2, Asked{s.Instance(), dnsmessage.TypeALL}), bytes.Repeat([]byte{0xc0}, 99)} {
		f.Add(packet)
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		m, err := Parse(packet)
		if err != nil {
			return
		}
		if q := m.Query; q != nil {
			q.Beats(s, false)
			for _, legacy := range []bool{false, true} {
				if _, one := q.Reply(s, legacy); len(one) > maxSent {
					t.Errorf("%d bytes", len(one))
				}
			}
		}
		if a := m.Answer; a != nil {
			a.Conflicts(s, func(netip.Addr) bool { return false })
			a.TakesBack(s)
			if got := len(a.Records()); got > 2*maxRecords {
				t.Errorf("%d records", got)
			}
		}
	})
}
