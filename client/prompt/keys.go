package prompt

import (
	"bytes"
	"unicode/utf8"
)

// action says what becomes of a key.
type action int

const (
	needMore    action = iota // the key is not complete
	pass                      // hand it to the Terminal
	drop                      // nobody knows it
	interrupt                 // Ctrl-C
	newline                   // the end of a line inside a paste
	pasteBegins               // what follows was pasted
	pasteEnds
)

// Keys as x/term's Terminal knows them.
var (
	keyUp        = []byte("\x1b[A")
	keyDown      = []byte("\x1b[B")
	keyRight     = []byte("\x1b[C")
	keyLeft      = []byte("\x1b[D")
	keyHome      = []byte("\x1b[H")
	keyEnd       = []byte("\x1b[F")
	keyDelete    = []byte("\x1b[3~")
	keyWordRight = []byte("\x1b[1;3C")
	keyWordLeft  = []byte("\x1b[1;3D")
	keyEnter     = []byte{'\r'}
	keyWordBack  = []byte{0x17}
)

const (
	esc = 0x1b
	// maxSequence bounds an escape sequence; a longer one is dropped.
	maxSequence = 4096

	// newlineRune and tabRune stand in a line for characters that the Terminal
	// would not take. They are the last code points there are, for private use.
	newlineRune = '\U0010FFFD'
	tabRune     = '\U0010FFFC'
)

// nextKey cuts the first key off buf: its bytes as the Terminal wants them, how
// many bytes of buf it took (0 with needMore), and what to do with it. It exists
// because the Terminal stops for good at a byte that is not UTF-8, and because
// terminals send more for Home, End and words than it knows.
func nextKey(buf []byte, paste bool) (key []byte, n int, act action) {
	if len(buf) == 0 {
		return nil, 0, needMore
	}
	switch c := buf[0]; {
	case c == esc:
		return nextEscape(buf, paste)
	case c == '\r' || c == '\n':
		n = 1
		if paste && c == '\r' && len(buf) == 1 {
			return nil, 0, needMore // the mark of the paste's end follows at least
		}
		if c == '\r' && len(buf) > 1 && buf[1] == '\n' {
			n = 2
		}
		if paste {
			return nil, n, newline
		}
		return keyEnter, n, pass
	case paste && c == '\t':
		return []byte(string(tabRune)), 1, pass
	case paste && (c < ' ' || c == 0x7f):
		return nil, 1, drop
	case c == 3:
		return nil, 1, interrupt
	case c < 0x80:
		return buf[:1:1], 1, pass
	}
	if !utf8.FullRune(buf) {
		return nil, 0, needMore
	}
	r, size := utf8.DecodeRune(buf)
	if r == utf8.RuneError || r < 0xa0 || r == newlineRune || r == tabRune {
		return nil, size, drop
	}
	return buf[:size:size], size, pass
}

// nextEscape cuts off an escape sequence (ECMA-48, and what xterm, rxvt and the
// Linux console send).
func nextEscape(buf []byte, paste bool) (key []byte, n int, act action) {
	if len(buf) < 2 {
		return nil, 0, needMore
	}
	known := func(key []byte, n int) ([]byte, int, action) {
		if paste || key == nil {
			return nil, n, drop
		}
		return key, n, pass
	}
	switch buf[1] {
	case 'b':
		return known(keyWordLeft, 2)
	case 'f':
		return known(keyWordRight, 2)
	case 0x7f, 0x08:
		return known(keyWordBack, 2)
	case 'O':
		if len(buf) < 3 {
			return nil, 0, needMore
		}
		return known(cursorKey(buf[2]), 3)
	case '[':
	default:
		return nil, 1, drop // what follows is a key of its own
	}
	for n = 2; n < len(buf) && buf[n] >= 0x20 && buf[n] <= 0x3f; n++ {
	}
	switch {
	case n > maxSequence:
		return nil, n, drop
	case n == len(buf):
		return nil, 0, needMore
	case buf[n] < 0x40 || buf[n] > 0x7e:
		return nil, n, drop
	case buf[n] == '[' && n == 2: // the Linux console's F1 to F5
		if len(buf) < 4 {
			return nil, 0, needMore
		}
		return nil, 4, drop
	}
	parameters, final := buf[2:n], buf[n]
	n++
	first, modifier, _ := bytes.Cut(parameters, []byte(";"))
	if final != '~' {
		if len(modifier) > 0 && (final == 'C' || final == 'D') {
			if final == 'C' {
				return known(keyWordRight, n)
			}
			return known(keyWordLeft, n)
		}
		return known(cursorKey(final), n)
	}
	switch string(first) {
	case "200":
		return nil, n, pasteBegins
	case "201":
		return nil, n, pasteEnds
	case "1", "7":
		return known(keyHome, n)
	case "4", "8":
		return known(keyEnd, n)
	case "3":
		return known(keyDelete, n)
	}
	return nil, n, drop
}

func cursorKey(final byte) []byte {
	switch final {
	case 'A':
		return keyUp
	case 'B':
		return keyDown
	case 'C':
		return keyRight
	case 'D':
		return keyLeft
	case 'H':
		return keyHome
	case 'F':
		return keyEnd
	}
	return nil
}
