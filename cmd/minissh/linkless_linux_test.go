package main

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"minissh/client/fakedaemon"
)

// onWire is a client whose way to the daemon can be cut.
type onWire struct {
	*minisshHere
	args []string // the client's, up to the host
	down atomic.Bool
	// cutLater, if not 0, cuts the next link after so many bytes to the daemon
	cutLater atomic.Int64

	mu    sync.Mutex // guards the rest
	links []*fakedaemon.Link
}

func startOnWire(t *testing.T) *onWire {
	h := &onWire{minisshHere: startMinisshHere(t)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range h.minisshHere.args {
		if word != "-q" {
			h.args = append(h.args, word)
		}
	}
	port := slices.Index(h.args, "-p") + 1
	daemon := "127.0.0.1:" + h.args[port]
	_, h.args[port], _ = net.SplitHostPort(listener.Addr().String())
	var relays sync.WaitGroup
	relays.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", daemon)
			if err != nil {
				near.Close()
				continue
			}
			l := fakedaemon.NewLink(near, far)
			if h.down.Load() {
				l.Lose()
			}
			if n := h.cutLater.Swap(0); n > 0 {
				l.Up.After(n, func() { h.down.Store(true); l.Lose() })
			}
			h.mu.Lock()
			h.links = append(h.links, l)
			h.mu.Unlock()
			relays.Go(l.Run)
		}
	})
	t.Cleanup(func() {
		listener.Close()
		h.mend()
		for _, l := range h.all() {
			l.Close()
		}
		relays.Wait()
	})
	return h
}

func (h *onWire) all() []*fakedaemon.Link {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.links)
}

// cut makes the network silent, for those who come later too; mend ends that, and resets what was
// cut.
func (h *onWire) cut() {
	h.down.Store(true)
	for _, l := range h.all() {
		l.Lose()
	}
}

func (h *onWire) mend() {
	if h.down.Swap(false) {
		for _, l := range h.all() {
			l.Close()
		}
	}
}

func (h *onWire) screen(args ...string) *screen {
	return h.screenOf(append(slices.Clone(h.args), args...)...)
}

const tellsLoss = `minissh: link to 127\.0\.0\.1 lost \d+ seconds ago; Enter ~\. gives up; keys`

func (s *screen) now() string { return s.tmux("capture-pane", "-p") }

// awaits waits until the screen is as it was.
func (s *screen) awaits(before string) {
	s.t.Helper()
	s.until("what was there before", func(now string) bool { return now == before })
}

// vim over a cut: the message is in its first row, then the screen is as before, and what was typed
// meanwhile has come once.
func TestVimOverACut(t *testing.T) {
	t.Parallel()
	needsProgram(t, "vim")
	h := startOnWire(t)
	file := filepath.Join(h.dir, "text")
	s := h.screen("-t", "127.0.0.1", "exec vim -u NONE -N -n "+file)
	s.shows(`^~`)
	s.types("ione", "Enter")
	s.types("two 你好")
	s.shows(`^two 你好`)
	h.cut()
	s.types(" three")
	s.shows(`\A` + tellsLoss)
	h.mend()
	s.shows(`\Aone *\ntwo 你好 three`)
	s.types("", "Escape")
	s.types(":redraw!", "Enter")
	s.shows(`\Aone *\ntwo 你好 three`)
	s.types(":wq", "Enter")
	s.shows(`^ended:0`)
	if got, err := os.ReadFile(file); err != nil || string(got) != "one\ntwo 你好 three\n" {
		t.Errorf("%q, %v", got, err)
	}
}

// less over a cut: the screen is as it was, and keys that were typed meanwhile scroll once.
func TestLessOverACut(t *testing.T) {
	t.Parallel()
	needsProgram(t, "less")
	h := startOnWire(t)
	s := h.screen("-t", "127.0.0.1", `seq -f 'line %g.' 300 | exec less`)
	s.shows(`\Aline 1\.`)
	h.cut()
	s.types("j") // lost with the link, and sent again
	s.shows(`\A` + tellsLoss)
	s.types("jj") // kept
	h.mend()
	s.shows(`\Aline 4\.\nline 5\.(\n.*){20}\nline 26\.\n:`)
	before := s.now()
	h.cut()
	s.types("_") // which rings the bell, and is waited for
	s.shows(`\A` + tellsLoss)
	h.mend()
	s.awaits(before)
	s.types("q")
	s.shows(`^ended:0`)
}

// top and htop over a cut: their rows are where they were, and nothing of the message is left.
func TestTopOverACut(t *testing.T) {
	t.Parallel()
	for command, rows := range map[string]string{
		"top -d 1":   `\Atop - .*load average.*\n(.*\n){5} *PID +USER`,
		"htop -d 10": `\A\n +0\[(.*\n){22}F1Help`,
	} {
		program, _, _ := strings.Cut(command, " ")
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			needsProgram(t, program)
			h := startOnWire(t)
			s := h.screen("-t", "127.0.0.1", "exec "+command)
			s.shows(rows)
			h.cut()
			s.types(" ") // waited for, so that the loss is noticed
			s.shows(`^` + tellsLoss)
			h.mend()
			drawn := regexp.MustCompile(rows)
			s.until("the program, as before", func(now string) bool {
				return drawn.MatchString(now) && !strings.Contains(now, "minissh: link to")
			})
			s.types("q")
			s.shows(`^ended:0`)
		})
	}
}

// The main screen, in its middle: the message has a row of its own, which goes away, and what is
// below stays.
func TestShellOverACut(t *testing.T) {
	t.Parallel()
	h := startOnWire(t)
	s := h.screen("-t", "127.0.0.1", `PS1='> ' exec bash --norc --noprofile -i`)
	s.shows(`^>`)
	s.types("clear; seq 15; for i in 1 2 3 4 5 6; do printf '\\033M'; done", "Enter")
	s.shows(`^9\n>\n11`)
	before := s.now()
	s.types("x") // lost with the link, and sent again
	h.cut()
	s.types("y", "BSpace", "BSpace") // kept
	s.shows(`^` + tellsLoss + `[^\n]*\n11`)
	h.mend()
	s.awaits(before)
	s.types("kill -9 $$", "Enter")
	s.shows(`^ended:137`)
}

// ~. leaves a shell whose link is lost, also after thousands of keys, and says what becomes of it.
func TestLeavingWithoutLink(t *testing.T) {
	t.Parallel()
	h := startOnWire(t)
	s := h.screen("-t", "127.0.0.1", "stty -echo; echo ready; exec cat >/dev/null")
	s.shows(`^ready`)
	h.cut()
	for range 10 {
		s.types(strings.Repeat("key ", 125))
	}
	s.shows(tellsLoss)
	s.types("~?", "BSpace", "BSpace")
	s.types("", "Enter")
	s.types("~?")
	s.shows(`^Supported escape sequences:`)
	s.types("~.")
	s.until("what becomes of it", func(now string) bool {
		now = strings.ReplaceAll(now, "\n", "")
		return strings.Contains(now, "what runs there is stopped at the latest when its "+
			"session has been without a link for 24 hours") && strings.Contains(now, "ended:255")
	})
}

// ~. right after the link has fallen silent, which nobody has noticed yet: the daemon does not
// answer, so it may know nothing of that, and what becomes of what runs there is told.
func TestLeavingSilentLink(t *testing.T) {
	t.Parallel()
	h := startOnWire(t)
	s := h.screen("-t", "127.0.0.1", "stty -echo; echo ready; exec cat >/dev/null")
	s.shows(`^ready`)
	h.cut()
	s.types("~.")
	s.until("what becomes of it", func(now string) bool {
		return unanswered.MatchString(now) && strings.Contains(now, "ended:255")
	})
}
