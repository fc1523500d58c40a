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
	"minissh/protocol"
)

// mostLine is how long a line may be, in bytes, to be written whole: the rest of a longer one
// follows after the host's name once more.
const mostLine = 1 << 20

// screen is where people look: our two streams, and below what they show, on a terminal, a line
// that tells how far all is. It writes whole lines.
type screen struct {
	f        *fleet
	progress bool          // there is such a line
	over     chan struct{} // closed when it is not drawn any more

	mu    sync.Mutex // guards the rest, and what is written
	shown string     // the line as it is on the terminal; "": it is not there
	said  map[string]bool
}

func newScreen(f *fleet) *screen {
	s := &screen{f: f, over: make(chan struct{}), said: map[string]bool{}}
	s.progress = isTerminal(f.Stderr) && !f.Quiet && len(f.hosts) > 1
	if s.progress {
		go s.draw()
	}
	return s
}

func isTerminal(f *os.File) bool { return f != nil && term.IsTerminal(int(f.Fd())) }

// drawEvery is how often the line is drawn.
const drawEvery = 200 * time.Millisecond

func (s *screen) draw() {
	tick := time.NewTicker(drawEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			line := s.f.line()
			s.mu.Lock()
			s.show(line)
			s.mu.Unlock()
		case <-s.over:
			return
		}
	}
}

// show draws the line in place of the one before. The caller holds mu.
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

// hide takes the line away for what is written. The caller holds mu.
func (s *screen) hide() {
	if s.shown != "" {
		s.show("")
	}
}

// end takes the line away for good.
func (s *screen) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hide()
	if s.progress {
		s.progress = false
		close(s.over)
	}
}

// pause is for a question to the user; resume ends it.
func (s *screen) pause() (resume func()) {
	s.mu.Lock()
	s.hide()
	return s.mu.Unlock
}

// put writes whole lines.
func (s *screen) put(to io.Writer, lines []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hide()
	return to.Write(lines)
}

// say writes a line of our own.
func (s *screen) say(format string, args ...any) {
	s.put(s.f.Stderr, fmt.Appendf(nil, "minissh: "+format+"\n", args...))
}

// wholeLines writes to our standard output.
type wholeLines struct{ s *screen }

func (w *wholeLines) Write(p []byte) (int, error) { return w.s.put(w.s.f.Stdout, p) }

// messages are those about a host's connection. What is the same for many hosts is said once.
type messages struct{ s *screen }

func (m *messages) Write(p []byte) (int, error) {
	m.s.mu.Lock()
	again := m.s.said[string(p)]
	if len(m.s.said) < 1000 {
		m.s.said[string(p)] = true
	}
	m.s.mu.Unlock()
	if again {
		return len(p), nil
	}
	return m.s.put(m.s.f.Stderr, p)
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

// line tells how far all is: "12 of 100 done, 3 failed · 85 running · longest web07 4 s".
func (f *fleet) line() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var count [stateEnded + 1]int
	var slowest *host
	for _, h := range f.hosts {
		count[h.state]++
		if h.state != stateWaiting && h.state != stateEnded &&
			(slowest == nil || h.began.Before(slowest.began)) {
			slowest = h
		}
	}
	parts := []string{fmt.Sprintf("%d of %d done", count[stateEnded], len(f.hosts))}
	for _, part := range []struct {
		n    int
		what string
	}{{f.failed, "failed"}, {count[stateRunning], "running"}, {count[stateConnecting],
		"connecting"}, {count[stateAsking], "unknown"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	if slowest != nil {
		doing := ""
		if slowest.conn != nil && slowest.conn.Lost() != nil {
			doing = " (no link)"
		}
		parts = append(parts, fmt.Sprintf("longest: %s%s, %s", terminal.Printable(slowest.name),
			doing, protocol.InWords(time.Since(slowest.began))))
	}
	return strings.Join(parts, ", ")
}

// lines writes one stream of a host, each line after the host's name, whole lines only.
type lines struct {
	s      *screen // nil: nobody else writes there
	to     io.Writer
	before []byte // each line
	safe   bool   // a terminal shows it
	rest   []byte // of a line that is not whole
}

// colors of the hosts' names, in turn (ECMA-48): what is readable on dark and on light.
var colors = []string{"32", "36", "35", "34", "33"}

// NewLines writes whole lines after a host's name, safe for a terminal.
func NewLines(to io.Writer, host string) io.Writer {
	return &lines{to: to, safe: true, before: []byte(terminal.Printable(host) + outputMark + " ")}
}

// newLines makes one of a host's streams.
func (h *host) newLines(to *os.File, mark string) *lines {
	l := &lines{s: h.f.screen, to: to, safe: isTerminal(to)}
	name := terminal.Printable(h.name) + mark
	switch {
	case !h.f.Color || !l.safe:
	case mark == errorMark:
		name = "\x1b[31m" + name + "\x1b[0m"
	default:
		name = "\x1b[" + colors[h.number%len(colors)] + "m" + name + "\x1b[0m"
	}
	l.before = []byte(name + " ")
	return l
}

// What follows a host's name before a line of its standard output, and of its standard error.
const (
	outputMark = ":"
	errorMark  = "!"
)

func (l *lines) Write(p []byte) (int, error) {
	whole := bytes.LastIndexByte(p, '\n') + 1
	if whole == 0 && len(l.rest)+len(p) <= mostLine {
		l.rest = append(l.rest, p...)
		return len(p), nil
	}
	var all []byte
	for line := range bytes.Lines(append(l.rest, p[:whole]...)) {
		all = l.append(all, line)
	}
	l.rest = append([]byte(nil), p[whole:]...)
	if len(l.rest) > mostLine {
		all, l.rest = l.append(all, l.rest), nil
	}
	put := l.to.Write
	if l.s != nil {
		put = func(all []byte) (int, error) { return l.s.put(l.to, all) }
	}
	if _, err := put(all); err != nil {
		return 0, err
	}
	return len(p), nil
}

// append makes a line ready.
func (l *lines) append(to, line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte("\n"))
	to = append(to, l.before...)
	if !l.safe {
		return append(append(to, line...), '\n')
	}
	return append(append(to, shown(line)...), '\n')
}

// shown is a line as a terminal may see it: with its tabs, and without what ends it.
func shown(line []byte) string {
	parts := strings.Split(strings.TrimSuffix(string(line), "\r"), "\t")
	for i, part := range parts {
		parts[i] = terminal.Printable(part)
	}
	return strings.Join(parts, "\t")
}

// end writes what is left.
func (l *lines) end() error {
	if len(l.rest) == 0 {
		return nil
	}
	_, err := l.Write([]byte("\n"))
	return err
}
