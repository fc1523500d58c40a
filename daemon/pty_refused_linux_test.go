package daemon

import (
	"strings"
	"testing"

	"minissh/protocol"
)

// A key that may not have a pty runs its command without one, and the client is told (TE1).
func TestPTYRefused(t *testing.T) {
	l, _ := authorizedLab(t, "no-pty", false)
	s := l.session(nil)
	defer s.Close(nil)
	ch := start(t, s,
		protocol.Open{Command: protocol.Bytes("tty; echo ${TERM-none} ${SSH_TTY-none}"),
			PTY: window()})
	opened, _ := (<-ch.Requests()).Message.(*protocol.Opened)
	notice, _ := (<-ch.Requests()).Message.(*protocol.Notice)
	if r := collect(t, ch); r.out != "not a tty\nnone none\n" || opened.TTY != nil ||
		notice.Notice != protocol.NoticePTYRefused || !strings.Contains(notice.Message, "no-pty") {
		t.Errorf("%+v, OPENED %+v, NOTICE %+v", r, opened, notice)
	}
}

// A key with command= gets that for a shell too, on a pty if it may; there is nothing to say about
// what was asked (EX9).
func TestForcedShell(t *testing.T) {
	needsPTY(t)
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	for _, grant := range l.access.grants {
		grant.Forced, grant.Command = true, "echo forced ${SSH_ORIGINAL_COMMAND-none}; tty"
	}
	ch := start(t, s, protocol.Open{Shell: true, PTY: window()})
	if r := collect(t, ch); !strings.HasPrefix(r.out, "forced none\n/dev/") {
		t.Errorf("%q", r.out)
	}
	ch = start(t, s, protocol.Open{Shell: true})
	if r := collect(t, ch); r.out != "forced none\nnot a tty\n" {
		t.Errorf("%q", r.out)
	}
}

// A megabyte typed into cat comes back whole, even if the typist is far ahead of the reader.
func TestMegabyteThroughPTY(t *testing.T) {
	needsPTY(t)
	l := newLab(t, nil)
	before := l.warm()
	s := l.session(nil)
	p := window()
	for _, name := range []string{"icanon", "isig", "iexten", "ixon", "icrnl", "inlcr", "igncr"} {
		p.Modes[name] = 0
	}
	ch := start(t, s, protocol.Open{Argv: bytesOf("sh", "-c", "echo ready; exec head -c 1048576"),
		PTY: p})
	upTo(t, ch, "ready\n")
	text := make([]byte, 1<<20)
	for i := range text {
		text[i] = byte(i ^ i>>8)
	}
	go ch.Write(protocol.TypeStdin, text)
	r := collect(t, ch)
	if r.out != string(text) {
		t.Errorf("%d bytes came back, the same: false", len(r.out))
	}
	s.Close(nil)
	settle(t, before)
}

// A command that closes its terminal and then ends has ended by itself: nothing is hung up
// meanwhile.
func TestTerminalClosedBeforeTheEnd(t *testing.T) {
	needsPTY(t)
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	for range 20 {
		ch := start(t, s,
			protocol.Open{
				Command: protocol.Bytes("echo x; exec </dev/null >/dev/null 2>&1; sleep 0.01; " +
					"exit 5"), PTY: window()})
		if r := collect(t, ch); r.out != "x\n" || r.exit.Code == nil || *r.exit.Code != 5 {
			t.Fatalf("%q, %+v", r.out, r.exit)
		}
	}
}

// EOF of STDIN does nothing on a terminal; the character ends its input (TE2).
func TestEOFOnPTY(t *testing.T) {
	needsPTY(t)
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	ch := start(t, s, protocol.Open{Command: protocol.Bytes("echo ready; cat; echo over"),
		PTY: window()})
	upTo(t, ch, "ready\n")
	typed(t, ch, "text\n\x04")
	ch.EOF(protocol.TypeStdin)
	if r := collect(t, ch); r.out != "text\nover\n" {
		t.Errorf("%q", r.out)
	}
	ch = start(t, s, protocol.Open{Command: protocol.Bytes("echo ready; cat"), PTY: window()})
	ch.EOF(protocol.TypeStdin)
	upTo(t, ch, "ready\n")
	ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: "TERM"}) // it still waits
	if r := collect(t, ch); r.exit.Signal != "TERM" {
		t.Errorf("%+v", r.exit)
	}
}
