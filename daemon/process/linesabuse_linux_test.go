package process

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"minissh/protocol/testend"
)

// An interrupt that comes before the shell has a line, or while it reads the text, ends the line.
// Nothing of that text runs, also not as a part of the lines that follow.
func TestLinesInterruptedWhileTold(t *testing.T) {
	for _, name := range tellable {
		for _, pty := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " ", pty), func(t *testing.T) {
				s := tellShell(t, name, pty)
				s.tell("echo before", PlainLine)
				for _, early := range []bool{true, false} {
					line, got := s.begin(strings.Repeat("echo ran\n1\n", 5_000))
					testend.Until(t, "the line has begun", func() bool {
						s.mu.Lock()
						defer s.mu.Unlock()
						return early || line.begun
					})
					line.Signal("INT")
					end := s.wait(line, "the text")
					if text := got.of(1); text != "" || end.Code == 0 || end.ShellEnded {
						t.Errorf("%+v, %q, %q", end, text[:min(100, len(text))], got.of(2))
					}
				}
				for range 3 {
					end, got := s.tell("echo mine", PlainLine)
					if text := got.of(1); text != "mine\n" || end.Code != 0 {
						t.Errorf("%+v, %q, %q", end, text[:min(100, len(text))], got.of(2))
					}
				}
			})
		}
	}
}

// A shell that reads nothing holds up neither who begins a line, nor who signals it, nor who reads
// its reports.
func TestLinesOfAShellThatIsStopped(t *testing.T) {
	s := tellShell(t, "bash", true)
	s.tell("true", PlainLine)
	if err := syscall.Kill(s.PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	line, got := s.begin(strings.Repeat("echo long\n", 10_000) + "exit 3")
	signalled := make(chan struct{})
	go func() {
		defer close(signalled)
		s.hasBegun()
		for range 2000 {
			s.again()
		}
		for range 100 {
			line.look("INT", 0)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(line.missed) != 1 {
			t.Errorf("%d look after one signal", len(line.missed))
		}
	}()
	select {
	case <-signalled:
	case <-time.After(patience):
		t.Fatal("a signal waits for the shell")
	}
	syscall.Kill(s.PID, syscall.SIGCONT)
	if end := s.wait(line, "the text"); !end.ShellEnded || s.Result().Code != 3 {
		t.Errorf("%+v, %+v, %q", end, s.Result(), got.of(2))
	}
}

// Signals before the shell has begun are kept, each once; KILL and CONT act at once.
func TestLineSignalledEarly(t *testing.T) {
	line := &Line{l: &Lines{}}
	for _, name := range []string{"INT", "TERM", "INT", "KILL", "CONT"} {
		if kept := name != "KILL" && name != "CONT"; line.tooEarly(name) != kept {
			t.Errorf("%s", name)
		}
	}
	if !slices.Equal(line.early, []string{"INT", "TERM"}) {
		t.Errorf("%q", line.early)
	}
	line.begun = true
	if line.tooEarly("INT") {
		t.Error("kept for ever")
	}
}

// Keys that no program of the line reads wait for nobody after its end, and the next line on the
// terminal gets its own.
func TestLinesTypedForNobody(t *testing.T) {
	s := tellShell(t, "bash", true)
	got := &heard{}
	for _, end := range []string{"first", "second"} {
		line, err := s.Begin(t.Context(), TerminalLine, nil, []byte("stty raw -echo; echo "+end+
			"; sh -c 'head -c 1 >/dev/null; echo read "+end+"; exec sleep 1000'"), got.put)
		if err != nil {
			t.Fatal(err)
		}
		got.await(t, 0, end)
		typed := make(chan error, 1)
		go func() {
			_, err := s.Keys().Write(make([]byte, 1<<20))
			typed <- err
		}()
		got.await(t, 0, "read "+end)
		line.Signal("INT")
		s.wait(line, end)
		select {
		case err := <-typed:
			if err == nil {
				t.Error("all was read")
			}
		case <-time.After(patience):
			t.Fatal("keys wait after the line's end")
		}
	}
}

// Lines may open descriptors that scripts are used to: the shell is told lines by others.
func TestLinesOpenDescriptors(t *testing.T) {
	for _, name := range tellable {
		t.Run(name, func(t *testing.T) {
			s := tellShell(t, name, false)
			for _, fd := range []string{"3", "4", "5", "6", "9"} {
				s.tell("echo kept >file"+fd+"; exec "+fd+"<>file"+fd, PlainLine)
				if end, got := s.tell("echo mine; cat file"+fd, PlainLine); got.of(1) !=
					"mine\nkept\n" || end.Code != 0 {
					t.Fatalf("%s: %+v, %q, %q", fd, end, got.of(1), got.of(2))
				}
			}
		})
	}
}

// A shell that a line has cut off from us ends: it would lose all lines that follow, and say
// nothing.
func TestLinesCloseDescriptors(t *testing.T) {
	all := "for fd in 3 4 5 6 7 8 9; do eval \"exec $fd>&-\"; done"
	for name, line := range map[string]string{"dash": all, "sh": all,
		"bash": "for ((fd = 3; fd < 255; fd++)); do eval \"exec $fd>&-\"; done",
		"zsh":  "for fd in {3..30}; do { exec {fd}>&- } 2>/dev/null; done"} {
		t.Run(name, func(t *testing.T) {
			s := tellShell(t, name, false)
			end, got := s.tell(line, PlainLine)
			if !end.ShellEnded || s.Result().Signal != "KILL" {
				t.Errorf("%+v, %+v, %q", end, s.Result(), got.of(2))
			}
		})
	}
}

// What is stopped in the middle of a line, so that its parent waits for ever and the shell sees
// nothing of it, gets an interrupt too. (fish: Ctrl-Z found a program between vfork and exec.)
func TestLinesInterruptWhatIsStopped(t *testing.T) {
	for _, name := range append(tellable, "fish") {
		t.Run(name, func(t *testing.T) {
			s := tellShell(t, name, true)
			line, got := s.begin(`sh -c 'trap : INT; sh -c "echo go; kill -STOP \$\$"; exit 3'`)
			got.await(t, 1, "go\n")
			testend.Until(t, "it is stopped", func() bool {
				stopped := false
				s.Process.members(func(p procStat) { stopped = stopped || p.state == 'T' })
				return stopped
			})
			line.Signal("INT")
			if name == "fish" { // it may still be busy with the stop, and need another
				testend.Until(t, "it ends", func() bool {
					line.Signal("INT")
					return over(line)
				})
			}
			if end := s.wait(line, "what is stopped"); end.ShellEnded || end.Code == 0 {
				t.Errorf("%+v, %q", end, got.of(2))
			}
			if _, got := s.tell("echo on", PlainLine); got.of(1) != "on\n" {
				t.Errorf("%q, %q", got.of(1), got.of(2))
			}
		})
	}
}
