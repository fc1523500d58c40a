package run_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"minissh/client/fakedaemon"
	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

// awaitLoss waits until the client knows that its link is lost, or (false) back.
func awaitLoss(s *screen, lost bool) {
	s.t.Helper()
	testend.Until(s.t, "the client notices", func() bool { return (s.conn.Lost() != nil) == lost })
}

// outage is a network whose daemon is on it or not, as a test wants.
type outage struct {
	*fakedaemon.Network
	down atomic.Bool
}

func newOutage(t *testing.T, accept func(*mux.Channel)) *outage {
	o := &outage{Network: fakedaemon.NewNetwork(t, accept)}
	o.Link = func(int, *fakedaemon.Link) error {
		if o.down.Load() {
			return errors.New("the network is down")
		}
		return nil
	}
	return o
}

// begin ends all links, until end.
func (o *outage) begin() {
	o.down.Store(true)
	for _, l := range o.Links() {
		l.Close()
	}
}

func (o *outage) end() { o.down.Store(false) }

// lostShell is a shell whose link is lost.
func lostShell(t *testing.T) (*outage, *screen) {
	t.Helper()
	net := newOutage(t, func(ch *mux.Channel) {
		fakedaemon.Begin(ch, "/dev/pts/9")
		<-ch.Gone()
	})
	s := newScreenOf(t, net.Dialer, nil)
	awaitRaw(t, s)
	net.begin()
	awaitLoss(s, true)
	return net, s
}

// What is typed while the link is lost comes once, in order, when it is back; the same shell goes
// on.
func TestShellKeepsKeys(t *testing.T) {
	got := make(chan string, 1)
	net := newOutage(t, func(ch *mux.Channel) {
		fakedaemon.Begin(ch, "/dev/pts/9")
		got <- typed(ch, "\r")
		fakedaemon.Exited(ch, 7)
	})
	s := newScreenOf(t, net.Dialer, nil)
	awaitRaw(t, s)
	s.keys.WriteString("one ")
	net.begin()
	awaitLoss(s, true)
	s.keys.WriteString("two ")
	s.keys.WriteString("three")
	net.end()
	s.keys.WriteString("\r") // which hurries
	if text := <-got; text != "one two three\r" {
		t.Errorf("%q", text)
	}
	awaitLoss(s, false)
	if e := s.end(); e.err != nil || e.left != nil || e.outcome.ExitCode() != 7 {
		t.Errorf("%+v", e)
	}
}

// ~. leaves although thousands of keys wait.
func TestShellEscapesWithoutLink(t *testing.T) {
	_, s := lostShell(t)
	for range 5000 {
		s.keys.WriteString("k")
	}
	s.keys.WriteString(strings.Repeat("a paste\r", 1<<18)) // twice what is kept
	s.keys.WriteString("~.")
	if e := s.end(); e.left == nil || e.err != nil {
		t.Errorf("%+v", e)
	}
}

// The daemon's answer to a new link that the session is over ends the shell at once.
func TestShellSessionIsOver(t *testing.T) {
	for code, end := range map[protocol.Code]func(*mux.Session){
		protocol.CodeSessionExpired: func(s *mux.Session) { s.Abandon(mux.ErrExpired) },
		protocol.CodeSessionEnded:   func(s *mux.Session) { s.Abandon(mux.ErrGoodbye) },
	} {
		net, s := lostShell(t)
		end(net.Sessions()[0])
		net.end()
		e := s.end()
		var said *protocol.RemoteError
		if !errors.As(e.err, &said) || said.Code != code {
			t.Errorf("%s: %+v", code, e)
		}
	}
}
