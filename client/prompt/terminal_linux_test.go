package prompt_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"minissh/client/fakedaemon"
	"minissh/client/prompt"
	"minissh/client/report"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// typing is a prompt on a terminal, over a daemon in memory.
type typing struct {
	keys   io.Writer
	daemon *fakedaemon.Memory
	shown  *fakedaemon.Messages
	done   chan result
	read   chan struct{}
}

func newTyping(t *testing.T, far func(*mux.Channel)) *typing {
	t.Helper()
	return typeTo(t, fakedaemon.NewMemory(t, far))
}

func typeTo(t *testing.T, daemon *fakedaemon.Memory) *typing {
	t.Helper()
	return typeOn(t, "dumb", daemon)
}

// typeOn is typeTo on such a terminal.
func typeOn(t *testing.T, term string, daemon *fakedaemon.Memory) *typing {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skip("not run: needs a pty: ", err)
	}
	p := &typing{keys: master, daemon: daemon, done: make(chan result, 1),
		shown: new(fakedaemon.Messages), read: make(chan struct{})}
	conn := p.daemon.Connect(t)
	conn.Messages = report.New(slave, conn.Options)
	go func() { defer close(p.read); io.Copy(p.shown, master) }()
	go func() {
		code, err := prompt.Over(t.Context(), conn, prompt.Config{Stdin: slave, Stdout: slave,
			Stderr: slave, Getenv: func(string) string { return term }})
		p.done <- result{code, err}
		slave.Close() // which ends the reading
	}()
	t.Cleanup(func() { master.Close(); <-p.read })
	return p
}

// end waits until the prompt has ended, and gives what was shown.
func (p *typing) end(t *testing.T) (result, string) {
	t.Helper()
	select {
	case r := <-p.done:
		<-p.read
		return r, p.shown.String()
	case <-time.After(fakedaemon.Patience):
		t.Fatalf("the prompt goes on: %s", p.shown)
		panic("unreachable")
	}
}

// typed reads keys until there are n, as text.
func typed(ch *mux.Channel, n int) (text string) {
	for len(text) < n {
		e, err := ch.Take()
		if err != nil {
			return text
		}
		text += string(e.Data)
	}
	return text
}

// pty runs its line on a terminal there, which gets the keys, and begins where the lines are; where
// it ends is where they go on. Alone it is a login shell. Leaving it leaves the prompt alone.
func TestPTYOverAConnection(t *testing.T) {
	requests := make(chan protocol.Open, 3)
	p := newTyping(t, func(ch *mux.Channel) {
		request := *ch.Request()
		requests <- request
		fakedaemon.Begin(ch, "/dev/pts/9")
		exit := &protocol.Exit{How: protocol.HowExited, Code: new(int)}
		switch {
		case request.Shell: // until the user leaves
			ch.Write(protocol.TypeStdout, []byte("a shell"))
			<-ch.Gone()
		case request.PTY == nil: // the last line
			*exit.Code = 5
		default:
			ch.Write(protocol.TypeStdout, []byte("vi here, "))
			ch.Write(protocol.TypeStdout, []byte("got "+typed(ch, 2)))
			*exit.Code, exit.Dir = 3, protocol.Bytes("/tmp")
		}
		ch.End(exit)
	})
	io.WriteString(p.keys, "pty vi x\n")
	first := <-requests
	for !strings.Contains(p.shown.String(), "vi here") { // until then Ctrl-C is for the prompt
		pause(t)
	}
	io.WriteString(p.keys, "\x03k")
	for !strings.Contains(p.shown.String(), "exit 3") {
		pause(t)
	}
	io.WriteString(p.keys, "pty\n")
	second := <-requests
	for !strings.Contains(p.shown.String(), "a shell") {
		pause(t)
	}
	io.WriteString(p.keys, "~.")
	for !strings.Contains(p.shown.String(), "exit 255") {
		pause(t)
	}
	io.WriteString(p.keys, "last\nexit\n")
	third := <-requests
	r, shown := p.end(t)
	if r.code != 5 || r.err != nil || !strings.Contains(shown, "got \x03k") {
		t.Errorf("%d, %v: %q", r.code, r.err, shown)
	}
	if string(first.Command) != "vi x" || first.Shell || !first.ReportDir || first.PTY == nil ||
		first.Dir != nil {
		t.Errorf("pty vi x: %+v", first)
	}
	if second.Command != nil || !second.Shell || second.ReportDir || second.PTY == nil ||
		string(second.Dir) != "/tmp" {
		t.Errorf("pty: %+v", second)
	}
	if third.PTY != nil || string(third.Dir) != "/tmp" {
		t.Errorf("the last line: %+v", third)
	}
}

// pause waits a moment for what is shown.
func pause(t *testing.T) {
	t.Helper()
	select {
	case <-time.After(time.Millisecond):
	case <-t.Context().Done():
		t.Fatal("it never is")
	}
}

// What a line left running goes on while the next line runs: that is said, and its output is shown.
func TestLineThatLeavesSomething(t *testing.T) {
	next := make(chan bool)
	var p *typing
	p = newTyping(t, func(ch *mux.Channel) {
		fakedaemon.Begin(ch, "")
		exit := &protocol.Exit{How: protocol.HowExited, Code: new(int)}
		if string(ch.Request().Command) == "left &" {
			*exit.Code, exit.Dir = 4, protocol.Bytes("/there")
			ch.Send(protocol.TypeNotice,
				&protocol.Notice{Notice: protocol.NoticeOutputHeld, Exit: exit})
			<-next
			ch.Write(protocol.TypeStdout, []byte("later\n"))
			ch.End(exit)
			next <- true
			return
		}
		next <- true
		<-next
		for !strings.Contains(p.shown.String(), "later") { // of the two channels none is the first
			pause(t)
		}
		ch.Write(protocol.TypeStdout, []byte("in "+string(ch.Request().Dir)+"\n"))
		ch.End(exit)
	})
	io.WriteString(p.keys, "left &\nnext\nexit\n")
	r, shown := p.end(t)
	if r.code != 0 || r.err != nil {
		t.Errorf("%+v", r)
	}
	for _, want := range []string{"what it left running goes on", "exit 4", "later", "in /there"} {
		if !strings.Contains(shown, want) {
			t.Errorf("lacks %q: %q", want, shown)
		}
	}
}
