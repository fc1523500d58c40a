package editor

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

const (
	// escapeTime is how long an ESC may be alone where that is a key of its own; what comes sooner
	// belongs to it.
	escapeTime = 200 * time.Millisecond
	// pasteTime is how long a pause in what is pasted may be that nothing is drawn in.
	pasteTime = 20 * time.Millisecond
)

// Output is what writes on the terminal besides the editor: what comes while a line is edited is
// shown above it. Its methods are called by Read alone, one at a time.
type Output interface {
	// Hold begins to hold back what comes. The channel, which may be nil, has something as soon as
	// something is held back.
	Hold() <-chan struct{}
	// Show writes what is held back, on the terminal in raw mode, and leaves the cursor in the
	// first column.
	Show()
	// Release ends Hold, and writes the rest. The terminal is in its normal mode again, with the
	// cursor in the first column.
	Release()
}

// Config is what an Editor needs. It does not change afterwards.
type Config struct {
	Stdin    *os.File         // the terminal that is typed on; in raw mode while a line is edited
	Terminal *os.File         // where lines are drawn
	Signals  <-chan os.Signal // what the process is sent while a line is edited
	Output   Output
	History  *History

	// Notes are shown below the line that is edited, each in place of the one before; "" takes it
	// away. They are printable. nil: there are none.
	Notes <-chan string
	// Complete answers the Tab key: it gets the line and the cursor's place in bytes. It has one
	// second, the end of which ends ctx. nil: Tab does nothing.
	Complete func(ctx context.Context, line string, pos int) Completion
	// Incomplete says whether a text needs more lines, so that Enter begins the next one. nil: none
	// does.
	Incomplete func(text string) bool
}

// Editor edits lines on a terminal, one at a time.
type Editor struct {
	editing
	in         *input
	scr        screen
	complete   func(ctx context.Context, line string, pos int) Completion // Config's
	incomplete func(text string) bool                                     // nil: no text is
	rawMode    func() (restore func(), err error)
	out        Output
	lastQuery  []rune // of the last search

	// While a line is edited:
	ctx      context.Context
	again    func() error // puts the terminal into raw mode again
	buf      []byte       // input that is not a key yet
	unread   rune         // a key that was taken from buf too early; keyUnknown: none was
	alone    bool         // an ESC that nothing follows is a key
	paste    bool         // between the marks of a paste
	newlines int          // ends of lines in the paste that nothing follows yet
	view     func()       // has the screen show something else than the line; nil: the line
}

// New is an editor for the lines of a terminal.
func New(cfg Config) *Editor {
	in := newInput(cfg.Stdin, cfg.Signals)
	in.notes = cfg.Notes
	return &Editor{
		editing: editing{history: cfg.History},
		in:      in, out: cfg.Output, complete: cfg.Complete,
		incomplete: cfg.Incomplete, rawMode: rawTerminal(cfg.Stdin),
		scr: screen{out: cfg.Terminal, size: terminalSize(cfg.Terminal)},
	}
}

// Drop drops what was typed ahead.
func (e *Editor) Drop() { e.buf = nil }

// Read edits one line. A label comes before it, which is printable; style is the escape sequence
// that begins the label, "" for none. The error is io.EOF for Ctrl-D on an empty line or the end of
// the input; ErrInterrupted for Ctrl-C; *SignalError for SIGTERM or SIGHUP; *LineError for a line
// that cannot be run; or ctx's cause. The terminal is in its normal mode afterwards, whatever
// happens.
func (e *Editor) Read(ctx context.Context, label, style string) (string, error) {
	restore, err := e.rawMode()
	if err != nil {
		return "", err
	}
	io.WriteString(e.scr.out, "\x1b[?2004h")
	e.in.news = e.out.Hold()
	defer func() {
		io.WriteString(e.scr.out, "\x1b[?2004l")
		restore()
		e.out.Release()
	}()
	e.again = func() error {
		_, err := e.rawMode() // restore brings back what was before the first time
		return err
	}
	e.ctx = ctx
	e.scr.begin(label, style)
	e.begin()
	e.freshRow()
	e.draw(false)
	err = e.edit()
	e.draw(true)
	if err == ErrInterrupted {
		io.WriteString(e.scr.out, "^C")
	}
	io.WriteString(e.scr.out, "\r\n")
	if err != nil {
		return "", err
	}
	return e.entered()
}

// entered is the line as it is to be run, when Enter was pressed.
func (e *Editor) entered() (string, error) {
	typed := string(e.line)
	if e.missing > 0 {
		return "", &LineError{tooLong(len(typed) + e.missing)}
	}
	line, err := e.history.Enter(typed)
	if err == nil && line != typed {
		for _, r := range line {
			shown, _ := glyph(r)
			if r == '\n' {
				shown = "\r\n" + NextRow
			}
			io.WriteString(e.scr.out, shown)
		}
		io.WriteString(e.scr.out, "\r\n")
	}
	return line, err
}

// edit handles keys until Enter.
func (e *Editor) edit() error {
	for {
		key, err := e.key()
		if err != nil {
			return err
		}
		if key == keySearchOlder || key == keySearchNewer {
			if key, err = e.search(key == keySearchOlder); err != nil {
				return err
			}
		}
		e.now, e.typing = key, key > keyUnknown && e.last > keyUnknown
		switch key {
		case keyEnter:
			if e.missing > 0 || e.incomplete == nil || !e.incomplete(string(e.line)) {
				return nil
			}
			e.pos = len(e.line)
			e.insert('\n')
		case keyCtrlD:
			if len(e.line) == 0 {
				return io.EOF
			}
			e.replace(e.pos, e.pos+1)
		case keyLiteral:
			err = e.literal()
		case keyTab:
			err = e.tab()
		case keyClear:
			io.WriteString(e.scr.out, "\x1b[2J\x1b[H")
			e.scr.drawn = nil
		default:
			if act := acts[key]; act != nil {
				act(&e.editing)
			} else if key > keyUnknown {
				e.characters(key)
			}
		}
		if err != nil {
			return err
		}
		e.last = key
	}
}

// characters inserts a character, and those that have come with it: what is pasted comes in big
// pieces.
func (e *Editor) characters(first rune) {
	run := []rune{first}
	for {
		key, ok := e.take()
		if !ok {
			break
		}
		if key <= keyUnknown {
			e.unread = key
			break
		}
		run = append(run, key)
	}
	e.insert(run...)
}

// literal inserts the next character, even if it is a key: Ctrl-V.
func (e *Editor) literal() error {
	for len(e.buf) == 0 || !utf8.FullRune(e.buf) {
		if err := e.fill(); err != nil {
			return err
		}
	}
	r, n := utf8.DecodeRune(e.buf)
	e.buf = e.buf[n:]
	if r != 0 { // no line can hold a NUL
		e.insert(r)
	}
	return nil
}

// draw brings the screen up to date.
func (e *Editor) draw(last bool) {
	if e.view != nil {
		e.view()
	} else {
		e.scr.line, e.scr.pos = e.line, e.pos
	}
	e.scr.draw(last)
}

// leave leaves what is drawn where it is, and goes to the start of the row below.
func (e *Editor) leave() {
	e.draw(true)
	io.WriteString(e.scr.out, "\r\n")
	e.scr.drawn, e.scr.noted, e.scr.first = nil, "", 0
}

// freshRow goes to the start of a free row, whatever is on this one (the echo of ^C or of keys
// typed ahead): that many blanks wrap unless the cursor was in the first column.
func (e *Editor) freshRow() {
	columns, _ := e.scr.size()
	if columns > 1 {
		io.WriteString(e.scr.out, strings.Repeat(" ", columns-1)+"\r\x1b[J")
	}
}

// key is the next key.
func (e *Editor) key() (rune, error) {
	for {
		key, ok := e.take()
		if !ok {
			if err := e.fill(); err != nil {
				return 0, err
			}
			continue
		}
		if key == keyCtrlC {
			return 0, ErrInterrupted
		}
		return key, nil
	}
}

// take is the next key that has come; false: none has. Ends of lines in a paste are characters of
// the line, if something follows.
func (e *Editor) take() (key rune, ok bool) {
	if key := e.unread; key != keyUnknown {
		e.unread = keyUnknown
		return key, true
	}
	for {
		key, n := nextKey(e.buf, e.paste)
		if n == 0 {
			return 0, false
		}
		special := key == keyUnknown || key == keyNewline || key == keyPasteBegins ||
			key == keyPasteEnds
		if !special && e.newlines > 0 {
			e.newlines--
			return '\n', true
		}
		e.buf = e.buf[n:]
		switch key {
		case keyUnknown:
		case keyNewline:
			e.newlines++
		case keyPasteBegins, keyPasteEnds:
			e.paste, e.newlines = key == keyPasteBegins, 0
		default:
			return key, true
		}
	}
}

// fill draws what has changed and waits for input, or for e.in.done. What is pasted is drawn when
// no more of it comes: drawing each piece of it would take longer than everything else.
func (e *Editor) fill() error {
	data, err := []byte(nil), errTime
	if e.paste {
		data, err = e.waitFor(pasteTime)
	}
	if err == errTime {
		e.draw(false)
		if e.alone && len(e.buf) == 1 && e.buf[0] == esc {
			data, err = e.waitFor(escapeTime)
		} else {
			data, err = e.in.wait(e.ctx)
		}
	}
	var note errNote
	var came errSignalled
	switch {
	case err == errTime:
		e.buf, e.unread = e.buf[1:], keyEscape
		return nil
	case err == errDone:
		return nil
	case err == errOutput:
		e.scr.clear()
		e.out.Show()
		return nil // drawn on the way back here
	case errors.As(err, &note):
		e.scr.note = note.text
		return nil // drawn on the way back here
	case errors.As(err, &came):
		return e.signalled(came.signal)
	}
	e.buf = append(e.buf, data...)
	return err
}

// waitFor waits no longer than a time, the end of which is errTime.
func (e *Editor) waitFor(limit time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(e.ctx, limit, errTime)
	defer cancel()
	return e.in.wait(ctx)
}

var errTime = errors.New("nothing came in time")

// signalled is for a signal that came while a line is edited.
func (e *Editor) signalled(sig os.Signal) error {
	switch KindOf(sig) {
	case SignalInterrupt:
		return ErrInterrupted
	case SignalStop:
		StopSelf()
		return nil
	case SignalResize:
		return nil // drawn on the way back to fill
	case SignalContinue:
		if err := e.again(); err != nil {
			return err
		}
		e.freshRow()
		e.scr.drawn = nil
		return nil
	}
	return &SignalError{sig}
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
