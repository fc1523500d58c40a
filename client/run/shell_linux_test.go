package run_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"minissh/client/dial"
	"minissh/client/fakedaemon"
	"minissh/client/run"
	"minissh/client/terminal"
	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

// screen is a terminal with a shell of a daemon in memory on it.
type screen struct {
	t      *testing.T
	daemon *fakedaemon.Memory
	conn   *dial.Connection
	keys   *os.File // what is typed goes there
	tty    *os.File // the same terminal, as the client has it
	shown  *fakedaemon.Messages
	errs   *fakedaemon.Messages
	result chan ended
}

type ended struct {
	outcome *run.Outcome
	left    *run.Left
	err     error
}

// newScreen shows what far does on a terminal. far is the far end of the channel.
func newScreen(t *testing.T, far func(*mux.Channel)) *screen {
	t.Helper()
	return newScreenOn(t, far, nil)
}

// newScreenOn is newScreen with a writer of the test's own for what is shown.
func newScreenOn(t *testing.T, far func(*mux.Channel), stdout io.Writer) *screen {
	t.Helper()
	daemon := fakedaemon.NewMemory(t, far)
	s := newScreenOf(t, daemon.Dialer, stdout)
	s.daemon = daemon
	return s
}

// forwarding has connections carry forwards.
func forwarding(to dial.Forwards) func(*dial.Connection) error {
	return func(conn *dial.Connection) error {
		conn.Forwards = to
		return nil
	}
}

// newScreenOf is newScreenOn with what makes the connection.
func newScreenOf(t *testing.T, dialer *dial.Dialer, stdout io.Writer) *screen {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skip("not run: needs a pty: ", err)
	}
	t.Cleanup(func() { master.Close(); slave.Close() })
	pty.Setsize(master, &pty.Winsize{Rows: 24, Cols: 80})
	s := &screen{
		t: t, keys: master, tty: slave,
		shown: new(fakedaemon.Messages), errs: new(fakedaemon.Messages),
		result: make(chan ended, 1),
	}
	if stdout == nil {
		stdout = s.shown
	}
	s.conn, err = dialer.Dial(t.Context(), func(*mux.Session) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.conn.Session.Close(nil) })
	local := terminal.New(slave)
	ch, err := s.conn.Session.Open(run.PTY(&protocol.Open{Service: "exec", Shell: true},
		s.conn.Options, local))
	if err != nil {
		t.Fatal(err)
	}
	shell, err := run.NewShell(s.conn, ch, local, slave, stdout, s.errs)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		var e ended
		e.outcome, e.left, e.err = shell.Run(t.Context())
		s.result <- e
	}()
	return s
}

// end waits until the shell has ended.
func (s *screen) end() ended {
	s.t.Helper()
	select {
	case e := <-s.result:
		return e
	case <-time.After(fakedaemon.Patience):
		s.t.Fatal("the shell goes on")
		panic("unreachable")
	}
}

// typed reads what was typed until it ends with text; "" if it never does.
func typed(ch *mux.Channel, text string) string {
	var all []byte
	for !bytes.HasSuffix(all, []byte(text)) {
		e, err := ch.Take()
		if err != nil || e.EOF {
			return ""
		}
		all = append(all, e.Data...)
	}
	return string(all)
}

// Keys go to the command as they are typed, what it writes is shown, its exit code comes back, and
// the terminal is as it was.
func TestShell(t *testing.T) {
	asked := make(chan *protocol.Open, 1)
	s := newScreen(t, func(ch *mux.Channel) {
		request := *ch.Request() // which is gone when this function returns
		asked <- &request
		fakedaemon.Begin(ch, "/dev/pts/9")
		ch.Write(protocol.TypeStdout, []byte("$ "))
		if typed(ch, "\r") == "l\x03s\r" {
			ch.Write(protocol.TypeStdout, []byte("a b\r\n"))
		}
		fakedaemon.Exited(ch, 3)
	})
	before := terminalMode(t, s.tty)
	if open := <-asked; open.PTY == nil || open.PTY.Size.Rows != 24 || open.PTY.Size.Cols != 80 ||
		!open.Shell {
		t.Errorf("%+v", open)
	}
	awaitRaw(t, s)
	s.keys.WriteString("l\x03s\r")
	if e := s.end(); e.err != nil || e.left != nil || e.outcome.ExitCode() != 3 {
		t.Errorf("%+v", e)
	}
	if s.shown.String() != "$ a b\r\n" || s.daemon.Said.String() != "" {
		t.Errorf("shown %q, said %q", s.shown, s.daemon.Said)
	}
	if after := terminalMode(t, s.tty); after.Lflag != before.Lflag &&
		before.Lflag&syscall.ICANON != 0 {
		t.Errorf("the terminal is in another mode: %x, before %x", after.Lflag, before.Lflag)
	}
}

// trying is a terminal's output that can be written to without waiting.
type trying struct {
	fakedaemon.Messages
	tried atomic.Int32
}

var _ mux.TryWriter = (*trying)(nil)

func (w *trying) TryWrite(p []byte) int {
	w.tried.Add(1)
	n, _ := w.Write(p)
	return n
}

// What the other side echoes is shown by whoever reads the link, without waiting, where the
// terminal allows that.
func TestShellShowsAtOnce(t *testing.T) {
	stdout := new(trying)
	s := newScreenOn(t, func(ch *mux.Channel) {
		fakedaemon.Begin(ch, "/dev/pts/9")
		for {
			e, err := ch.Take()
			if err != nil || e.EOF || bytes.HasSuffix(e.Data, []byte("\r")) {
				break
			}
			ch.Write(protocol.TypeStdout, e.Data)
		}
		fakedaemon.Exited(ch, 0)
	}, stdout)
	awaitRaw(t, s)
	keys := 0
	testend.Until(t, "an echo is shown without waiting", func() bool {
		s.keys.WriteString("k")
		keys++
		return stdout.tried.Load() > 0
	})
	s.keys.WriteString("\r")
	if e := s.end(); e.err != nil || e.outcome.ExitCode() != 0 {
		t.Errorf("%+v", e)
	}
	if text := stdout.String(); len(text) > keys || strings.Trim(text, "k") != "" {
		t.Errorf("%d keys were shown as %q", keys, text)
	}
}

// awaitRaw waits until the terminal is in raw mode.
func awaitRaw(t *testing.T, s *screen) {
	t.Helper()
	testend.Until(t, "the terminal is in raw mode",
		func() bool { return terminalMode(t, s.tty).Lflag&syscall.ICANON == 0 })
}

// Escapes are for the client: ~? lists them, ~~ is one tilde, ~. leaves, and then the daemon learns
// that the command is not wanted any more.
func TestShellEscapes(t *testing.T) {
	got, gone := make(chan string, 1), make(chan bool, 1)
	s := newScreen(t, func(ch *mux.Channel) {
		fakedaemon.Begin(ch, "/dev/pts/9")
		got <- typed(ch, "\r")
		<-ch.Gone()
		gone <- !ch.SessionEnded()
		ch.Close(nil)
	})
	awaitRaw(t, s)
	s.keys.WriteString("~?~~x\r")
	if text := <-got; text != "~x\r" {
		t.Errorf("the daemon got %q", text)
	}
	s.keys.WriteString("~.") // not sooner: who leaves does not wait for what is on its way
	e := s.end()
	if e.left == nil || e.left.Outcome != nil || e.err != nil {
		t.Errorf("%+v", e)
	}
	if said := s.daemon.Said.String(); !strings.Contains(said, "Supported escape sequences:\r\n") ||
		!strings.HasSuffix(said, "~.\r\n") {
		t.Errorf("said %q", said)
	}
	if !<-gone {
		t.Error("the session has ended before the channel")
	}
}

// added are the forwards of a session.
type added struct{ lines chan string }

func (*added) Linger() {}

func (a *added) Command(_ context.Context, line string) (string, error) {
	a.lines <- line
	return "Forwarding\nport.", nil
}

func (*added) List() (forwards, connections []string) {
	return []string{"-L 1:a:2", "-D 3"}, []string{"here to there"}
}

// ~C reads a line for us while output waits, and the keys after it are for the other side again;
// ~# tells what is there.
func TestShellCommandLine(t *testing.T) {
	more, got := make(chan bool), make(chan string, 1)
	daemon := fakedaemon.NewMemory(t, func(ch *mux.Channel) {
		fakedaemon.Begin(ch, "/dev/pts/9")
		<-more
		ch.Write(protocol.TypeStdout, []byte("output"))
		got <- typed(ch, "\r")
		fakedaemon.Exited(ch, 0)
	})
	forwards := &added{make(chan string, 1)}
	daemon.Dialer.LoggedIn = forwarding(forwards)
	s := newScreenOf(t, daemon.Dialer, nil)
	s.daemon = daemon
	awaitRaw(t, s)
	s.keys.WriteString("~#~C-L 1")
	testend.Until(t, "the line is shown", func() bool {
		return strings.HasSuffix(s.daemon.Said.String(), "\r\nminissh> -L 1")
	})
	more <- true
	s.keys.WriteString(":a:2")
	testend.Until(t, "more of it is shown", func() bool {
		return strings.HasSuffix(s.daemon.Said.String(), "minissh> -L 1:a:2")
	})
	if text := s.shown.String(); text != "" {
		t.Errorf("meanwhile %q was shown", text)
	}
	s.keys.WriteString("\rls\r")
	if line := <-forwards.lines; line != "-L 1:a:2" {
		t.Errorf("the line is %q", line)
	}
	if text := <-got; text != "ls\r" {
		t.Errorf("the daemon got %q", text)
	}
	if e := s.end(); e.outcome == nil || e.outcome.ExitCode() != 0 {
		t.Errorf("%+v", e)
	}
	if text := s.shown.String(); text != "output" {
		t.Errorf("%q was shown", text)
	}
	said := s.daemon.Said.String()
	for _, want := range []string{"~#\r\nThe following connections are open:\r\n  #",
		"\r\n  here to there\r\nForwarded: -L 1:a:2, -D 3\r\n", "Forwarding\r\nport.\r\n"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in %q", want, said)
		}
	}
}

// A new size of the window is told, once.
func TestShellResize(t *testing.T) {
	sizes := make(chan protocol.Size, 1)
	s := newScreen(t, func(ch *mux.Channel) {
		fakedaemon.Begin(ch, "/dev/pts/9")
		sizes <- <-ch.Resizes()
		fakedaemon.Exited(ch, 0)
	})
	awaitRaw(t, s)
	pty.Setsize(s.keys, &pty.Winsize{Rows: 50, Cols: 132})
	syscall.Kill(os.Getpid(), syscall.SIGWINCH)
	if size := <-sizes; size.Rows != 50 || size.Cols != 132 {
		t.Errorf("%+v", size)
	}
	if e := s.end(); e.err != nil || e.outcome.ExitCode() != 0 {
		t.Errorf("%+v", e)
	}
}

// A signal of ours leaves.
func TestShellHangUp(t *testing.T) {
	s := newScreen(t, func(ch *mux.Channel) {
		fakedaemon.Begin(ch, "/dev/pts/9")
		<-ch.Gone()
		ch.Close(nil)
	})
	awaitRaw(t, s) // after signals are taken
	syscall.Kill(os.Getpid(), syscall.SIGHUP)
	if e := s.end(); e.left == nil || e.err != nil {
		t.Errorf("%+v", e)
	}
}

// A lost link ends it, with its reason; the terminal is restored.
func TestShellLinkLost(t *testing.T) {
	s := newScreen(t, func(ch *mux.Channel) {
		fakedaemon.Begin(ch, "/dev/pts/9")
		<-ch.Gone()
	})
	awaitRaw(t, s)
	s.daemon.Cut()
	var lost *mux.LinkLost
	if e := s.end(); !errors.As(e.err, &lost) || e.left != nil {
		t.Errorf("%+v", e)
	}
	if terminalMode(t, s.tty).Lflag&syscall.ICANON == 0 {
		t.Error("the terminal stays in raw mode")
	}
}

// If there is no pty on the other side, a message says so, the terminal is an ordinary one, and
// nothing that is typed is an escape. The first Ctrl-C asks, the second kills.
func TestShellWithoutPTY(t *testing.T) {
	signals, open := make(chan string, 2), make(chan bool)
	s := newScreen(t, func(ch *mux.Channel) {
		ch.Send(protocol.TypeOpened, &protocol.Opened{PID: 1})
		ch.Send(protocol.TypeNotice, &protocol.Notice{Notice: protocol.NoticePTYRefused,
			Message: "none\x1b[m is left"})
		if typed(ch, "\n") == "~.\n" {
			close(open)
		}
		for range 2 {
			e := <-ch.Requests()
			signals <- e.Message.(*protocol.Signal).Signal
		}
		ch.End(&protocol.Exit{How: protocol.HowSignalled, Signal: "KILL"})
	})
	for !strings.Contains(s.daemon.Said.String(), "PTY allocation request failed") {
		awaitCooked(t, s)
	}
	s.keys.WriteString("~.\n")
	<-open
	for _, want := range []string{"INT", "KILL"} {
		syscall.Kill(os.Getpid(), syscall.SIGINT)
		if got := <-signals; got != want {
			t.Errorf("%s instead of %s", got, want)
		}
	}
	if e := s.end(); e.err != nil || e.outcome.ExitCode() != 137 {
		t.Errorf("%+v", e)
	}
	fakedaemon.Plain(t, s.daemon.Said.String())
}

// awaitCooked waits a moment for what is told of a pty that was refused.
func awaitCooked(t *testing.T, s *screen) {
	t.Helper()
	select {
	case <-time.After(time.Millisecond):
	case e := <-s.result:
		t.Fatalf("it has ended: %+v", e)
	}
}

// What a command without a pty gets and gives, over the same connection: its input to the end, its
// two outputs apart.
func TestCommandOverMemory(t *testing.T) {
	d := fakedaemon.NewMemory(t, func(ch *mux.Channel) {
		fakedaemon.Begin(ch, "")
		text, _ := io.ReadAll(ch.Reader(protocol.TypeStdin))
		ch.Write(protocol.TypeStdout, bytes.ToUpper(text))
		ch.Write(protocol.TypeStderr, []byte("done"))
		fakedaemon.Exited(ch, 4)
	})
	d.Dialer.Options.Command = []string{"upper"}
	var out, errs bytes.Buffer
	loggedIn := 0
	code := run.Command(t.Context(), d.Dialer,
		run.Streams{Stdin: strings.NewReader("in"), Stdout: &out, Stderr: &errs},
		func() { loggedIn++ })
	if code != 4 || out.String() != "IN" || errs.String() != "done" || loggedIn != 1 {
		t.Errorf("%d, %q, %q, logged in %d times", code, out.String(), errs.String(), loggedIn)
	}
}

// -N stays until the session ends, and says why it did.
func TestHold(t *testing.T) {
	d := fakedaemon.NewMemory(t, nil)
	code := run.Hold(t.Context(), d.Dialer, func() { d.Cut() })
	if said := d.Said.String(); code != 255 ||
		!strings.Contains(said, "the connection to fake was lost") {
		t.Errorf("%d, %s", code, said)
	}
}
