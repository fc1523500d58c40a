package fanout

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"minissh/client/terminal"
)

// screen is where people look: our two streams, and below what they show, on a terminal, a line
// that tells how far all is. It writes whole lines, one writer at a time. Whoever writes may have
// to wait, for a question to the user or for who reads our output; what must not wait is written
// later by whoever writes then.
type screen struct {
	f    *fleet
	over chan struct{} // closed when the line is not drawn any more
	turn chan struct{} // holds one for whoever writes; guards what follows

	progress bool   // there is a line
	shown    string // as it is on the terminal; "": it is not there

	mu      sync.Mutex // guards the rest, and is held for moments
	said    map[string]bool
	waiting []byte // messages, at most mostWaiting
}

// mostWaiting is how many bytes of messages are kept while somebody writes.
const mostWaiting = 1 << 20

func newScreen(f *fleet) *screen {
	s := &screen{f: f, over: make(chan struct{}), turn: make(chan struct{}, 1),
		said: map[string]bool{}}
	s.progress = isTerminal(f.Stderr) && !f.Quiet && len(f.hosts) > 1
	if s.progress {
		go s.draw()
	}
	return s
}

func isTerminal(f *os.File) bool { return f != nil && term.IsTerminal(int(f.Fd())) }

// lastWords is how long anybody waits to write once the user wants the end of all.
const lastWords = time.Second

// take waits for our turn to write; false: the user wants the end of all, and it does not come.
func (s *screen) take() bool {
	select {
	case s.turn <- struct{}{}:
		return true
	case <-s.f.ending:
	}
	select {
	case s.turn <- struct{}{}:
		return true
	case <-time.After(lastWords):
		return false
	}
}

// leave ends our turn, with the messages that came meanwhile.
func (s *screen) leave() {
	for {
		s.flush()
		<-s.turn
		s.mu.Lock()
		more := len(s.waiting) > 0
		s.mu.Unlock()
		if !more {
			return
		}
		select {
		case s.turn <- struct{}{}: // they came after the last look
		default:
			return // for whoever writes now
		}
	}
}

// flush writes messages. It is our turn.
func (s *screen) flush() {
	s.mu.Lock()
	waiting := s.waiting
	s.waiting = nil
	s.mu.Unlock()
	if len(waiting) > 0 {
		s.hide()
		s.f.log().Write(waiting)
	}
}

// drawEvery is how often the line is drawn.
const drawEvery = 200 * time.Millisecond

func (s *screen) draw() {
	tick := time.NewTicker(drawEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			line := s.f.line()
			select {
			case s.turn <- struct{}{}:
				s.show(line)
				s.leave()
			default: // it is drawn the next time
			}
		case <-s.over:
			return
		}
	}
}

// show draws the line in place of the one before. It is our turn.
func (s *screen) show(line string) {
	if !s.progress || line == s.shown {
		return
	}
	if columns, _, err := term.GetSize(int(s.f.Stderr.Fd())); err == nil {
		line = cutTo(line, columns-1)
	}
	fmt.Fprintf(s.f.Stderr, "\r\x1b[K%s", line)
	s.shown = line
}

// hide takes the line away for what is written. It is our turn.
func (s *screen) hide() {
	if s.shown != "" {
		s.show("")
	}
}

// end takes the line away for good, unless somebody writes and cannot.
func (s *screen) end() {
	if s.take() {
		s.hide()
		if s.progress {
			s.progress = false
			close(s.over)
		}
		s.leave()
	}
}

// pause is for a question to the user; resume ends it.
func (s *screen) pause() (resume func()) {
	if !s.take() {
		return func() {}
	}
	s.hide()
	return s.leave
}

// put writes whole lines of output. When the user wants the end of all, nobody waits for who does
// not read them.
func (s *screen) put(to io.Writer, lines []byte) (int, error) {
	if !s.take() {
		return len(lines), nil
	}
	defer s.leave()
	s.hide()
	n, err := to.Write(lines)
	if err != nil {
		s.f.unread(err)
	}
	return n, err
}

// say writes a line of our own, when it can.
func (s *screen) say(format string, args ...any) {
	s.later(fmt.Appendf(nil, "minissh: "+format+"\n", args...))
}

// later has a message written soon, and does not wait.
func (s *screen) later(message []byte) {
	s.mu.Lock()
	if len(s.waiting)+len(message) <= mostWaiting {
		s.waiting = append(s.waiting, message...)
	}
	s.mu.Unlock()
	select {
	case s.turn <- struct{}{}:
		s.leave()
	default: // whoever writes does it
	}
}

// wholeLines writes to our standard output.
type wholeLines struct{ s *screen }

func (w *wholeLines) Write(p []byte) (int, error) { return w.s.put(w.s.f.Stdout, p) }

// messages are those about a host's connection. What names no host, and so is the same for all, is
// said once.
type messages struct {
	s     *screen
	names []string // of the host
}

func (m *messages) Write(p []byte) (int, error) {
	for _, name := range m.names {
		if name != "" && bytes.Contains(p, []byte(name)) {
			m.s.later(p)
			return len(p), nil
		}
	}
	m.s.mu.Lock()
	again := m.s.said[string(p)]
	if len(m.s.said) < 1000 {
		m.s.said[string(p)] = true
	}
	m.s.mu.Unlock()
	if !again {
		m.s.later(p)
	}
	return len(p), nil
}

// cutTo is the beginning of a line, for so many columns.
func cutTo(line string, columns int) string {
	taken := 0
	for i, r := range line {
		_, wide := terminal.Glyph(r)
		if taken += wide; taken > columns {
			return line[:i]
		}
	}
	return line
}

// shown is a line as a terminal may see it: with its tabs, and without what ends it.
func shown(line []byte) string {
	parts := strings.Split(strings.TrimSuffix(string(line), "\r"), "\t")
	for i, part := range parts {
		parts[i] = terminal.Printable(part)
	}
	return strings.Join(parts, "\t")
}
