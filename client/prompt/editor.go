package prompt

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// errInterrupted is Ctrl-C while a line is edited.
var errInterrupted = errors.New("interrupted")

// maxRunes is how long a line may become, in characters.
const maxRunes = 4096

// editor edits lines on a terminal. The line and the cursor's place in it belong to the screen.
type editor struct {
	in       *input
	scr      screen
	history  *history
	complete func(line string, pos int) (string, int, bool)
	rawMode  func() (restore func(), err error)
	out      *output // what comes while a line is edited is shown above it

	// While a line is edited:
	ctx      context.Context
	again    func() error // puts the terminal into raw mode again
	buf      []byte       // input that is not a key yet
	paste    bool         // between the marks of a paste
	newlines int          // ends of lines in the paste that nothing follows yet
	// how many lines back in the history the shown one is; 0: it is the new one
	back   int
	newest []rune // which is kept here meanwhile
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

	e.back = 0
	err = e.edit()
	line := string(e.scr.line)
	e.scr.draw(true)
	if err == errInterrupted {
		io.WriteString(e.scr.out, "^C")
	}
	io.WriteString(e.scr.out, "\r\n")
	if err != nil {
		return "", err
	}
	e.history.Add(line)
	return plain(line), nil
}

// edit handles keys until Enter.
func (e *editor) edit() error {
	s := &e.scr
	for {
		key, err := e.key()
		if err != nil {
			return err
		}
		switch key {
		case keyEnter:
			return nil
		case keyCtrlD, keyDelete:
			if key == keyCtrlD && len(s.line) == 0 {
				return io.EOF
			}
			e.replace(s.pos, s.pos+1)
		case keyBackspace:
			e.replace(s.pos-1, s.pos)
		case keyWordBack:
			e.replace(e.wordLeft(), s.pos)
		case keyKill:
			e.replace(s.pos, len(s.line))
		case keyKillAll:
			e.replace(0, s.pos)
		case keyTranspose:
			if at := min(s.pos, len(s.line)-1); at > 0 {
				s.line[at-1], s.line[at] = s.line[at], s.line[at-1]
				s.pos = at + 1
			}
		case keyLeft:
			s.pos = max(s.pos-1, 0)
		case keyRight:
			s.pos = min(s.pos+1, len(s.line))
		case keyWordLeft:
			s.pos = e.wordLeft()
		case keyWordRight:
			s.pos = e.wordRight()
		case keyHome:
			s.pos = 0
		case keyEnd:
			s.pos = len(s.line)
		case keyUp:
			e.browse(e.back + 1)
		case keyDown:
			e.browse(e.back - 1)
		case keyClear:
			io.WriteString(s.out, "\x1b[2J\x1b[H")
			s.drawn = nil
		case keyTab:
			if e.complete == nil {
				continue
			}
			if line, pos, ok := e.complete(string(s.line), len(string(s.line[:s.pos]))); ok {
				s.line, s.pos = []rune(line), utf8.RuneCountInString(line[:pos])
			}
		default:
			if len(s.line) < maxRunes {
				e.replace(s.pos, s.pos, key)
			}
		}
	}
}

// replace replaces some characters of the line; the cursor is after the new ones. What is outside
// the line does not count.
func (e *editor) replace(from, to int, by ...rune) {
	s := &e.scr
	from, to = max(from, 0), min(to, len(s.line))
	s.line = slices.Replace(s.line, from, to, by...)
	s.pos = from + len(by)
}

// wordLeft is where the word before the cursor begins.
func (e *editor) wordLeft() int {
	at := e.scr.pos
	for at > 0 && e.scr.line[at-1] == ' ' {
		at--
	}
	for at > 0 && e.scr.line[at-1] != ' ' {
		at--
	}
	return at
}

// wordRight is where the word after the cursor's begins.
func (e *editor) wordRight() int {
	at := e.scr.pos
	for at < len(e.scr.line) && e.scr.line[at] != ' ' {
		at++
	}
	for at < len(e.scr.line) && e.scr.line[at] == ' ' {
		at++
	}
	return at
}

// browse shows the line that is so many back in the history.
func (e *editor) browse(back int) {
	if back < 0 || back > e.history.Len() {
		return
	}
	s := &e.scr
	if e.back == 0 {
		e.newest = s.line
	}
	if e.back = back; back == 0 {
		s.line = e.newest
	} else {
		s.line = []rune(e.history.At(back - 1))
	}
	s.pos = len(s.line)
}

// freshRow goes to the start of a free row, whatever is on this one (the echo of ^C or of keys
// typed ahead): that many blanks wrap unless the cursor was in the first column.
func (e *editor) freshRow() {
	columns, _ := e.scr.size()
	if columns > 1 {
		io.WriteString(e.scr.out, strings.Repeat(" ", columns-1)+"\r\x1b[J")
	}
}

// plain puts back the characters that newlineRune and tabRune stand for.
func plain(line string) string {
	return strings.NewReplacer(string(newlineRune), "\n", string(tabRune), "\t").Replace(line)
}

// key is the next key. Ends of lines in a paste are characters of the line, if something follows.
func (e *editor) key() (rune, error) {
	for {
		key, n := nextKey(e.buf, e.paste)
		if n == 0 {
			if err := e.fill(); err != nil {
				return 0, err
			}
			continue
		}
		special := key == keyUnknown || key == keyNewline || key == keyPasteBegins ||
			key == keyPasteEnds
		if !special && e.newlines > 0 {
			e.newlines--
			return newlineRune, nil
		}
		e.buf = e.buf[n:]
		switch key {
		case keyUnknown:
		case keyNewline:
			e.newlines++
		case keyPasteBegins, keyPasteEnds:
			e.paste, e.newlines = key == keyPasteBegins, 0
		case keyCtrlC:
			return 0, errInterrupted
		default:
			return key, nil
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
	var note errNote
	if errors.As(err, &note) {
		e.scr.note = note.text
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
