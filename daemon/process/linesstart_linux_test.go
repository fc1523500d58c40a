package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"minissh/protocol/testend"
)

// startFiles are what shells read when they start.
var startFiles = map[string]string{"bash": ".bash_profile", "dash": ".profile", "sh": ".profile",
	"zsh": ".zshrc", "fish": ".config/fish/config.fish"}

// An interrupt before the first line ends what a start-up file does for ever. The shell goes on.
func TestLinesOfAShellThatHangsAtItsStart(t *testing.T) {
	for name, file := range startFiles {
		for _, pty := range []bool{true, false} {
			if name == "fish" && !pty {
				continue // it is told no lines without a terminal
			}
			t.Run(fmt.Sprint(name, " ", pty), func(t *testing.T) {
				path, err := exec.LookPath(name)
				if err != nil {
					t.Skip("not run: needs ", name)
				}
				home := t.TempDir()
				os.MkdirAll(filepath.Dir(filepath.Join(home, file)), 0o700)
				if err := os.WriteFile(filepath.Join(home, file),
					[]byte("sh -c 'echo >runs; exec sleep 1000'\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				s := tellShellAt(t, path, home, pty)
				line, got := s.begin("echo mine")
				testend.Until(t, "the start-up file runs a program", func() bool {
					text, _ := os.ReadFile(filepath.Join(home, "runs"))
					return len(text) > 0
				})
				line.Signal("INT")
				if end := s.wait(line, "the first line"); end.ShellEnded || got.of(1) != "" {
					t.Errorf("%+v, %q, %q", end, got.of(1), got.of(2))
				}
				if end, got := s.tell("echo on", PlainLine); got.of(1) != "on\n" || end.Code != 0 {
					t.Errorf("%+v, %q, %q", end, got.of(1), got.of(2))
				}
			})
		}
	}
}

// A line that nobody wants any more before the shell has started leaves that alone.
func TestLineWithdrawnAtTheStart(t *testing.T) {
	path, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("not run: needs ", "bash")
	}
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".bash_profile"),
		[]byte("read x <$HOME/gate; kept=$x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	gate := filepath.Join(home, "gate")
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	s := tellShellAt(t, path, home, true)
	line, _ := s.begin("touch ran")
	line.Stop(t.Context())
	s.wait(line, "withdrawn")
	if err := os.WriteFile(gate, []byte("yes\n"), 0); err != nil {
		t.Fatal(err)
	}
	_, got := s.tell("echo $kept; ls", PlainLine)
	if got.of(1) != "yes\ngate\n" {
		t.Errorf("%q, %q", got.of(1), got.of(2))
	}
}
