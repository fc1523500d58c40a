package run_test

import (
	"errors"
	"strings"
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

// What is typed while the link is lost comes once, in order, when it is back; the same shell goes
// on.
func TestShellKeepsKeys(t *testing.T) {
	got := make(chan string, 1)
	s := newScreenOf(t, fakedaemon.NewResumable(t, func(ch *mux.Channel) {
		fakedaemon.Begin(ch, "/dev/pts/9")
		got <- typed(ch, "\r")
		fakedaemon.Exited(ch, 7)
	}), nil)
	awaitRaw(t, s)
	s.keys.WriteString("one ")
	s.daemon.Down(errors.New("the network is down"))
	s.daemon.Cut()
	awaitLoss(s, true)
	s.keys.WriteString("two ")
	s.keys.WriteString("three")
	s.daemon.Down(nil)
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
	s := newScreenOf(t, fakedaemon.NewResumable(t, func(ch *mux.Channel) {
		fakedaemon.Begin(ch, "/dev/pts/9")
		<-ch.Gone()
	}), nil)
	awaitRaw(t, s)
	s.daemon.Down(errors.New("the network is down"))
	s.daemon.Cut()
	awaitLoss(s, true)
	for range 5000 {
		s.keys.WriteString("k")
	}
	s.keys.WriteString(strings.Repeat("a paste\r", 1<<18)) // twice what is kept
	s.keys.WriteString("~.")
	if e := s.end(); e.left == nil || e.err != nil {
		t.Errorf("%+v", e)
	}
}

// A daemon that was restarted, or has ended the session, ends the shell at once.
func TestShellSessionIsOver(t *testing.T) {
	for _, code := range []protocol.Code{protocol.CodeSessionUnknown, protocol.CodeSessionExpired,
		protocol.CodeSessionEnded} {
		s := newScreenOf(t, fakedaemon.NewResumable(t, func(ch *mux.Channel) {
			fakedaemon.Begin(ch, "/dev/pts/9")
			<-ch.Gone()
		}), nil)
		awaitRaw(t, s)
		s.daemon.Refuse(&protocol.Reason{Code: code, Message: "why"})
		s.daemon.Cut()
		e := s.end()
		var said *protocol.RemoteError
		if !errors.Is(e.err, mux.ErrRestarted) && (!errors.As(e.err, &said) || said.Code != code) {
			t.Errorf("%s: %+v", code, e)
		}
	}
}
