//go:build unix

package daemon

import (
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"testing"

	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
	"minissh/protocol/transport"
)

// strangers opens connections that say nothing, and waits until the daemon has noticed them.
func (l *lab) strangers(n int) (conns []net.Conn) {
	for range n {
		conns = append(conns, l.dial())
	}
	l.until("the strangers are inside", func() bool {
		l.gate.mu.Lock()
		defer l.gate.mu.Unlock()
		return l.gate.inside == n
	})
	return conns
}

// Too many unauthenticated connections, in all or from one source, are told so in TLS's words (CA4); a session is not touched, and a place is
// free again as soon as one of them goes.
func TestTooManyStartups(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"in all":     func(o *Options) { o.MaxStartups = 3 },
		"per source": func(o *Options) { o.MaxPerSource = 3 },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, change)
			before := l.warm()
			s := l.session(nil)
			l.until("the guest is no stranger", func() bool { l.gate.mu.Lock(); defer l.gate.mu.Unlock(); return l.gate.inside == 0 })
			conns := l.strangers(3)

			envelope, err := keys.Certificate(l.guest)
			if err != nil {
				t.Fatal(err)
			}
			raw := l.dial()
			_, err = clientOver(raw, envelope)
			raw.Close()
			if !transport.IsBusy(err) {
				t.Errorf("a fourth stranger sees %v", err)
			}
			raw = l.dial()
			if end := ended(raw); end != "alert 49" {
				t.Errorf("a fourth stranger reads %s", end)
			}
			raw.Close()
			l.log.want(t, "Connection refused from 127.0.0.1 port ", "too many unauthenticated connections")

			if r := collect(t, shell(t, s, "echo in")); r.out != "in\n" {
				t.Errorf("a session is disturbed: %+v", r)
			}
			conns[0].Close()
			l.until("a place is free", func() bool { l.gate.mu.Lock(); defer l.gate.mu.Unlock(); return l.gate.inside == 2 })
			if out, _ := l.run("echo free"); out != "free\n" {
				t.Errorf("after one went: %q", out)
			}
			for _, c := range conns {
				c.Close()
			}
			s.Close(nil)
			settle(t, before)
		})
	}
}

// The answer "too many" has a cap of its own, and gives every place back, on Unix sockets too, where nothing is said.
func TestRefusalsGiveTheirPlaceBack(t *testing.T) {
	l := newLab(t, func(o *Options) { o.MaxStartups = 1 }, "unix:"+filepath.Join(t.TempDir(), "s"))
	conns := l.strangers(1)
	for range 40 {
		conn := l.dial()
		if n, err := io.Copy(io.Discard, conn); n != 0 || err != nil && !isEnd(err) {
			t.Fatalf("%d bytes and %v", n, err)
		}
		conn.Close()
	}
	conns[0].Close()
	l.until("all places are free", func() bool {
		l.refusals.mu.Lock()
		defer l.refusals.mu.Unlock()
		return l.refusals.inside == 0 && len(l.refusals.sources) == 0
	})
}

func TestSource(t *testing.T) {
	for from, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "::ffff:192.0.2.1": "192.0.2.1/32",
		"2001:db8::1": "2001:db8::/64", "2001:db8::ffff:0:0:1": "2001:db8::/64", "2001:db8:0:1::1": "2001:db8:0:1::/64",
		"fe80::1%eth0": "fe80::/64",
	} {
		if got := source(netip.MustParseAddr(from)).String(); got != want {
			t.Errorf("%s counts as %s instead of %s", from, got, want)
		}
	}
	if got := source(netip.Addr{}); got != (netip.Prefix{}) {
		t.Errorf("a Unix socket counts as %v", got)
	}
}

// A place is given back once, however often leave is called.
func TestGateLeavesOnce(t *testing.T) {
	g := newGate(2, 1, 0)
	a, b := origin{network: netip.MustParsePrefix("192.0.2.1/32")}, origin{network: netip.MustParsePrefix("192.0.2.2/32")}
	leave, ok := g.enter(a)
	if _, again := g.enter(a); !ok || again {
		t.Fatal("one place per source")
	}
	other, ok := g.enter(b)
	if !ok {
		t.Fatal("another source has a place")
	}
	leave()
	leave()
	if g.inside != 1 || len(g.sources) != 1 {
		t.Errorf("%d inside, %v", g.inside, g.sources)
	}
	other()
}

func TestTooManySessions(t *testing.T) {
	l := newLab(t, func(o *Options) { o.MaxSessions = 2 })
	before := l.warm()
	first, second := l.session(nil), l.session(nil)
	p := l.knock(l.guest)
	p.send(hello(nil), open(1, "touch "+filepath.Join(l.home, "pwned")))
	if code := p.wantError().Code; code != protocol.CodeTooManySessions {
		t.Errorf("the third session is refused with %s", code)
	}
	l.log.want(t, "[preauth]", "too_many_sessions: 2 sessions are the most here, for all users together: tester with ED25519 SHA256:")
	first.Close(nil)
	l.until("the first session is gone", func() bool { return l.sessions.Len() == 1 })
	l.run("true")
	second.Close(nil)
	settle(t, before)
	if _, exit := l.run("ls pwned"); *exit.Code == 0 {
		t.Error("a refused session ran its command")
	}
}

// WELCOME says how many channels there may be; our own client keeps to it, and one that ends makes room.
func TestChannelsAreCounted(t *testing.T) {
	l := newLab(t, func(o *Options) { o.MaxChannels = 20 })
	s := l.session(nil)
	defer s.Close(nil)
	var open []*mux.Channel
	for range 20 {
		open = append(open, start(t, s, protocol.Open{Command: protocol.Bytes("cat")}))
	}
	if _, err := s.Open(&protocol.Open{Service: "exec", Command: protocol.Bytes("cat")}); err == nil {
		t.Error("a channel too many")
	}
	for _, ch := range open {
		ch.EOF(protocol.TypeStdin)
		if r := collect(t, ch); r.exit == nil {
			t.Errorf("refused: %+v", r.refused)
		}
	}
	l.until("a channel is free", func() bool {
		ch, err := s.Open(&protocol.Open{Service: "exec", Command: protocol.Bytes("true")})
		if err == nil {
			collect(t, ch)
		}
		return err == nil
	})
}
