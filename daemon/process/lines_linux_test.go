package process

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"minissh/protocol"
)

// told is a shell that is told lines, with what it says between them.
type told struct {
	*Lines
	t       *testing.T
	between *heard
}

// heard collects what is written.
type heard struct {
	mu   sync.Mutex
	text [3]strings.Builder
}

func (h *heard) put(stream int, p []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text[stream].Write(p)
}

func (h *heard) of(stream int) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text[stream].String()
}

// tellShell starts a shell of that name with an empty home.
func tellShell(t *testing.T, name string, pty bool) *told {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip("not run: needs ", name)
	}
	return tellShellAt(t, path, t.TempDir(), pty)
}

// tellShellAt starts a shell with that home.
func tellShellAt(t *testing.T, path, home string, pty bool) *told {
	t.Helper()
	spec := Spec{Path: path, Dir: home, Env: []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"),
		"LANG=C.UTF-8", "TERM=dumb"}}
	if pty {
		spec.PTY = &PTY{}
	}
	l, err := StartLines(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	s := &told{l, t, &heard{}}
	for number, from := range map[int]io.Reader{1: l.Stdout, 2: l.Stderr} {
		go io.Copy(writer(func(p []byte) { s.between.put(number, p) }), from)
	}
	t.Cleanup(func() { l.End() })
	return s
}

type writer func([]byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }

// tell has a line run, and gives what it wrote.
func (s *told) tell(text string, kind LineKind) (LineEnd, *heard) {
	s.t.Helper()
	got := &heard{}
	line, err := s.Begin(s.t.Context(), kind, nil, []byte(text), got.put)
	if err != nil {
		s.t.Fatalf("%q: %v", text, err)
	}
	return s.wait(line, text), got
}

func (s *told) wait(line *Line, text string) LineEnd {
	s.t.Helper()
	select {
	case <-line.Ended:
		return line.End()
	case <-time.After(patience):
		s.t.Fatalf("%q does not end", text)
		panic("unreachable")
	}
}

// tellable are the shells that are told lines.
var tellable = []string{"bash", "dash", "sh", "zsh"}

func TestLinesKeepState(t *testing.T) {
	for _, name := range tellable {
		for _, pty := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " ", pty), func(t *testing.T) {
				s := tellShell(t, name, pty)
				for _, line := range []struct {
					text, out string
					code      int
				}{
					{"x=5; f() { echo \"f $x $1\"; }", "", 0},
					{"f 'a  b'", "f 5 a  b\n", 0},
					{"false", "", 1},
					{"echo $?", "1\n", 0},
					{"cd /usr", "", 0},
					{"pwd", "/usr\n", 0},
					{"alias ll='echo LL'", "", 0},
					{"ll", "LL\n", 0},
					{"umask 027", "", 0},
					{"umask | tail -c 4", "027\n", 0},
					{"cat <<X\na $x\nb\nX", "a 5\nb\n", 0},
					{"for i in 1 2\ndo\necho $i\ndone", "1\n2\n", 0},
					{"(exit 7)", "", 7},
					{"cat", "", 0},
					{"echo 'é 中文' \"$(echo sub)\" | cat", "é 中文 sub\n", 0},
					{"", "", 0},
					{"sleep 0.01 & wait; echo waited", "waited\n", 0},
				} {
					end, got := s.tell(line.text, PlainLine)
					if end.ShellEnded || end.Code != line.code || got.of(1) != line.out {
						t.Errorf("%q: %+v, out %q, err %q", line.text, end, got.of(1), got.of(2))
					}
				}
				end, _ := s.tell("cd -", PlainLine)
				if string(end.OldDir) != "/usr" || end.Dir == nil {
					t.Errorf("%q, before %q", end.Dir, end.OldDir)
				}
				if end, _ := s.tell("unset PWD", PlainLine); end.Dir == nil {
					t.Error("a shell without PWD tells no directory")
				}
				_, got := s.tell("nosuch", PlainLine)
				if !strings.Contains(got.of(2), "not found") || got.of(1) != "" {
					t.Errorf("%q %q", got.of(1), got.of(2))
				}
				all := s.between.of(1) + s.between.of(2)
				if all != "" && !strings.HasPrefix(all, "[1]") { // of the job it tells late
					t.Errorf("between lines it says %q", all)
				}
			})
		}
	}
}

// Ctrl-C ends a line and nothing else: a program, a list, a loop of programs, and what the shell
// does itself; also one that ignores it, by KILL.
func TestLinesInterrupted(t *testing.T) {
	for _, name := range tellable {
		for _, pty := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " ", pty), func(t *testing.T) {
				s := tellShell(t, name, pty)
				s.tell("kept=yes", PlainLine)
				// What has just been forked may miss a signal; this says when it runs.
				const runs = "sh -c 'echo go; exec sleep 1000'"
				for _, text := range []string{runs, runs + "; " + runs,
					"while :; do " + runs + "; done", "echo go; while :; do :; done"} {
					line, got := s.begin(text)
					got.await(t, 1, "go\n")
					line.Signal("INT")
					if end := s.wait(line, text); end.ShellEnded || end.Code == 0 {
						t.Errorf("%q: %+v", text, end)
					}
				}
				if pty {
					line, got := s.begin(`sh -c 'trap "" INT; echo go; exec sleep 1000'`)
					got.await(t, 1, "go\n")
					line.Signal("INT")
					line.Signal("KILL")
					if end := s.wait(line, "KILL"); end.ShellEnded || end.Code == 0 {
						t.Errorf("KILL: %+v", end)
					}
				}
				end, got := s.tell("echo $kept", PlainLine)
				if got.of(1) != "yes\n" || end.Code != 0 {
					t.Errorf("%+v %q", end, got.of(1))
				}
			})
		}
	}
}

func (s *told) begin(text string) (*Line, *heard) {
	s.t.Helper()
	got := &heard{}
	line, err := s.Begin(s.t.Context(), PlainLine, nil, []byte(text), got.put)
	if err != nil {
		s.t.Fatal(err)
	}
	return line, got
}

// await waits for a text in a stream.
func (h *heard) await(t *testing.T, stream int, text string) {
	t.Helper()
	for late := time.After(patience); !strings.Contains(h.of(stream), text); {
		select {
		case <-time.After(time.Millisecond):
		case <-late:
			t.Fatalf("%q, without %q", h.of(stream), text)
		}
	}
}

// Errors that throw a line away leave the shell as it was.
func TestLinesWithErrors(t *testing.T) {
	for _, name := range tellable {
		t.Run(name, func(t *testing.T) {
			s := tellShell(t, name, true)
			for _, text := range []string{"echo (", "if true; then", "echo 'open", "echo \"open",
				"echo `open", "echo \"$(", "}", "cat <<X", "echo ${x:?gone}; echo not",
				". /nonexistent", "readonly r=1; r=2", "fi"} {
				end, got := s.tell(text, PlainLine)
				if end.ShellEnded || end.Code == 0 && text != "cat <<X" {
					t.Errorf("%q: %+v, %q", text, end, got.of(2))
				}
				for stream := range 3 {
					if strings.Contains(got.of(stream), "minissh_") ||
						text != "}" && strings.Contains(got.of(stream), "`}'") {
						t.Errorf("%q says %q", text, got.of(stream))
					}
				}
				if _, got := s.tell("echo on", PlainLine); got.of(1) != "on\n" {
					t.Errorf("after %q: %q %q", text, got.of(1), got.of(2))
				}
			}
		})
	}
}

// A line on the terminal has it for all its streams, and what the shell knows; Ctrl-C, sizes and
// ends of input are the terminal's.
func TestLinesOnTheTerminal(t *testing.T) {
	for _, name := range tellable {
		t.Run(name, func(t *testing.T) {
			s := tellShell(t, name, true)
			s.tell("kept=yes", PlainLine)
			got := &heard{}
			line, err := s.Begin(t.Context(), TerminalLine, nil,
				[]byte(`test -t 0 && test -t 1 && test -t 2 && echo "go $kept"; cat; stty size`),
				got.put)
			if err != nil {
				t.Fatal(err)
			}
			got.await(t, 0, "go yes\r\n")
			s.Resize(protocol.Size{Rows: 7, Cols: 33})
			if _, err := s.Begin(t.Context(), TerminalLine, &protocol.Size{Rows: 8, Cols: 8}, nil,
				got.put); err != ErrLineRuns { // whose size is not for this line
				t.Error(err)
			}
			s.Keys().Write([]byte("typed\n\x04"))
			if end := s.wait(line, "cat"); end.Code != 0 || end.ShellEnded {
				t.Errorf("%+v", end)
			}
			if text := got.of(0); text != "go yes\r\ntyped\r\ntyped\r\n7 33\r\n" {
				t.Errorf("%q", text)
			}
			if text := got.of(1) + got.of(2); text != "" {
				t.Errorf("beside the terminal: %q", text)
			}
			line, _ = s.Begin(t.Context(), TerminalLine, &protocol.Size{Rows: 9, Cols: 44},
				[]byte("stty size; sh -c 'echo go; exec cat'"), got.put)
			got.await(t, 0, "9 44\r\ngo\r\n")
			s.Keys().Write([]byte("\x03"))
			if end := s.wait(line, "Ctrl-C"); end.Code == 0 || end.ShellEnded {
				t.Errorf("Ctrl-C: %+v", end)
			}
			if _, got := s.tell("echo $kept", PlainLine); got.of(1) != "yes\n" {
				t.Errorf("%q", got.of(1))
			}
		})
	}
}

// What jobs write while no line runs is apart, and what a line has written is its own to the last
// byte.
func TestLinesAndJobs(t *testing.T) {
	for _, name := range tellable {
		t.Run(name, func(t *testing.T) {
			s := tellShell(t, name, true)
			gate := t.TempDir() + "/gate"
			if err := syscall.Mkfifo(gate, 0o600); err != nil {
				t.Fatal(err)
			}
			s.tell("{ read x; echo late; } <"+gate+" &", PlainLine)
			end, got := s.tell("head -c 300000 /dev/zero; echo end", PlainLine)
			if text := got.of(1); len(text) != 300004 || end.Code != 0 {
				t.Errorf("%+v, %d bytes", end, len(text))
			}
			if err := os.WriteFile(gate, []byte("x\n"), 0); err != nil {
				t.Fatal(err)
			}
			s.between.await(t, 1, "late\n")
			if _, got := s.tell("wait; jobs", PlainLine); strings.Contains(got.of(1), "unning") {
				t.Errorf("%q", got.of(1))
			}
			line, _ := s.begin("sleep 1000 & echo $!")
			s.wait(line, "&")
			line, got = s.begin("echo go; fg")
			got.await(t, 1, "go\n")
			line.Signal("INT")
			if end := s.wait(line, "fg"); end.Code == 0 || end.ShellEnded {
				t.Errorf("fg: %+v", end)
			}
		})
	}
}

// A shell that ends during a line, in any way, is told; no line can follow.
func TestLinesOfAShellThatEnds(t *testing.T) {
	for _, name := range tellable {
		for text, want := range map[string]Result{
			"exit 3": {How: Exited, Code: 3}, "exec sh -c 'exit 4'": {How: Exited, Code: 4},
			"kill -9 $$": {How: Signalled, Signal: "KILL", Number: 9},
		} {
			t.Run(name+" "+text, func(t *testing.T) {
				s := tellShell(t, name, true)
				end, _ := s.tell(text, PlainLine)
				r := s.Result()
				if !end.ShellEnded || r.How != want.How || r.Code != want.Code ||
					r.Signal != want.Signal {
					t.Errorf("%+v, %+v", end, r)
				}
				if _, err := s.Begin(t.Context(), PlainLine, nil, nil, nil); err != ErrFinished {
					t.Errorf("%v", err)
				}
			})
		}
		t.Run(name+" end of input", func(t *testing.T) {
			s := tellShell(t, name, true)
			s.tell("true", PlainLine)
			s.Stdin.Close()
			result(t, s.Process)
		})
	}
}

func TestLineNames(t *testing.T) {
	mkfifo := "" // of a user who has programs at home
	if bin, err := user.Lookup("bin"); err == nil && bin.HomeDir == "/bin" {
		mkfifo = "~bin/mkfifo\n"
	}
	for _, name := range tellable {
		t.Run(name, func(t *testing.T) {
			s := tellShell(t, name, true)
			s.tell("mkdir 'a b' abc; touch 'abd' .hid; my_var=1; HOME=$PWD", PlainLine)
			s.tell("(exit 9)", PlainLine)
			for ask, want := range map[string]string{
				"path\nab": "abc/\nabd\n", "path\na": "a b/\nabc/\nabd\n", "path\n.h": ".hid\n",
				"path\n~/ab": "~/abc/\n~/abd\n", "path\nzzz": "", "path\n/usr/bi": "/usr/bin/\n",
				"variable\nmy_v": "my_var\n", "command\nmkfif": "mkfifo\n",
				"path\n~bin/mkfif": mkfifo, "path\n~$(touch abuse)/a": "", "path\n~x'/a": "",
				"path\nabu": "", "path\n$HOME/ab": "$HOME/abc/\n$HOME/abd\n",
				"path\n$(touch abuse)/a": "", "path\n$nosuch/usr/bi": "",
				"path\n./$HOME/ab": "",
			} {
				end, got := s.tell(ask, NameLine)
				if text := strings.TrimPrefix(got.of(1), "\n"); text != want || end.Code != 9 {
					t.Errorf("%q: %+v, %q, %q", ask, end, text, got.of(2))
				}
			}
			_, got := s.tell("echo $?", PlainLine)
			if got.of(1) != "9\n" {
				t.Errorf("asking has changed the status: %q", got.of(1))
			}
		})
	}
}

// A line that its opener does not want ends within seconds, whatever it does, and the shell goes on
// unless the line is its own doing.
func TestLineStopped(t *testing.T) {
	s := tellShell(t, "bash", true)
	line, got := s.begin("echo go; sleep 1000; sleep 1000")
	got.await(t, 1, "go\n")
	line.Stop(t.Context())
	if end := s.wait(line, "stopped"); end.ShellEnded {
		t.Errorf("%+v", end)
	}
	line, got = s.begin(`trap '' INT; echo go; while :; do :; done`)
	got.await(t, 1, "go\n")
	hurried, cancel := context.WithCancel(t.Context())
	cancel()
	line.Stop(hurried)
	if end := s.wait(line, "stopped"); !end.ShellEnded {
		t.Errorf("%+v", end)
	}
}
