package editor

import (
	"bytes"
	"unicode/utf8"
)

// Keys that are not characters; characters are their own keys, with a newline and a tab among them
// that were pasted or asked for (Alt-Enter).
const (
	keyUnknown rune = -iota // it has no effect
	keyUp
	keyDown
	keyOlder // in the history, also from within a text of several lines
	keyNewer
	keyOldest
	keyNewest
	keyLeft
	keyRight
	keyWordLeft
	keyWordRight
	keyHome
	keyEnd
	keyDelete
	keyBackspace
	keyBlankBack // delete to the blank before the cursor
	keyWordBack
	keyWordDelete
	keyKill    // to the end of the line
	keyKillAll // to its beginning
	keyYank
	keyLastWord
	keyUndo
	keyTranspose
	keyClear
	keyTab
	keySearchOlder
	keySearchNewer
	keyCancel
	keyLiteral // what follows is a character, whatever it is
	keyEscape  // alone; nextKey never gives it, since it cannot know
	keyEnter
	keyCtrlC
	keyCtrlD
	keyNewline     // the end of a line inside a paste
	keyPasteBegins // what follows was pasted
	keyPasteEnds
)

const ctrlC = 3

// controls are the keys of control characters.
var controls = map[byte]rune{
	1: keyHome, 2: keyLeft, ctrlC: keyCtrlC, 4: keyCtrlD, 5: keyEnd, 6: keyRight, 7: keyCancel,
	8: keyBackspace, 9: keyTab, 11: keyKill, 12: keyClear, 14: keyNewer, 16: keyOlder,
	18: keySearchOlder, 19: keySearchNewer, 20: keyTranspose, 21: keyKillAll, 22: keyLiteral,
	23: keyBlankBack, 25: keyYank, 31: keyUndo, 0x7f: keyBackspace,
}

// escapes are the keys of what follows ESC: those with Alt.
var escapes = map[byte]rune{
	'b': keyWordLeft, 'f': keyWordRight, 'd': keyWordDelete, 0x7f: keyWordBack, 8: keyWordBack,
	'.': keyLastWord, '_': keyLastWord, '<': keyOldest, '>': keyNewest, '\r': '\n', '\n': '\n',
}

// cursors are the keys of what ends ESC [ or ESC O.
var cursors = map[byte]rune{'A': keyUp, 'B': keyDown, 'C': keyRight, 'D': keyLeft, 'H': keyHome,
	'F': keyEnd}

// numbered are the keys of ESC [ and a number and ~.
var numbered = map[string]rune{
	"1": keyHome, "7": keyHome, "4": keyEnd, "8": keyEnd, "3": keyDelete, "200": keyPasteBegins,
	"201": keyPasteEnds,
}

const (
	esc = 0x1b
	// maxSequence bounds an escape sequence; a longer one is dropped.
	maxSequence = 4096
)

// nextKey cuts the first key off buf, and says how many bytes that took; 0: the key is incomplete.
func nextKey(buf []byte, paste bool) (key rune, n int) {
	if len(buf) == 0 {
		return 0, 0
	}
	switch c := buf[0]; {
	case c == esc:
		if key, n = nextEscape(buf); paste && key != keyPasteBegins && key != keyPasteEnds {
			key = keyUnknown
		}
		return key, n
	case c == '\r' || c == '\n':
		n = 1
		if paste && c == '\r' && len(buf) == 1 {
			return 0, 0 // the mark of the paste's end follows at least
		}
		if c == '\r' && len(buf) > 1 && buf[1] == '\n' {
			n = 2
		}
		if paste {
			return keyNewline, n
		}
		return keyEnter, n
	case paste && c == '\t':
		return '\t', 1
	case paste && (c < ' ' || c == 0x7f):
		return keyUnknown, 1
	case c < ' ' || c == 0x7f:
		return controls[c], 1
	case c < 0x80:
		return rune(c), 1
	}
	if !utf8.FullRune(buf) {
		return 0, 0
	}
	r, size := utf8.DecodeRune(buf)
	if r < 0xa0 {
		return keyUnknown, size
	}
	return r, size // what is not UTF-8 is U+FFFD, which shows that something is wrong
}

// nextEscape cuts off an escape sequence (ECMA-48, and what xterm, rxvt and the
// Linux console send).
func nextEscape(buf []byte) (key rune, n int) {
	if len(buf) < 2 {
		return 0, 0
	}
	switch c := buf[1]; {
	case c == 'O' && len(buf) < 3:
		return 0, 0
	case c == 'O':
		return cursors[buf[2]], 3
	case escapes[c] != 0:
		return escapes[c], 2
	case c != '[':
		return keyUnknown, 1 // what follows is a key of its own
	}
	for n = 2; n < len(buf) && buf[n] >= 0x20 && buf[n] <= 0x3f; n++ {
	}
	switch {
	case n > maxSequence:
		return keyUnknown, n
	case n == len(buf):
		return 0, 0
	case buf[n] < 0x40 || buf[n] > 0x7e:
		return keyUnknown, n
	case buf[n] == '[' && n == 2: // the Linux console's F1 to F5
		if len(buf) < 4 {
			return 0, 0
		}
		return keyUnknown, 4
	}
	first, modifier, _ := bytes.Cut(buf[2:n], []byte(";"))
	switch final := buf[n]; {
	case final == '~':
		return numbered[string(first)], n + 1
	case len(modifier) > 0 && final == 'C':
		return keyWordRight, n + 1
	case len(modifier) > 0 && final == 'D':
		return keyWordLeft, n + 1
	default:
		return cursors[final], n + 1
	}
}
