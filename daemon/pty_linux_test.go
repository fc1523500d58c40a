package daemon

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

func needsPTY(t *testing.T) {
	t.Helper()
	if f, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0); err != nil {
		t.Skip("not run: needs a pty: ", err)
	} else {
		f.Close()
	}
}

// A pty is what was asked for (TE1), and the answer names it.
func TestPTY(t *testing.T) {
	needsPTY(t)
	l := newLab(t, nil)
	before := l.warm()
	s := l.session(nil)
	ch := start(t, s,
		protocol.Open{
			Command: protocol.Bytes(
				`tty; echo $SSH_TTY $TERM; stty size; stty -a; echo err >&2; exit 7`),
			PTY: window()})
	opened, _ := (<-ch.Requests()).Message.(*protocol.Opened)
	r := collect(t, ch)
	name := string(opened.TTY)
	for _, want := range []string{name + "\n" + name + " xterm-256color\n33 111\n", "erase = ^H;",
		"intr = ^C;", " -echo ", " icanon ", "-opost ", "\nerr\n"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("%q is not in %q", want, r.out)
		}
	}
	if r.err != "" || r.exit == nil || *r.exit.Code != 7 || !strings.HasPrefix(name, "/dev/") {
		t.Errorf("tty %q, %+v", name, r)
	}
	// Without a name the terminal is the simplest one; without modes it is as the kernel makes it.
	r = collect(t,
		start(t, s, protocol.Open{Argv: bytesOf("sh", "-c", "echo $TERM; stty -a"),
			PTY: &protocol.PTY{}}))
	if !strings.HasPrefix(r.out, "dumb\r\n") || !strings.Contains(r.out, " echo ") {
		t.Errorf("%q", r.out)
	}
	s.Close(nil)
	settle(t, before)
}

// A login shell: its name begins with a hyphen; with a pty it has job control, without one it reads
// commands and is silent.
func TestLoginShell(t *testing.T) {
	needsPTY(t)
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	ch := start(t, s, protocol.Open{Shell: true})
	typed(t, ch, "echo $0 $-; pwd -P; tty; exit 5\n")
	r := collect(t, ch)
	if want := "-sh s\n" + real(t, l.home) + "\nnot a tty\n"; r.out != want || r.exit == nil ||
		*r.exit.Code != 5 {
		t.Errorf("%q instead of %q, %+v", r.out, want, r.exit)
	}
	ch = start(t, s, protocol.Open{Shell: true, PTY: window()})
	typed(t, ch, "echo $0 $-; exit 6\n")
	if r := collect(t, ch); !strings.Contains(r.out, "-sh") || !strings.Contains(r.out, "m") ||
		*r.exit.Code != 6 {
		t.Errorf("%q, %+v", r.out, r.exit)
	}
	l.log.want(t, "Starting command", `command=""`, "tty=/dev/")
}

// A request that a pty cannot fulfil is refused before anything is started (TE1); the daemon and
// the session go on.
func TestHostileTerminals(t *testing.T) {
	needsPTY(t)
	l := newLab(t, nil)
	before := l.warm()
	s := l.session(nil)
	for name, p := range map[string]*protocol.PTY{
		"a path":            {Term: protocol.Bytes("../../../../tmp/evil")},
		"a variable":        {Term: protocol.Bytes("x\nLD_PRELOAD=/evil")},
		"an escape":         {Term: protocol.Bytes("\x1b]0;x\a")},
		"a long name":       {Term: protocol.Bytes(strings.Repeat("A", 60_000))},
		"a huge window":     {Size: protocol.Size{Rows: 1 << 40, Cols: 1 << 40}},
		"a negative window": {Size: protocol.Size{Rows: -1, Cols: -1}},
		"a wrong character": {Modes: map[string]int64{"vintr": 1 << 20}},
	} {
		if r := collect(t, start(t, s, protocol.Open{Shell: true, PTY: p})); r.exit != nil ||
			r.refused.Code != protocol.CodeBadRequest {
			t.Errorf("%s: exit %+v, refused %+v", name, r.exit, r.refused)
		}
	}
	for name, open := range map[string]protocol.Open{
		"a shell and a command": {Shell: true, Command: protocol.Bytes("true")},
		"a shell and argv":      {Shell: true, Argv: bytesOf("true")},
	} {
		if r := collect(t, start(t, s, open)); r.exit != nil ||
			r.refused.Code != protocol.CodeBadRequest {
			t.Errorf("%s: exit %+v, refused %+v", name, r.exit, r.refused)
		}
	}
	// Impossible sizes do nothing, and neither does a size without a window.
	ch := start(t, s, protocol.Open{Command: protocol.Bytes("read x; stty size"), PTY: window()})
	for _, size := range []protocol.Size{{Rows: 1 << 16, Cols: 1}, {Rows: -1}, {Cols: 1 << 62}} {
		ch.Send(protocol.TypeResize, &size)
	}
	typed(t, ch, "\n")
	if r := collect(t, ch); r.out != "33 111\n" {
		t.Errorf("the window became %q", r.out)
	}
	ch = start(t, s, protocol.Open{Command: protocol.Bytes("read x; echo $x")})
	ch.Send(protocol.TypeResize, &protocol.Size{Rows: 5, Cols: 5})
	typed(t, ch, "on\n")
	if r := collect(t, ch); r.out != "on\n" {
		t.Errorf("without a pty: %+v", r)
	}
	s.Close(nil)
	settle(t, before)
}

// The window's size follows, and the foreground job hears of it.
func TestResize(t *testing.T) {
	needsPTY(t)
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	ch := start(t, s,
		protocol.Open{
			Command: protocol.Bytes(
				`trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.01; done`),
			PTY: window()})
	upTo(t, ch, "ready\n")
	ch.Send(protocol.TypeResize, &protocol.Size{Rows: 50, Cols: 132})
	if r := collect(t, ch); r.out != "50 132\n" {
		t.Errorf("%q", r.out)
	}
}

// A signal goes to the foreground job of a terminal, KILL to everything (TE2).
func TestSignalOnPTY(t *testing.T) {
	needsPTY(t)
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	ch := start(t, s, protocol.Open{Shell: true, PTY: window()})
	typed(t, ch, "set -m; sleep 1001 & echo bg:$!:; sh -c 'echo fg:$$:; exec sleep 1000'; echo "+
		"after:$?:\n")
	background := between(t, upTo(t, ch, "fg:"), "bg:")
	foreground := strings.TrimSuffix(upTo(t, ch, ":"), ":")
	ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: "TERM"})
	upTo(t, ch, "after:143:")
	if pid, _ := strconv.Atoi(foreground); testend.Alive(pid) || !testend.Alive(background) {
		t.Errorf("foreground %s lives: %v, background %d lives: %v", foreground, testend.Alive(pid),
			background, testend.Alive(background))
	}
	typed(t, ch, "\x03") // the terminal's own Ctrl-C
	ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: "KILL"})
	if r := collect(t, ch); r.exit.Signal != "KILL" {
		t.Errorf("%+v", r.exit)
	}
	testend.Gone(t, background)
}

// between is the number after a mark, up to a colon.
func between(t *testing.T, text, mark string) int {
	t.Helper()
	_, after, _ := strings.Cut(text, mark)
	number, _, _ := strings.Cut(after, ":")
	pid, err := strconv.Atoi(number)
	if err != nil {
		t.Fatalf("no number after %s in %q", mark, text)
	}
	return pid
}

// The session ends when the shell does, with all that was written, although a background job holds
// the terminal; that lives on (TE3).
func TestBackgroundJobHoldsTerminal(t *testing.T) {
	needsPTY(t)
	l := newLab(t, nil)
	before := l.warm()
	s := l.session(nil)
	for range 5 {
		ch := start(t, s,
			protocol.Open{Command: protocol.Bytes("trap '' HUP; sleep 1000 & echo :$!:; head -c " +
				"300000 /dev/zero | tr '\\0' x; echo end"), PTY: window()})
		pid := between(t, upTo(t, ch, ":\n")[0:], ":")
		r := collect(t, ch)
		if len(r.out) != 300_004 || !strings.HasSuffix(r.out, "xend\n") ||
			r.exit.How != protocol.HowExited || len(r.notices) != 0 {
			t.Errorf("%d bytes came, the last are %q; %+v, notices %q", len(r.out),
				r.out[max(0, len(r.out)-20):], r.exit, r.notices)
		}
		if !testend.Alive(pid) {
			t.Error("the job died")
		}
		exec.Command("kill", strconv.Itoa(pid)).Run()
		testend.Gone(t, pid)
	}
	s.Close(nil)
	settle(t, before)
}

// When the client has gone, the foreground job of its terminal gets HUP, and KILL if it does not
// act on it; a background job that nohup keeps lives on, as under sshd, and one that does not ends
// with its shell (TE3).
func TestHangUpOnPTY(t *testing.T) {
	needsPTY(t)
	needs(t, "nohup")
	needs(t, "bash")
	for name, leave := range map[string]func(*mux.Session, *mux.Channel){
		"GOODBYE": func(s *mux.Session, _ *mux.Channel) { s.Close(nil) },
		"CLOSE": func(_ *mux.Session, ch *mux.Channel) {
			ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, func(o *Options) { o.StopGrace = patience })
			before := l.warm()
			s := l.session(nil)
			heard := l.home + "/heard"
			ch := start(t, s, protocol.Open{Argv: bytesOf("bash", "--norc", "-i"), PTY: window()})
			// nohup is waited for: until it has become sleep, it may not have got to ignoring HUP
			typed(t, ch, "nohup sleep 1001 >/dev/null 2>&1 & until grep -q sleep /proc/$!/comm; "+
				"do sleep 0.02; done; echo kept:$!:; sleep 1002 & echo job:$!:\n")
			text := upTo(t, ch, "job:")
			// readline shows the line first
			for !strings.Contains(text[strings.LastIndex(text, "job:"):], ":\n") {
				text += upTo(t, ch, ":\n")
			}
			kept := between(t, text[strings.LastIndex(text, "kept:"):], "kept:")
			job := between(t, text[strings.LastIndex(text, "job:"):], "job:")
			typed(t, ch, fmt.Sprintf("sh -c \"trap 'echo HUP >%s; exit' HUP; echo "+
				"f\"g\":\\$\\$:; while :; do sleep 0.01; done\"\n", heard))
			upTo(t, ch, "fg:")
			foreground, _ := strconv.Atoi(strings.TrimSuffix(upTo(t, ch, ":"), ":"))
			leave(s, ch)
			testend.Gone(t, foreground)
			testend.Gone(t, job)
			if text, err := os.ReadFile(heard); err != nil || string(text) != "HUP\n" {
				t.Errorf("the foreground job heard %q, %v", text, err)
			}
			l.log.want(t, "Command ended", "how=")
			if !testend.Alive(kept) {
				t.Error("what nohup keeps was ended")
			}
			exec.Command("kill", strconv.Itoa(kept)).Run()
			testend.Gone(t, kept)
			s.Close(nil)
			settle(t, before)
		})
	}
}

// A hang-up kills only the foreground job: what nohup keeps lives on then too (TE3).
func TestHangUpKillsTheForegroundAlone(t *testing.T) {
	needsPTY(t)
	needs(t, "nohup")
	needs(t, "bash")
	l := newLab(t, func(o *Options) { o.StopGrace = 100 * time.Millisecond })
	s := l.session(nil)
	defer s.Close(nil)
	ch := start(t, s, protocol.Open{Argv: bytesOf("bash", "--norc", "-i"), PTY: window()})
	typed(t, ch, "nohup sleep 1003 >/dev/null 2>&1 & until grep -q sleep /proc/$!/comm; do sleep "+
		"0.02; done; echo ke\"\"pt:$!:\n")
	upTo(t, ch, "kept:")
	kept, _ := strconv.Atoi(strings.TrimSuffix(upTo(t, ch, ":"), ":"))
	defer exec.Command("kill", strconv.Itoa(kept)).Run()
	typed(t, ch, "sh -c \"trap '' HUP; echo f\"g\":\\$\\$:; while :; do sleep 0.01; done\"\n")
	upTo(t, ch, "fg:")
	foreground, _ := strconv.Atoi(strings.TrimSuffix(upTo(t, ch, ":"), ":"))
	if kept == 0 || foreground == 0 {
		t.Fatal(kept, foreground)
	}
	ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
	l.log.want(t, "Command ended", "how=cancelled")
	if testend.Alive(foreground) {
		t.Error("the foreground job lives")
	}
	if !testend.Alive(kept) {
		t.Error("what nohup keeps was killed")
	}
}

// A deadline reaches all of the kernel session, even on a pty.
func TestDeadlineOnPTY(t *testing.T) {
	needsPTY(t)
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	pid := untilDeadline(t, s, protocol.Open{PTY: window(),
		Command: protocol.Bytes("set -m; trap '' HUP; sleep 1000 & echo $!; wait; wait")})[0]
	if testend.Alive(pid) {
		t.Error("it lives after its deadline")
	}
}
