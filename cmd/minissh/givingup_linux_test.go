package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"minissh/protocol/testend"
)

// talk collects what a program says.
type talk struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *talk) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

func (t *talk) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// One signal ends a client whose link is lost, with its code, and it says what becomes of what runs
// there.
func TestGivingUpWithoutLink(t *testing.T) {
	t.Parallel()
	h := startOnWire(t)
	big := filepath.Join(h.dir, "big")
	if err := os.WriteFile(big, make([]byte, 64<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	command := "the link is lost, and 127.0.0.1 cannot be told: what runs there is stopped at " +
		"the latest when its session has been without a link for 10 minutes"
	copying := "interrupted: 0 copied; what was under way is kept unfinished, under another " +
		"name; the link to 127.0.0.1 is lost: there, the copy ends at the latest when its " +
		"session has been without one for 10 minutes"
	for _, test := range []struct {
		what string
		args []string
		sig  syscall.Signal
		code int
		says string
	}{
		{"a command", []string{"127.0.0.1", "echo began; exec sleep 1000"}, syscall.SIGINT, 130,
			command},
		{"a command", []string{"127.0.0.1", "echo began; exec sleep 1000"}, syscall.SIGTERM, 143,
			command},
		{"-N", []string{"-N", "-v", "127.0.0.1"}, syscall.SIGINT, 130, ""},
		{"cp", []string{"cp", big, "127.0.0.1:" + filepath.Join(h.dir, "copy")}, syscall.SIGINT,
			130, copying},
	} {
		args := h.args[1:]
		if test.args[0] == "cp" { // the verb comes first
			args, test.args = append([]string{"cp"}, args...), test.args[1:]
			args[slices.Index(args, "-p")] = "-P" // as in scp
		}
		cmd := exec.Command(h.args[0], append(slices.Clone(args), test.args...)...)
		var said talk
		cmd.Stdout, cmd.Stderr = &said, &said
		if test.what == "cp" {
			h.cutLater.Store(1 << 20)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if test.what != "cp" {
			testend.Until(t, test.what+" begins", func() bool {
				return strings.Contains(said.String(), "began") ||
					strings.Contains(said.String(), "logged in")
			})
			h.cut()
		}
		testend.Until(t, test.what+" notices", func() bool {
			return strings.Contains(said.String(), "the link to 127.0.0.1 was lost")
		})
		begun := time.Now()
		cmd.Process.Signal(test.sig)
		cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != test.code ||
			!strings.Contains(said.String(), test.says) {
			t.Errorf("%s, %v: exit code %d after %v: %s", test.what, test.sig, code,
				time.Since(begun), said.String())
		}
		h.mend()
	}
}

// unanswered is said of a daemon that does not answer; a slow machine notices first that the link
// is lost.
var unanswered = regexp.MustCompile(
	`127\.0\.0\.1 (does not answer, and may not have been told|cannot be told): what runs`)

// Two signals right after the link has fallen silent end the client, and it says what is known.
func TestGivingUpSilentLink(t *testing.T) {
	t.Parallel()
	h := startOnWire(t)
	cmd := exec.Command(h.args[0], append(slices.Clone(h.args[1:]), "127.0.0.1",
		"trap '' INT; echo began; sleep 1000")...)
	var said talk
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	testend.Until(t, "it begins", func() bool { return strings.Contains(said.String(), "began") })
	h.cut()
	cmd.Process.Signal(syscall.SIGINT) // two of the same could become one
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	code, text := cmd.ProcessState.ExitCode(), said.String()
	if code != 130 && code != 143 || !unanswered.MatchString(text) {
		t.Errorf("exit code %d: %s", code, text)
	}
}
