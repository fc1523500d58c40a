package process

import (
	"fmt"
	"syscall"
	"testing"

	"minissh/protocol/testend"
)

// An interrupt that was meant for the line before may find a shell that has read the next line of
// ours, and have it thrown away: the shell is told again, and the line runs.
func TestLineToldAgain(t *testing.T) {
	for _, name := range tellable {
		for _, pty := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " ", pty), func(t *testing.T) {
				s := tellShell(t, name, pty)
				s.tell("kept=yes", PlainLine)
				for range 20 {
					syscall.Kill(s.PID, syscall.SIGSTOP)
					waitState(t, s.PID, 'T')
					line, got := s.begin("echo mine $kept")
					testend.Until(t, "the shell is told", func() bool { return !s.fed() })
					syscall.Kill(s.PID, syscall.SIGINT)
					syscall.Kill(s.PID, syscall.SIGCONT)
					end := s.wait(line, "echo")
					if text := got.of(1); (text != "mine yes\n" || end.Code != 0) &&
						(text != "" || end.Code != 130) {
						t.Errorf("%+v, %q, %q", end, text, got.of(2))
					}
				}
			})
		}
	}
}

// An interrupt that is sent when the shell has ended a line, which is not known yet, is not for the
// next one, also if the shell acts on it later: here it is stopped then.
func TestLineInterruptedAtItsEnd(t *testing.T) {
	for _, name := range tellable {
		for _, pty := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " ", pty), func(t *testing.T) {
				s := tellShell(t, name, pty)
				interruptAtEnd(t, s)
			})
		}
	}
}

func interruptAtEnd(t *testing.T, s *told) {
	s.sending.Lock()
	line, got := s.begin("echo go")
	got.await(t, 1, "go\n")
	waitState(t, s.PID, 'S') // it reads what it is told next
	syscall.Kill(s.PID, syscall.SIGSTOP)
	waitState(t, s.PID, 'T')
	syscall.Kill(s.PID, syscall.SIGINT)
	s.mu.Lock()
	line.signalled = true
	s.mu.Unlock()
	s.sending.Unlock()
	testend.Until(t, "the shell is asked whether it has the interrupt", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return line.asks != ""
	})
	syscall.Kill(s.PID, syscall.SIGCONT)
	s.wait(line, "go")
	if end, got := s.tell("echo mine", PlainLine); got.of(1) != "mine\n" || end.Code != 0 {
		t.Errorf("%+v, %q, %q", end, got.of(1), got.of(2))
	}
}

// A line that is told twice, since the shell was slow to begin it, is as one that was told once.
func TestLineToldTwice(t *testing.T) {
	for _, name := range tellable {
		t.Run(name, func(t *testing.T) {
			s := tellShell(t, name, true)
			line, got := s.begin("sh -c 'echo go; exec sleep 1000'")
			got.await(t, 1, "go\n")
			s.feedMore("\n" + line.tell)
			line.Signal("INT")
			if end := s.wait(line, "sleep"); end.Code != interruptedCode {
				t.Errorf("%+v", end)
			}
			line, _ = s.begin("(exit 7)")
			s.feedMore("\n" + line.tell)
			s.wait(line, "exit")
			if _, got := s.tell("echo $?", PlainLine); got.of(1) != "7\n" {
				t.Errorf("%q, %q", got.of(1), got.of(2))
			}
		})
	}
}
