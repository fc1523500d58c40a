//go:build linux

package prompt

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"minissh/client/faketerminal"
)

// terminal is the child on a pty whose other end is a model.
type childTerminal struct {
	t    *testing.T
	cmd  *exec.Cmd
	pty  *os.File
	mu   sync.Mutex
	m    *faketerminal.Terminal
	news chan struct{} // something came; closed at the end
}

func start(t *testing.T, w, h int, env ...string) *childTerminal {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append([]string{"PROMPT_TEST_CHILD=1", "TERM=xterm", "SHELL=/bin/sh",
		"PATH=/usr/bin:/bin", "HOME=/nonexistent",
		"GOCOVERDIR=" + t.TempDir()}, env...)
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: uint16(w), Rows: uint16(h)})
	if err != nil {
		t.Skip("not run: needs a pty: ", err)
	}
	s := &childTerminal{t: t, cmd: cmd, pty: master, m: faketerminal.New(w, h),
		news: make(chan struct{}, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(s.news)
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			s.mu.Lock()
			s.m.Write(buf[:n])
			s.mu.Unlock()
			if err != nil { // EIO: the last process has gone
				return
			}
			select {
			case s.news <- struct{}{}:
			default:
			}
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		<-done
		master.Close()
	})
	return s
}

func (s *childTerminal) send(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.pty, keys); err != nil {
		s.t.Fatal(err)
	}
}

// until waits for the screen to satisfy ok.
func (s *childTerminal) until(what string, ok func(m *faketerminal.Terminal) bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for {
		s.mu.Lock()
		good, text, x, y := ok(s.m), s.m.Text(), s.m.X, s.m.Y
		s.mu.Unlock()
		if good {
			return
		}
		select {
		case _, open := <-s.news:
			if open {
				continue
			}
			s.mu.Lock()
			good, text = ok(s.m), s.m.Text()
			s.mu.Unlock()
			if good {
				return
			}
		case <-ctx.Done():
		}
		s.t.Fatalf("never saw %s; cursor %d,%d, screen:\n%s", what, x, y, text)
	}
}

// screen waits for exactly this text.
func (s *childTerminal) screen(want string) {
	s.t.Helper()
	s.until(fmt.Sprintf("%q", want),
		func(m *faketerminal.Terminal) bool { return m.Text() == want })
}

// shows waits for a part of the text.
func (s *childTerminal) shows(want string) {
	s.t.Helper()
	s.until(fmt.Sprintf("%q", want),
		func(m *faketerminal.Terminal) bool { return strings.Contains(m.Text(), want) })
}

// text is what the screen shows now, raw all that ever came.
func (s *childTerminal) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.m.Text()
}

func (s *childTerminal) raw() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.m.Raw.String()
}

// cooked tells whether the terminal is in its normal mode.
func (s *childTerminal) cooked() bool {
	tio, err := unix.IoctlGetTermios(int(s.pty.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	const lflag = unix.ICANON | unix.ECHO | unix.ISIG
	return tio.Lflag&lflag == lflag && tio.Oflag&unix.OPOST != 0 && tio.Iflag&unix.ICRNL != 0
}

func TestSession(t *testing.T) {
	s := start(t, 40, 20, "NO_COLOR=1")
	s.screen("li@lab:~$")
	if s.cooked() {
		t.Error("the terminal is not in raw mode while a line is edited")
	}
	s.send("echo 你好，世界" + faketerminal.Left + faketerminal.Left + "\x7f\x7f!" +
		faketerminal.Home + faketerminal.End + "?\r")
	s.screen("li@lab:~$ echo 你!世界?\n你!世界?\nli@lab:~$")
	s.send("cd /home/li/项目\r")
	s.shows("li@lab:~/项目$")
	s.send("cd /etc/\x1b[31m\rpart half\r")
	s.shows("half\nli@lab:/etc/$")
	s.send("code 7\r")
	s.shows("[exit 7, 1.2 s]")
	s.send("partcode 8\r")
	s.shows("\nhalf\n[exit 8]")
	s.send("signal TERM\r")
	s.shows(`minissh: a note\x1b[m` + "\n[ended by signal TERM, 5 ms]")
	s.send("refused\r")
	s.shows("minissh: too many channels")
	s.send("exit\r")
	s.shows("LOOP 255 <nil>")
}

func TestQuotedDirectory(t *testing.T) {
	s := start(t, 60, 8, "NO_COLOR=1")
	// A directory cannot hold what was typed here; the runner takes it as it is.
	s.send("\x1b[200~cd /tmp/a\nb\x1b[201~\r")
	s.shows(`li@lab:/tmp/a\nb$`)
}

// TestInterrupts: Ctrl-C stops the command and not the prompt, and drops a line
// that is being edited.
func TestInterrupts(t *testing.T) {
	s := start(t, 40, 30, "NO_COLOR=1")
	s.send("sleep\r")
	s.shows("sleeping")
	if !s.cooked() {
		t.Error("the terminal is not in its normal mode while a command runs")
	}
	s.send("\x03")
	s.shows("interrupt 1\n[ended by signal INT]\nli@lab:~$")
	s.send("stubborn\r")
	s.shows("stubborn\nsleeping")
	s.send("\x03")
	s.until("the first", func(m *faketerminal.Terminal) bool {
		return strings.Count(m.Text(), "interrupt 1") == 2
	})
	s.send("\x03")
	s.shows("interrupt 2\n[ended by signal INT]\nli@lab:~$")
	s.send("echo dropped\x03")
	s.shows("echo dropped^C\nli@lab:~$")
	s.send("get x\r")
	s.shows("getting x in /home/li")
	s.send("\x03")
	s.shows("^C\n[exit 130]\nli@lab:~$")
	s.send("stubborn\r")
	s.until("a third", func(m *faketerminal.Terminal) bool {
		return strings.Count(m.Text(), "sleeping") == 3
	})
	s.send("\x1c") // Ctrl-\
	s.until("the prompt after it", func(m *faketerminal.Terminal) bool {
		return strings.Count(m.Text(), "interrupt 2") == 2 && strings.HasSuffix(m.Text(), "$")
	})
	s.send("\x04")
	s.shows("LOOP 130 <nil>")
	if strings.Contains(s.text(), "\ndropped") {
		t.Error("a dropped line was run")
	}
}

// TestRestored: whatever ends the loop, the terminal is in its normal mode.
func TestRestored(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(s *childTerminal)
		want string
	}{
		{"Ctrl-D", func(s *childTerminal) { s.send("\x04") }, "LOOP 0 <nil>"},
		{"exit", func(s *childTerminal) { s.send("exit 9\r") }, "LOOP 9 <nil>"},
		{"lost while it runs", func(s *childTerminal) { s.send("lost\r") }, "LOOP 255 the link is lost"},
		{"lost while editing", func(s *childTerminal) { s.send("drop\t") }, "LOOP 255 the link is lost"},
		{"panic", func(s *childTerminal) { s.send("boom\t") }, "PANIC boom"},
		{"SIGTERM", func(s *childTerminal) { s.cmd.Process.Signal(syscall.SIGTERM) }, "LOOP 143 ended by the signal: terminated"},
		{"SIGHUP", func(s *childTerminal) { s.cmd.Process.Signal(syscall.SIGHUP) }, "LOOP 129 ended by the signal: hangup"},
		{"SIGTERM while it runs", func(s *childTerminal) {
			s.send("sleep\r")
			s.shows("sleeping")
			s.cmd.Process.Signal(syscall.SIGTERM)
			s.shows("stopped")
		}, "LOOP 143 ended by the signal: terminated"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, 60, 10)
			s.shows("li@lab:~$")
			test.end(s)
			s.shows(test.want)
			if !s.cooked() {
				t.Error("the terminal stays in raw mode")
			}
			if raw := s.raw(); strings.Count(raw, "\x1b[?2004h") != strings.Count(raw,
				"\x1b[?2004l") {
				t.Error("the marking of pastes stays on")
			}
		})
	}
}

func TestColors(t *testing.T) {
	s := start(t, 60, 10)
	s.send("err bad\rcode 3\r")
	s.shows("[exit 3, 1.2 s]\nli@lab:~$")
	s.send("\x04")
	s.shows("LOOP 3")
	raw := s.raw()
	for _, want := range []string{"\x1b[31mbad\r\n\x1b[0m", "\x1b[2m[exit 3, 1.2 s]\x1b[0m",
		"\x1b[1mli@lab:~$ \x1b[0m"} {
		if !strings.Contains(raw, want) {
			t.Errorf("%q is not in %q", want, raw)
		}
	}
}

func TestDumbTerminal(t *testing.T) {
	s := start(t, 60, 10, "TERM=dumb")
	s.shows("li@lab:~$")
	s.send("echo 你\n")
	s.shows("\n你\nli@lab:~$")
	s.send("show 'a\n")
	s.shows("'a\n>")
	s.send("b'\n")
	s.shows("\n\"show 'a\\nb'\"\nli@lab:~$")
	s.send("echo !$\n")
	s.shows("\necho 'a\nb'\n'a\nb'\nli@lab:~$")
	s.send("half\x03")
	s.shows("^C\nli@lab:~$") // the kernel may have thrown away the echo of "half"
	s.send("exit\n")
	s.shows("LOOP 0 <nil>")
	if strings.Contains(s.raw(), "\x1b") {
		t.Error("an escape sequence was sent")
	}
}

func TestHelpAndHistory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state", "minissh", "history")
	s := start(t, 100, 40, "NO_COLOR=1", "PROMPT_TEST_HISTORY="+file, "PROMPT_TEST_GREETING=1")
	s.shows("minissh: connected to li@lab; help says what you can type")
	s.send("help\r")
	s.shows("get FILE           fetch a file")
	s.send("echo 一\r secret\r\x1b[200~echo a\nb\x1b[201~\rhistory\r")
	s.shows("    1  help\n    2  echo 一\n    3  echo a\nb\n    4  history\nli@lab:~$")
	s.send("!echo here; exit 4\r")
	s.shows("\nhere\n[exit 4]")
	s.send("!\r")
	s.shows("minissh: after ! comes a command for this machine: !ls")
	s.send("exit 300\r")
	s.shows("minissh: exit takes a status from 0 to 255, and not 300")
	s.send("quit\r")
	s.shows("LOOP 255 <nil>")

	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
	s = start(t, 60, 20, "NO_COLOR=1", "PROMPT_TEST_HISTORY="+file)
	s.shows("li@lab:~$")
	s.send(strings.Repeat(faketerminal.Up, 8) + "\r") // one of them has two rows
	s.shows("li@lab:~$ echo 一\n一\nli@lab:~$")
}

// TestTypedAhead: lines that are typed while a command runs are run after it.
func TestTypedAhead(t *testing.T) {
	s := start(t, 40, 20, "NO_COLOR=1")
	s.send("echo 1\recho 2\rshow 3\r")
	s.shows("\n1\nli@lab:~$ echo 2\n2\nli@lab:~$ show 3\n\"show 3\"\nli@lab:~$")
	// But not after Ctrl-C.
	s.send("sleep\recho later\r")
	s.shows("sleeping")
	s.send("\x03")
	s.shows("signal INT]\nli@lab:~$")
	s.send("echo 4\r")
	s.shows("\n4\nli@lab:~$")
	if strings.Contains(s.text(), "later") {
		t.Error("a line that was typed ahead is run after Ctrl-C")
	}
}

// TestOutputBeside: output of what an earlier line left running is shown above the edited line,
// which loses nothing.
func TestOutputBeside(t *testing.T) {
	s := start(t, 40, 20, "NO_COLOR=1")
	s.screen("li@lab:~$")
	s.send("job\r")
	s.screen("li@lab:~$ job\nli@lab:~$")
	s.send("wake\t")
	s.screen("li@lab:~$ job\nfrom\nthe job\nli@lab:~$ wake")
	s.send("\x15half\t")
	s.screen("li@lab:~$ job\nfrom\nthe job\nhalf a row\nli@lab:~$ half")
	s.send("\x15echo 你" + faketerminal.Left + "!\r")
	s.screen("li@lab:~$ job\nfrom\nthe job\nhalf a row\nli@lab:~$ echo !你\n!你\nli@lab:~$")
}
