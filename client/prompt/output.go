package prompt

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
)

// The escape sequences of the prompt's colours.
const (
	styleOff   = "\x1b[0m"
	styleLabel = "\x1b[1m"  // bold: the prompt
	styleError = "\x1b[31m" // red: standard error
	styleAside = "\x1b[2m"  // dim: what the prompt itself says
)

// output passes what commands write on to the two streams. If standard error is a terminal it is
// coloured: each write is wrapped on its own, so that output that stops in the middle of a line
// leaves no colour behind, but never inside one of the command's own escape sequences or
// characters.
type output struct {
	mu       sync.Mutex
	out, err *os.File
	color    bool // of standard error
	outTTY   bool
	errTTY   bool
	asides   bool // dim is understood

	held     bool          // a line is edited on the terminal: output is kept until it is shown
	kept     []piece       // in order
	keptSize int           // in bytes
	room     sync.Cond     // kept is empty again, or nothing is held
	news     chan struct{} // something is kept; holds one

	partial bool // the cursor is not in the first column, as far as is known
	state   scan // of standard error
	colored bool // the colour is on
}

func newOutput(stdout, stderr *os.File, f face) *output {
	o := &output{out: stdout, err: stderr, asides: f.color, news: make(chan struct{}, 1)}
	o.room.L = &o.mu
	if f.terminal != nil {
		o.outTTY, o.errTTY = isTerminal(stdout), isTerminal(stderr)
		o.color = f.color && o.errTTY && enableEscapes(stderr)
	}
	return o
}

func (o *output) stdout() io.Writer { return writerFunc(o.writeOut) }
func (o *output) stderr() io.Writer { return writerFunc(o.writeErr) }

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func (o *output) writeOut(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.outTTY && o.keep(p, false) {
		return len(p), nil
	}
	return o.putOut(p)
}

// putOut writes to standard output; mu is held.
func (o *output) putOut(p []byte) (int, error) {
	if o.outTTY {
		o.plain()
	}
	n, err := o.out.Write(p)
	if o.outTTY && n > 0 {
		o.partial = partial(p[:n], o.partial)
	}
	return n, err
}

func (o *output) writeErr(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.errTTY && o.keep(p, true) {
		return len(p), nil
	}
	return o.putErr(p)
}

// putErr writes to standard error; mu is held.
func (o *output) putErr(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if o.errTTY {
		o.partial = partial(p, o.partial)
	}
	if !o.color {
		return o.err.Write(p)
	}
	before := 0
	wrapped := make([]byte, 0, len(p)+len(styleError)+len(styleOff))
	if !o.colored {
		wrapped = append(wrapped, styleError...)
		before = len(wrapped)
	}
	wrapped = append(wrapped, p...)
	o.state = o.state.over(p)
	if o.colored = o.state != scanGround; !o.colored {
		wrapped = append(wrapped, styleOff...)
	}
	n, err := o.err.Write(wrapped)
	return min(max(n-before, 0), len(p)), err
}

// partial says whether the cursor is not in the first column after a text, if it was so before:
// something shows after the last end of a line. A program that leaves the alternate screen leaves
// the cursor where it was, after Enter.
func partial(p []byte, before bool) bool {
	for _, end := range []string{"\n", "\x1b[?1049l"} {
		if i := bytes.LastIndex(p, []byte(end)); i >= 0 {
			p, before = p[i+len(end):], false
		}
	}
	state := scanGround
	for i, c := range p {
		last := state
		state = state.over(p[i : i+1])
		if last == scanGround && (state >= scanUTF8 || state == scanGround && c >= ' ') {
			return true
		}
	}
	return before
}

// plain turns the colour off; mu is held.
func (o *output) plain() {
	if o.colored {
		io.WriteString(o.err, styleOff)
		o.colored, o.state = false, scanGround
	}
}

// reset leaves the terminal without colour.
func (o *output) reset() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.plain()
}

// endLine brings the cursor to the start of a row.
func (o *output) endLine() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.plain()
	if o.partial {
		f := o.out
		if !o.outTTY {
			f = o.err
		}
		io.WriteString(f, "\n")
	}
	o.partial = false
}

// echoed notes that the terminal has shown a ^C.
func (o *output) echoed() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.partial = o.outTTY || o.errTTY
}

// unknown forgets where the cursor is, after someone else wrote.
func (o *output) unknown() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.partial = false
}

// say is a message of ours, on standard error.
func (o *output) say(format string, args ...any) {
	o.endLine()
	text := "minissh: " + fmt.Sprintf(format, args...)
	if o.asides && o.errTTY {
		text = styleAside + text + styleOff
	}
	fmt.Fprintln(o.err, text)
}

// aside says how a line ended, on standard error if that is a terminal.
func (o *output) aside(text string) {
	o.endLine()
	if !o.errTTY {
		return
	}
	if o.asides {
		text = styleAside + text + styleOff
	}
	fmt.Fprintln(o.err, text)
}

// scan is where a stream of text and escape sequences (ECMA-48) is.
type scan int

const (
	scanGround scan = iota
	scanEscape      // after ESC
	scanCSI         // after ESC [
	scanString      // in an OSC, DCS, APC, PM or SOS string
	scanStringEscape
	scanUTF8 // this many more bytes of a character: scanUTF8, +1, +2
)

// over follows p and returns where it ends.
func (s scan) over(p []byte) scan {
	for _, c := range p {
		switch {
		case s >= scanUTF8 && c >= 0x80 && c < 0xc0:
			if s--; s < scanUTF8 {
				s = scanGround
			}
		case s == scanString:
			switch c {
			case 0x07, 0x18, 0x1a:
				s = scanGround
			case 0x1b:
				s = scanStringEscape
			}
		case s == scanStringEscape && c == '\\':
			s = scanGround
		case s == scanCSI:
			if c >= 0x40 && c <= 0x7e || c == 0x18 || c == 0x1a {
				s = scanGround
			} else if c == 0x1b {
				s = scanEscape
			}
		case s == scanEscape || s == scanStringEscape:
			switch {
			case c == '[':
				s = scanCSI
			case c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_':
				s = scanString
			case c >= 0x20 && c <= 0x2f || c == 0x1b:
				s = scanEscape
			default:
				s = scanGround
			}
		case c == 0x1b:
			s = scanEscape
		case c >= 0xf0 && c <= 0xf4:
			s = scanUTF8 + 2
		case c >= 0xe0 && c < 0xf0:
			s = scanUTF8 + 1
		case c >= 0xc2 && c < 0xe0:
			s = scanUTF8
		default:
			s = scanGround
		}
	}
	return s
}
