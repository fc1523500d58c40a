//go:build unix

package prompt_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"minissh/client/fakedaemon"
	"minissh/client/prompt"
	"minissh/protocol"
	"minissh/protocol/files"
	"minissh/protocol/mux"
)

// lines is a prompt over a daemon in memory whose lines come from a pipe.
type lines struct {
	daemon *fakedaemon.Memory
	in     *os.File
	out    string // files that the prompt writes to
	err    string
	done   chan result
}

type result struct {
	code int
	err  error
}

func newLines(t *testing.T, far func(*mux.Channel)) *lines {
	t.Helper()
	l := &lines{daemon: fakedaemon.NewMemory(t, far), done: make(chan result, 1)}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	l.in, l.out, l.err = w, filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "err")
	out, err := os.Create(l.out)
	if err != nil {
		t.Fatal(err)
	}
	errs, err := os.Create(l.err)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close(); out.Close(); errs.Close() })
	conn := l.daemon.Connect(t)
	go func() {
		code, err := prompt.Over(t.Context(), conn,
			prompt.Config{Stdin: r, Stdout: out, Stderr: errs})
		l.done <- result{code, err}
	}()
	return l
}

// end waits until the prompt has ended.
func (l *lines) end(t *testing.T) (r result, out, errs string) {
	t.Helper()
	select {
	case r = <-l.done:
	case <-time.After(fakedaemon.Patience):
		t.Fatal("the prompt goes on")
	}
	text, _ := os.ReadFile(l.out)
	said, _ := os.ReadFile(l.err)
	return r, string(text), string(said)
}

// Each line is a command; where its shell was at its end is where the next one begins; the last
// status is the prompt's.
func TestLinesOverAConnection(t *testing.T) {
	l := newLines(t, func(ch *mux.Channel) {
		open := ch.Request()
		fakedaemon.Begin(ch, "")
		exit := &protocol.Exit{How: protocol.HowExited, Code: new(int)}
		switch line := string(open.Command); {
		case line == "cd /tmp":
			exit.Dir, exit.OldDir = protocol.Bytes("/tmp"), protocol.Bytes("/home/tester")
		case line == "fail":
			*exit.Code = 7
		case line == "windows":
			*exit.Code = 1000
		default:
			io.WriteString(ch.Writer(protocol.TypeStdout), line+" in "+string(open.Dir)+" after "+
				string(open.OldDir)+"\n")
			io.WriteString(ch.Writer(protocol.TypeStderr), "careful\n")
		}
		ch.End(exit)
	})
	l.in.WriteString("first\ncd /tmp\nsecond\nwindows\nfail\n")
	l.in.Close()
	r, out, errs := l.end(t)
	if r.code != 7 || r.err != nil || out != "first in  after \nsecond in /tmp after "+
		"/home/tester\n" || errs != "careful\ncareful\n"+
		"minissh: the command exited with 1000; exit codes here are 0 to 255\n" {
		t.Errorf("%+v, %q, %q", r, out, errs)
	}
}

// A line that the daemon refuses ends alone. The prompt leaves a directory that is gone.
func TestRefusedLine(t *testing.T) {
	n := 0
	l := newLines(t, func(ch *mux.Channel) {
		if n++; n == 1 {
			ch.Close(&protocol.Reason{Code: protocol.CodeTooManyCommands, Message: "no\x1b[m"})
			return
		}
		fakedaemon.Begin(ch, "")
		fakedaemon.Exited(ch, 0)
	})
	l.in.WriteString("one\ntwo\n")
	l.in.Close()
	if r, _, errs := l.end(t); r.code != 0 || r.err != nil ||
		!strings.Contains(errs, "did not run it") || strings.Contains(errs, "\x1b") {
		t.Errorf("%+v, %q", r, errs)
	}
}

// Ctrl-C goes to the command; without a terminal it ends the prompt too, as it ends a shell's
// script.
func TestCtrlCOverAConnection(t *testing.T) {
	running, asked := make(chan bool, 1), make(chan string, 1)
	l := newLines(t, func(ch *mux.Channel) {
		fakedaemon.Begin(ch, "")
		running <- true
		e := <-ch.Requests()
		asked <- e.Message.(*protocol.Signal).Signal
		ch.End(&protocol.Exit{How: protocol.HowSignalled, Signal: "INT"})
	})
	l.in.WriteString("sleep 99\n")
	<-running
	syscall.Kill(os.Getpid(), syscall.SIGINT)
	if got := <-asked; got != "INT" {
		t.Errorf("the command got %s", got)
	}
	if r, _, _ := l.end(t); r.code != 130 {
		t.Errorf("%+v", r)
	}
}

// A link that is lost in the middle of a line ends the prompt, which says what is known about the
// line.
func TestCutInALine(t *testing.T) {
	running := make(chan bool, 1)
	l := newLines(t, func(ch *mux.Channel) {
		fakedaemon.Begin(ch, "")
		running <- true
		<-ch.Gone()
	})
	l.in.WriteString("sleep 99\n")
	<-running
	l.daemon.Cut()
	if r, _, _ := l.end(t); r.code != 255 || r.err == nil ||
		!strings.Contains(r.err.Error(), "its outcome is unknown") {
		t.Errorf("%+v", r)
	}
}

// So does one that is lost while nothing runs.
func TestCutBetweenLines(t *testing.T) {
	l := newLines(t, nil)
	l.daemon.Cut()
	if r, _, _ := l.end(t); r.code != 255 || r.err == nil ||
		!strings.HasPrefix(r.err.Error(), "the connection to fake was lost") {
		t.Errorf("%+v", r)
	}
}

// put and get copy over the prompt's own connection, which goes on.
func TestPutAndGet(t *testing.T) {
	dir := t.TempDir()
	there, here := filepath.Join(dir, "there"), filepath.Join(dir, "here")
	if err := os.Mkdir(there, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(here, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := newLines(t, func(ch *mux.Channel) {
		if ch.Request().Files == nil {
			fakedaemon.Begin(ch, "")
			fakedaemon.Exited(ch, 5)
			return
		}
		place, err := files.OpenPlace(nil, there, true)
		if err != nil {
			ch.Close(&protocol.Reason{Code: protocol.CodeNoDirectory})
			return
		}
		defer place.Root.Close()
		fakedaemon.Begin(ch, "")
		files.Receive(ch.Reader(protocol.TypeStdin), ch.Writer(protocol.TypeStdout), place,
			files.Options{Recursive: true}, nil)
		fakedaemon.Exited(ch, 0)
	})
	l.in.WriteString("put " + here + "\nput 'no\nafterwards\n")
	l.in.Close()
	r, _, errs := l.end(t)
	text, err := os.ReadFile(filepath.Join(there, "here"))
	if r.code != 5 || string(text) != "text" || err != nil ||
		!strings.Contains(errs, "a quote is not closed") {
		t.Errorf("%+v, %q, %v, %q", r, text, err, errs)
	}
}

// The end of the context is the end of the prompt.
func TestPromptCancelled(t *testing.T) {
	m := fakedaemon.NewMemory(t, nil)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	defer r.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrUnexpectedEOF)
	if code, err := prompt.Over(ctx, m.Connect(t), prompt.Config{Stdin: r}); code != 255 ||
		err != io.ErrUnexpectedEOF {
		t.Errorf("%d, %v", code, err)
	}
}

// A line that cannot be sent, a directory that is gone, and pty without a terminal end their line
// alone; after the second, lines begin in the home directory again.
func TestLinesThatCannotBe(t *testing.T) {
	dirs := make(chan string, 8)
	l := newLines(t, func(ch *mux.Channel) {
		dirs <- string(ch.Request().Dir)
		switch string(ch.Request().Command) {
		case "gone":
			ch.Close(&protocol.Reason{Code: protocol.CodeNoDirectory})
		case "cd":
			fakedaemon.Begin(ch, "")
			ch.End(&protocol.Exit{How: protocol.HowExited, Code: new(int),
				Dir: protocol.Bytes("/tmp")})
		default:
			fakedaemon.Begin(ch, "")
			fakedaemon.Exited(ch, 6)
		}
	})
	l.in.WriteString("cd\n\x00\npty vi\ngone\nlast\n")
	l.in.Close()
	r, _, errs := l.end(t)
	if r.code != 6 || r.err != nil {
		t.Errorf("%+v", r)
	}
	for _, want := range []string{"", "/tmp", ""} {
		if got := <-dirs; got != want {
			t.Errorf("in %q, not %q", got, want)
		}
	}
	for _, want := range []string{"a command cannot hold a zero byte",
		"pty needs a terminal, and these lines come from elsewhere",
		"the directory cannot be entered any more"} {
		if strings.Count(errs, want) != 1 {
			t.Errorf("lacks %q: %s", want, errs)
		}
	}
}
