package fanout

import (
	"bytes"
	"io"
	"os"

	"minissh/client/terminal"
)

// mostLine is how long a line may be, in bytes, to be written whole: the rest of a longer one
// follows after the host's name once more.
const mostLine = 1 << 20

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

// end writes what is left.
func (l *lines) end() error {
	if len(l.rest) == 0 {
		return nil
	}
	_, err := l.Write([]byte("\n"))
	return err
}
