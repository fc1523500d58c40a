// Package vt follows what a remote program sends to our terminal, and knows how to switch off what
// that has switched on. When a link is lost while an editor runs, nobody else will: the terminal
// would stay on the alternate screen and report the mouse.
//
// It knows those of xterm's control sequences (ctlseqs) and of kitty's keyboard protocol that
// outlive a program and harm a shell: modes, the scroll region, colours, character sets, the stack
// of titles. It draws nothing, and passes over what it does not know.
package vt

import "bytes"

const (
	bel = 0x07
	can = 0x18
	sub = 0x1a
	esc = 0x1b
)

// state is where in a control sequence (ECMA-48) the stream is.
type state uint8

const (
	ground        state = iota
	escape              // after ESC
	intermediate        // after ESC and an intermediate, of a character set or something else
	control             // after ESC [
	command             // after ESC ], up to its end
	commandEscape       // after ESC in such a command
	other               // in a string of another kind
	otherEscape
)

// most is how much of a control sequence is looked at, in bytes. No mode needs more.
const most = 64

// deepest is the most levels of a stack (titles, kitty's keyboard flags) that are undone.
const deepest = 32

// Modes is what has been switched on. The zero Modes is a terminal where nothing is. It is not safe
// for concurrent use.
type Modes struct {
	state state
	seq   [most]byte // parameters and intermediates of the current sequence
	n     int        // their number; beyond most the sequence is too long to be understood

	changed     uint64  // which of modes have changed
	alternate   int     // the mode that switched to the alternate screen; 0: it is not shown
	pushed      [2]int  // levels of kitty's keyboard flags, on the main and on the alternate screen
	flagged     [2]bool // kitty's flags were set on them
	titles      int     // pushed
	icons       int     // icon titles, pushed
	insert      bool    // new text moves the text after it
	newline     bool    // LF does CR as well
	keypad      bool    // the keypad sends sequences
	otherKeys   bool    // xterm's modifyOtherKeys
	region      bool    // rows were named between which the screen scrolls
	top, bottom int     // those rows; 0: the first and the last
	rendition   bool    // bold, coloured, …
	cursorStyle bool    // another shape
	link        bool    // a hyperlink is open
	charset     [2]bool // G0, G1: perhaps not letters
	colors      [4]bool // of paletteResets
	placed      bool    // the cursor was sent to a row: the program draws on the whole screen
	remembered  bool    // a place of the cursor is saved, and not restored yet

	// For Redo alone: the values of what is on.
	flags     [2][deepest]uint8 // kitty's, of each level that was pushed
	flag      [2]uint8          // kitty's, that were set
	keysLevel int               // of modifyOtherKeys
	shape     int               // of the cursor
	sets      [2]byte           // G0, G1: the last byte of their names
	pen       []byte            // the renditions since the last reset, as they came

	text     bool    // what came last was text, and no control
	rest     [3]byte // the beginning of a character whose end has not come
	restSize int     // bytes of it
}

// mode is a private mode (DECSET), and whether it was on before.
type mode struct {
	number int
	on     bool
}

// modes are those that outlive a program, in the order in which they are put back; the alternate
// screen is not among them.
var modes = []mode{
	{2026,
		false}, // nothing is shown until the end of an update
	{1,
		false}, // cursor keys send an application's sequences
	{5, false}, // all colours reversed
	{6,
		false}, // places count from the scroll region
	{69, false}, // margins at the sides
	{7, true},   // wrapping
	{66,
		false}, // the keypad sends an application's sequences
	{9, false}, {1000, false}, {1001, false}, {1002, false}, {1003, false}, // the mouse is reported
	{1004, false},                                              // focus is reported
	{1005, false}, {1006, false}, {1015, false}, {1016, false}, // how the mouse is reported
	{2004, false}, // pastes are marked
	{2031, false}, // a change of colours is reported
	{2048, false}, // a change of size is reported
	{25, true},    // the cursor shows
}

// paletteResets are the commands that reset colours, and those that set them.
var paletteResets = [4]struct{ set, reset string }{{"4", "104"}, {"10", "110"}, {"11", "111"},
	{"12", "112"}}

// Pass notes what has been sent to the terminal, in pieces of any size.
func (m *Modes) Pass(p []byte) {
	m.characters(p)
	for len(p) > 0 {
		if m.state == ground {
			i := bytes.IndexByte(p, esc)
			if i < 0 {
				m.text = p[len(p)-1] >= ' ' && p[len(p)-1] != 0x7f
				return
			}
			m.state, m.text, p = escape, false, p[i+1:]
			continue
		}
		m.step(p[0])
		p = p[1:]
	}
}

// step takes one byte that belongs to a control sequence.
func (m *Modes) step(c byte) {
	switch {
	case c == can || c == sub:
		m.state = ground
	case c == esc:
		switch m.state {
		case command:
			m.state = commandEscape
		case other:
			m.state = otherEscape
		default:
			m.state = escape
		}
	case m.state == command && c == bel:
		m.state = ground
		m.ordered()
	case m.state == command:
		m.collect(c)
	case m.state == commandEscape && c == '\\':
		m.state = ground
		m.ordered()
	case m.state == other:
	// obeyed at once, in the middle of a sequence; it concerns nothing here
	case c < ' ' || c == 0x7f:
	case m.state == escape || m.state == commandEscape || m.state == otherEscape:
		m.escaped(c)
	case m.state == intermediate:
		m.designated(c)
	case c >= ' ' && c < '@':
		m.collect(c)
	default:
		m.state = ground
		m.controlled(c)
	}
}

func (m *Modes) collect(c byte) {
	if m.n < most {
		m.seq[m.n] = c
	}
	m.n = min(m.n+1, most+1)
}

// escaped handles what follows ESC.
func (m *Modes) escaped(c byte) {
	m.state, m.n = ground, 0
	switch {
	case c == '[':
		m.state = control
	case c == ']':
		m.state = command
	case c == 'P' || c == 'X' || c == '^' || c == '_':
		m.state = other
	case c < '0':
		m.state = intermediate
		m.collect(c)
	case c == '=':
		m.keypad = true
	case c == '>':
		m.keypad = false
	case c == '7':
		m.remembered = true
	case c == '8':
		m.remembered = false
	case c == 'c': // a full reset
		*m = Modes{}
	}
}

// designated handles the end of ESC and intermediates: a character set, perhaps.
func (m *Modes) designated(c byte) {
	if c < '0' {
		m.collect(c)
		return
	}
	m.state = ground
	if set := int(m.seq[0]) - '('; m.n == 1 && set >= 0 && set < len(m.charset) {
		m.charset[set], m.sets[set] = c != 'B', c
	}
}

// now is the index of the screen that is shown.
func (m *Modes) now() int {
	if m.alternate != 0 {
		return 1
	}
	return 0
}
