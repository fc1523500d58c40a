package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// errInterrupted is Ctrl-C while a line is edited.
var errInterrupted = errors.New("interrupted")

// editor edits lines on a terminal. It stands between x/term's Terminal and the
// real one: Read hands out one key at a time, Write follows what the Terminal
// believes to draw.
type editor struct {
	in       *input
	scr      screen
	history  *history
	complete func(line string, pos int) (string, int, bool)
	rawMode  func() (restore func(), err error)
	out      *output // what comes while a line is edited is shown above it

	// While a line is edited:
	ctx      context.Context
	again    func() error // puts the terminal into raw mode once more
	buf      []byte       // input that is not a key yet
	paste    bool         // between the marks of a paste
	newlines int          // ends of lines in the paste that nothing follows yet
	panicked any          // what a panic under the Terminal said, and where
}

// read edits one line. io.EOF is Ctrl-D on an empty line or the end of the input;
// errInterrupted Ctrl-C; *SignalError SIGTERM or SIGHUP. The terminal is in its
// normal mode afterwards, whatever happens.
func (e *editor) read(ctx context.Context, label, style string) (string, error) {
	restore, err := e.rawMode()
	if err != nil {
		return "", err
	}
	io.WriteString(e.scr.out, "\x1b[?2004h")
	e.out.hold()
	defer func() {
		io.WriteString(e.scr.out, "\x1b[?2004l")
		restore()
		e.out.release()
	}()
	e.again = func() error {
		_, err := e.rawMode() // restore brings back what was before the first time
		return err
	}
	e.ctx = ctx
	e.scr.begin(label, style)
	e.freshRow()
	e.scr.draw(false)

	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{e, e}, "")
	t.SetSize(math.MaxInt32, 1) // it never wraps
	t.History = e.history
	t.AutoCompleteCallback = func(line string, pos int, key rune) (string, int, bool) {
		if key != '\t' || e.complete == nil {
			return "", 0, false
		}
		defer e.holdPanic()
		return e.complete(line, pos)
	}
	line, err := t.ReadLine()
	if e.panicked != nil {
		panic(e.panicked)
	}
	if err != nil {
		e.scr.draw(true)
		mark := "\r\n"
		if err == errInterrupted {
			mark = "^C\r\n"
		}
		io.WriteString(e.scr.out, mark)
		return "", err
	}
	return plain(line), nil
}

// freshRow goes to the start of a free row, whatever stands on this one (the
// echo of ^C or of keys typed ahead): that many blanks wrap unless the cursor was
// in the first column.
func (e *editor) freshRow() {
	columns, _ := e.scr.size()
	if columns > 1 {
		io.WriteString(e.scr.out, strings.Repeat(" ", columns-1)+"\r\x1b[J")
	}
}

// plain puts the characters back that stood-in runes stand for.
func plain(line string) string {
	return strings.NewReplacer(string(newlineRune), "\n", string(tabRune), "\t").Replace(line)
}

// holdPanic is deferred in what the Terminal calls. It calls with its lock
// released and unlocks that again while a panic passes, which ends the process
// before the terminal is restored; so the panic waits until ReadLine is left.
func (e *editor) holdPanic() {
	if v := recover(); v != nil {
		e.panicked = fmt.Sprintf("%v\n\n%s", v, debug.Stack())
	}
}

var errPanicked = errors.New("panic")

// Read is the Terminal's keyboard: one key, so that it never holds back bytes
// that belong to the next line.
func (e *editor) Read(p []byte) (n int, err error) {
	err = errPanicked
	defer e.holdPanic()
	n, err = e.key(p)
	return n, err
}

func (e *editor) key(p []byte) (int, error) {
	if e.panicked != nil {
		return 0, errPanicked
	}
	for {
		key, n, act := nextKey(e.buf, e.paste)
		if act == pass && e.newlines > 0 { // text follows a newline of the paste
			e.newlines--
			return copy(p, string(newlineRune)), nil
		}
		e.buf = e.buf[n:]
		switch act {
		case pass:
			return copy(p, key), nil
		case interrupt:
			return 0, errInterrupted
		case newline:
			e.newlines++
		case pasteBegins, pasteEnds:
			e.paste, e.newlines = act == pasteBegins, 0
		case needMore:
			if err := e.fill(); err != nil {
				return 0, err
			}
		}
	}
}

// fill draws what has changed and waits for input.
func (e *editor) fill() error {
	e.scr.draw(false)
	data, err := e.in.wait(e.ctx)
	if err == errOutput {
		e.scr.clear()
		e.out.show()
		return nil // drawn on the way back here
	}
	var came errSignalled
	if errors.As(err, &came) {
		switch kind(came.signal) {
		case signalInterrupt:
			return errInterrupted
		case signalResize:
			return nil // drawn on the way back here
		case signalContinue:
			if err := e.again(); err != nil {
				return err
			}
			e.freshRow()
			e.scr.drawn = nil
			return nil
		}
		return &SignalError{came.signal}
	}
	e.buf = append(e.buf, data...)
	return err
}

// Write follows the Terminal's drawing, which is made of characters, cursor
// movements, erasing to the right, clearing the screen, and CR LF at the end.
func (e *editor) Write(p []byte) (int, error) {
	s := &e.scr
	for rest := p; len(rest) > 0; {
		if rest[0] == esc {
			rest = e.sequence(rest)
			continue
		}
		r, size := utf8.DecodeRune(rest)
		rest = rest[size:]
		switch r {
		case '\r':
		case '\n':
			s.draw(true)
			io.WriteString(s.out, "\r\n")
			s.begin("", "")
		default:
			if s.pos < len(s.line) {
				s.line[s.pos] = r
			} else {
				s.line = append(s.line, r)
			}
			s.pos++
		}
	}
	return len(p), nil
}

// sequence obeys one escape sequence at the start of p and returns what follows.
func (e *editor) sequence(p []byte) []byte {
	s := &e.scr
	n, i := 0, 2
	for ; i < len(p) && p[i] >= '0' && p[i] <= '9'; i++ {
		n = n*10 + int(p[i]-'0')
	}
	if i >= len(p) {
		return nil
	}
	switch p[i] {
	case 'C':
		s.pos = min(len(s.line), s.pos+max(n, 1))
	case 'D':
		s.pos = max(0, s.pos-max(n, 1))
	case 'K':
		s.line = s.line[:s.pos]
	case 'J': // and then to the corner, and everything once more
		s.line, s.pos, s.drawn = s.line[:0], 0, nil
		io.WriteString(s.out, "\x1b[2J\x1b[H")
	}
	return p[i+1:]
}

// rawTerminal returns editor.rawMode for a real terminal.
func rawTerminal(f *os.File) func() (func(), error) {
	return func() (func(), error) {
		state, err := term.MakeRaw(int(f.Fd()))
		if err != nil {
			return nil, err
		}
		return func() { term.Restore(int(f.Fd()), state) }, nil
	}
}

// terminalSize returns screen.size for a real terminal.
func terminalSize(f *os.File) func() (int, int) {
	return func() (int, int) {
		w, h, err := term.GetSize(int(f.Fd()))
		if err != nil || w <= 0 || h <= 0 {
			return 80, 24
		}
		return w, h
	}
}
