//go:build unix

package daemon

import (
	"io"
	"net"
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
	l.until("the strangers are inside", func() bool { return l.inside() == n })
	return conns
}

// inside is how many connections have no client yet.
func (l *lab) inside() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.Server.strangers)
}

// If there are too many unauthenticated connections, in all or from one source, the next is told so
// in TLS's words (CA4). A session is not touched, and a place is free again as soon as one of them
// leaves.
func TestTooManyStartups(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"in all":     func(o *Options) { o.MaxStartups = 3 },
		"per source": func(o *Options) { o.MaxPerSource = 3 },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, change)
			before := l.warm()
			s := l.session(nil)
			l.until("the guest is a stranger no longer", func() bool { return l.inside() == 0 })
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
			l.log.want(t, "Connection refused from 127.0.0.1 port ",
				"too many unauthenticated connections")

			if r := collect(t, shell(t, s, "echo in")); r.out != "in\n" {
				t.Errorf("a session is disturbed: %+v", r)
			}
			conns[0].Close()
			l.until("a place is free", func() bool { return l.inside() == 2 })
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

// The answer "too many" has a limit of its own. Connections on Unix sockets, where nothing is said,
// take nothing from it: forty of those leave room for one on TCP.
func TestRefusalsGiveTheirPlaceBack(t *testing.T) {
	l := newLab(t, func(o *Options) { o.MaxStartups = 1 }, "unix:"+filepath.Join(t.TempDir(), "s"),
		"127.0.0.1:0")
	conns := l.strangers(1)
	for range 40 {
		conn := l.dial()
		if n, err := io.Copy(io.Discard, conn); n != 0 || err != nil && !isEnd(err) {
			t.Fatalf("%d bytes and %v", n, err)
		}
		conn.Close()
	}
	conn, err := net.Dial("tcp", l.Addresses()[1])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if end := ended(conn); end != "alert 49" {
		t.Errorf("a stranger on TCP reads %s", end)
	}
	conns[0].Close()
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
	l.log.want(t, "[preauth]",
		"too_many_sessions: this daemon allows 2 sessions at most, for all users together: "+
			"tester with "+
			"ED25519 SHA256:")
	first.Close(nil)
	l.until("the first session is gone", func() bool { return len(l.sessions.Entries()) == 1 })
	l.run("true")
	second.Close(nil)
	settle(t, before)
	if _, exit := l.run("ls pwned"); *exit.Code == 0 {
		t.Error("a refused session ran its command")
	}
}

// WELCOME says how many channels are allowed; our own client obeys, and one that ends makes room.
func TestChannelsAreCounted(t *testing.T) {
	l := newLab(t, func(o *Options) { o.MaxChannels = 20 })
	s := l.session(nil)
	defer s.Close(nil)
	var open []*mux.Channel
	for range 20 {
		open = append(open, start(t, s, protocol.Open{Command: protocol.Bytes("cat")}))
	}
	if _, err := s.Open(&protocol.Open{
		Service: "exec", Command: protocol.Bytes("cat")}); err == nil {
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
