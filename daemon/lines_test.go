//go:build unix

package daemon

import (
	"os/exec"
	"strings"
	"testing"

	"minissh/daemon/authorized"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// told is a shell that is told its lines, in a client's session.
type told struct {
	t     *testing.T
	s     *mux.Session
	shell *mux.Channel
}

// tellBash logs in and begins a shell.
func tellBash(t *testing.T, l *lab, pty *protocol.PTY) *told {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("not run: needs bash")
	}
	s := l.session(nil)
	shell := start(t, s, protocol.Open{Service: authorized.Lines.Name, PTY: pty})
	e := <-shell.Requests()
	if opened, ok := e.Message.(*protocol.Opened); !ok || opened.Shell == "" ||
		(opened.TTY != nil) != (pty != nil) {
		t.Fatalf("%+v", e.Message)
	}
	return &told{t, s, shell}
}

func (s *told) open(line protocol.Open) *mux.Channel {
	line.Service, line.In = authorized.Lines.Name, int64(s.shell.ID())
	return start(s.t, s.s, line)
}

func (s *told) tell(line string) *result {
	return collect(s.t, s.open(protocol.Open{Command: protocol.Bytes(line)}))
}

// Lines share a shell, and each has its own channel, status, directory and output.
func TestLines(t *testing.T) {
	l := newLab(t, nil)
	before := l.warm()
	s := tellBash(t, l, window())
	s.tell("x=5; cd /usr")
	r := s.tell("echo $x; echo err >&2; (exit 3)")
	if r.out != "5\n" || r.err != "err\n" || *r.exit.Code != 3 || string(r.exit.Dir) != "/usr" {
		t.Errorf("%+v %+v", r, r.exit)
	}
	long := "echo " + strings.Repeat("a", 200_000)
	ch := s.open(protocol.Open{Length: int64(len(long))})
	if _, err := ch.Write(protocol.TypeStdin, []byte(long)); err != nil {
		t.Fatal(err)
	}
	if r := collect(t, ch); len(r.out) != 200_001 || *r.exit.Code != 0 {
		t.Errorf("%d bytes, %+v", len(r.out), r.exit)
	}
	r = collect(t, s.open(protocol.Open{Complete: &protocol.Complete{Kind: protocol.KindPath,
		Word: protocol.Bytes("/usr/bi")}}))
	if r.out != "/usr/bin/\n" {
		t.Errorf("%+v", r)
	}
	ch = s.open(protocol.Open{Command: protocol.Bytes("test -t 0 && echo $x; read y; echo got $y"),
		PTY: window()})
	upTo(t, ch, "5\n")
	typed(t, ch, "typed\n")
	if r := collect(t, ch); r.out != "got typed\n" || *r.exit.Code != 0 {
		t.Errorf("%+v %+v", r, r.exit)
	}
	if r := s.tell("exit 9"); *r.exit.Code != 9 || r.exit.Dir != nil {
		t.Errorf("%+v", r.exit)
	}
	if r := collect(t, s.shell); *r.exit.Code != 9 {
		t.Errorf("%+v", r.exit)
	}
	if r := s.tell("true"); r.refused == nil || r.refused.Code != protocol.CodeBadRequest {
		t.Errorf("%+v", r)
	}
	s.s.Close(nil)
	settle(t, before)
}

// Signals are for the line, a line that nobody wants is stopped, one runs at a time, and a client
// that leaves takes the shell with it.
func TestLinesEnd(t *testing.T) {
	l := newLab(t, nil)
	before := l.warm()
	s := tellBash(t, l, window())
	run := func() *mux.Channel {
		ch := s.open(protocol.Open{Command: protocol.Bytes("sh -c 'echo go; exec sleep 1000'")})
		upTo(t, ch, "go\n")
		return ch
	}
	ch := run()
	if r := s.tell("true"); r.refused == nil || r.refused.Code != protocol.CodeBusy {
		t.Errorf("%+v", r)
	}
	ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: "INT"})
	if r := collect(t, ch); *r.exit.Code != 130 {
		t.Errorf("%+v", r.exit)
	}
	run().Close(&protocol.Reason{Code: protocol.CodeCancelled})
	if r := s.tell("echo waited"); r.out != "waited\n" {
		t.Errorf("after a line that is being stopped: %+v", r)
	}
	for range 50 { // the one before may end at any time from now on, or have begun just now
		s.open(protocol.Open{Command: protocol.Bytes("sleep 1000")}).Close(
			&protocol.Reason{Code: protocol.CodeCancelled})
		if r := s.tell("echo next"); r.out != "next\n" {
			t.Fatalf("after a line that nobody wanted: %+v", r)
		}
	}
	ch = s.open(protocol.Open{
		Command: protocol.Bytes("sh -c 'echo go >/dev/tty; exec sleep 1000'")})
	upTo(t, ch, "go\n")
	if e := <-ch.Requests(); e.Type != protocol.TypeOpened {
		t.Errorf("%+v", e)
	}
	if e := <-ch.Requests(); e.Message.(*protocol.Notice).Notice != protocol.NoticeWantsTerminal {
		t.Errorf("%+v", e.Message)
	}
	s.s.Close(nil)
	settle(t, before)
}

// Without a terminal the same holds, and what asks for one is told so.
func TestLinesWithoutTerminal(t *testing.T) {
	l := newLab(t, nil)
	before := l.warm()
	s := tellBash(t, l, nil)
	if r := s.tell("x=1; echo $x"); r.out != "1\n" || r.err != "" {
		t.Errorf("%+v", r)
	}
	r := collect(t, s.open(protocol.Open{Command: protocol.Bytes("true"), PTY: window()}))
	if r.refused == nil || r.refused.Code != protocol.CodeServiceRefused {
		t.Errorf("%+v", r)
	}
	ch := s.open(protocol.Open{Command: protocol.Bytes("sh -c 'echo go; exec sleep 1000'")})
	upTo(t, ch, "go\n")
	ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: "INT"})
	if r := collect(t, ch); *r.exit.Code != 130 {
		t.Errorf("%+v", r.exit)
	}
	for _, bad := range []protocol.Open{{}, {Length: -1}, {Length: 1<<20 + 1},
		{Command: protocol.Bytes("true"), Length: 3}, {Complete: &protocol.Complete{Kind: "x"}},
		{Complete: &protocol.Complete{Kind: protocol.KindPath}, PTY: window()}} {
		if r := collect(t, s.open(bad)); r.refused == nil ||
			r.refused.Code != protocol.CodeBadRequest {
			t.Errorf("%+v: %+v", bad, r)
		}
	}
	s.shell.EOF(protocol.TypeStdin)
	if r := collect(t, s.shell); r.exit == nil || *r.exit.Code != 130 {
		t.Errorf("%+v", r.exit)
	}
	s.s.Close(nil)
	settle(t, before)
}

// A line without its shell is not taken for a shell, and a line that nobody wants before its text
// has come is cancelled.
func TestLinesRefused(t *testing.T) {
	l := newLab(t, nil)
	before := l.warm()
	s := tellBash(t, l, nil)
	for _, bad := range []protocol.Open{{Command: protocol.Bytes("true")}, {Length: 1},
		{Complete: &protocol.Complete{Kind: protocol.KindPath}}} {
		bad.Service = authorized.Lines.Name
		ch := start(t, s.s, bad)
		ch.EOF(protocol.TypeStdin) // ends a shell, if it is one
		if r := collect(t, ch); r.refused == nil || r.refused.Code != protocol.CodeBadRequest {
			t.Errorf("%+v: %+v", bad, r)
		}
	}
	ch := s.open(protocol.Open{Length: 5})
	ch.Write(protocol.TypeStdin, []byte("true"))
	ch.EOF(protocol.TypeStdin)
	if r := collect(t, ch); r.refused == nil || r.refused.Code != protocol.CodeBadRequest {
		t.Errorf("%+v", r)
	}
	ch = s.open(protocol.Open{Length: 5})
	ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
	if r := collect(t, ch); r.refused == nil || r.refused.Code != protocol.CodeCancelled {
		t.Errorf("%+v", r)
	}
	s.s.Close(nil)
	settle(t, before)
}
