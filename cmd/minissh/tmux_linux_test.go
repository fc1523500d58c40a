package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// screen is a terminal with a person at it: tmux draws it, takes keys, and says what is on it.
type screen struct {
	t      *testing.T
	server string // path of its socket
}

// screen runs the client with more arguments on a screen of 80 by 24, and shows its exit code at
// the end.
func (h *minisshHere) screen(args ...string) *screen {
	h.t.Helper()
	return h.screenOf(append(h.args[:len(h.args):len(h.args)], args...)...)
}

// screenOf runs a program on a screen.
func (h *minisshHere) screenOf(args ...string) *screen {
	h.t.Helper()
	needsProgram(h.t, "tmux")
	s := &screen{h.t, filepath.Join(h.dir, "screen")}
	words := make([]string, 0, len(args))
	for _, word := range args {
		words = append(words, "'"+strings.ReplaceAll(word, "'", `'\''`)+"'")
	}
	h.t.Cleanup(func() { exec.Command("tmux", "-S", s.server, "kill-server").Run() })
	s.tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24",
		strings.Join(words, " ")+"; echo ended:$?; exec cat")
	s.tmux("set-option", "-g", "status", "off")
	return s
}

func (s *screen) tmux(args ...string) string {
	s.t.Helper()
	cmd := exec.Command("tmux", append([]string{"-u", "-S", s.server}, args...)...)
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "TMUX") && !strings.HasPrefix(pair, "LC_") {
			cmd.Env = append(cmd.Env, pair)
		}
	}
	cmd.Env = append(cmd.Env, "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("tmux %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// types types a text, then keys by their names.
func (s *screen) types(text string, keys ...string) {
	s.t.Helper()
	s.tmux("send-keys", "-l", "--", text)
	for _, key := range keys {
		s.tmux("send-keys", key)
	}
}

// shows waits until the screen matches a pattern.
func (s *screen) shows(pattern string) {
	s.t.Helper()
	re := regexp.MustCompile("(?m)" + pattern)
	s.until(pattern, func(now string) bool { return re.MatchString(now) })
}

// until waits until the screen is right.
func (s *screen) until(what string, right func(now string) bool) {
	s.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	bound := time.After(screenPatience)
	for {
		now := s.tmux("capture-pane", "-p")
		if right(now) {
			return
		}
		select {
		case <-tick.C:
		case <-bound:
			s.t.Fatalf("never saw %s; the screen is\n%s", what, now)
		}
	}
}

func TestVimOnAScreen(t *testing.T) {
	t.Parallel()
	needsProgram(t, "vim")
	h := startMinisshHere(t)
	file := filepath.Join(h.dir, "text")
	s := h.screen("-t", "127.0.0.1", "exec vim -u NONE -N -n "+file)
	s.shows(`^~`)
	s.types("ione 你好")
	s.shows(`^one 你好`)
	s.tmux("resize-window", "-x", "100", "-y", "30")
	s.types("", "Escape")
	s.types(":echo 'is'.&columns.'x'.&lines", "Enter")
	s.shows(`^is100x30`)
	s.types(":wq", "Enter")
	s.shows(`^ended:0`)
	if got, err := os.ReadFile(file); err != nil || string(got) != "one 你好\n" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestLessOnAScreen(t *testing.T) {
	t.Parallel()
	needsProgram(t, "less")
	h := startMinisshHere(t)
	var text strings.Builder
	for i := range 300 {
		fmt.Fprintf(&text, "line %d.\n", i+1)
	}
	file := filepath.Join(h.dir, "text")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := h.screen("-t", "127.0.0.1", "exec less "+file)
	s.shows(`^line 23\.`)
	s.types(" ")
	s.shows(`^line 46\.`)
	s.types("G")
	s.shows(`^line 300\.`)
	s.types("/line 17\\.", "Enter")
	s.types("q")
	s.shows(`^ended:0`)
}

func TestTopOnAScreen(t *testing.T) {
	t.Parallel()
	needsProgram(t, "top")
	h := startMinisshHere(t)
	s := h.screen("-t", "127.0.0.1", "exec top -d 1")
	s.shows(`load average`)
	s.shows(`PID +USER`)
	s.types("q")
	s.shows(`^ended:0`)
}

// A tmux there, on the screen of a tmux here.
func TestTmuxOnAScreen(t *testing.T) {
	t.Parallel()
	h := startMinisshHere(t)
	inner := filepath.Join(h.dir, "inner")
	t.Cleanup(func() { exec.Command("tmux", "-S", inner, "kill-server").Run() })
	s := h.screen("-t", "127.0.0.1", "exec tmux -u -S "+inner+" -f /dev/null new-session cat")
	s.shows(`^\[0\] +0:`)
	s.types("你好 inside", "Enter")
	s.shows(`^你好 inside\n你好 inside`)
	s.types("", "C-d")
	s.shows(`^ended:0`)
}

// A Chinese line is edited where the shell there edits it, and the window's size follows.
func TestChineseLineAndWindow(t *testing.T) {
	t.Parallel()
	h := startMinisshHere(t)
	s := h.screen("-t", "127.0.0.1", "PS1='here> ' exec bash --norc --noprofile -i")
	s.shows(`^here>`)
	s.types("echo '<你好世界", "BSpace", "BSpace")
	s.types(">'", "Enter")
	s.shows(`^<你好>$`)
	s.types("stty size", "Enter")
	s.shows(`^24 80$`)
	s.tmux("resize-window", "-x", "120", "-y", "40")
	s.types("until stty size | grep '40 120'; do sleep 0.02; done", "Enter")
	s.shows(`^40 120$`)
	s.types("exit "+strconv.Itoa(9), "Enter")
	s.shows(`^ended:9`)
}
