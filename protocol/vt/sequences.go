package vt

import (
	"bytes"
	"strconv"
)

// controlled handles a whole ESC [ … c.
func (m *Modes) controlled(c byte) {
	if m.n > most {
		m.rendition = m.rendition || c == 'm' // the only long one
		return
	}
	seq := m.seq[:m.n]
	var prefix byte
	if len(seq) > 0 && seq[0] >= '<' {
		prefix, seq = seq[0], seq[1:]
	}
	switch {
	case prefix == '?' && (c == 'h' || c == 'l'):
		for field := range bytes.SplitSeq(seq, []byte{';'}) {
			m.private(number(field), c == 'h')
		}
	case prefix == '>' && c == 'm':
		if key, value, _ := bytes.Cut(seq, []byte{';'}); number(key) == 4 || len(key) == 0 {
			m.otherKeys = len(key) > 0 && number(value) > 0
			m.keysLevel = number(value)
		}
	case c == 'u' && prefix != 0:
		m.keyboard(prefix, seq)
	case prefix != 0:
	case c == 'h' || c == 'l':
		for field := range bytes.SplitSeq(seq, []byte{';'}) {
			switch number(field) {
			case 4:
				m.insert = c == 'h'
			case 20:
				m.newline = c == 'h'
			}
		}
	case c == 'm':
		m.rendition = len(bytes.Trim(seq, "0;")) > 0
		m.draws(seq)
	case c == 'r':
		m.region = len(seq) > 0
		top, bottom, _ := bytes.Cut(seq, []byte{';'})
		m.top, m.bottom = number(top), number(bottom)
	case c == 'H' || c == 'f' || c == 'd':
		m.placed = m.placed || len(seq) > 0
	case (c == 's' || c == 'u') && len(seq) == 0:
		m.remembered = c == 's'
	case c == 'q' && bytes.HasSuffix(seq, []byte{' '}):
		m.shape = number(seq[:len(seq)-1])
		m.cursorStyle = m.shape > 0
	case c == 'p' && string(seq) == "!":
		m.softReset()
	case c == 't':
		m.titled(seq)
	}
}

// number is a parameter's value; 0 if it is left out or not a number.
func number(field []byte) int {
	n, err := strconv.ParseUint(string(field), 10, 16)
	if err != nil {
		return 0
	}
	return int(n)
}

// private handles a mode that is set or reset.
func (m *Modes) private(n int, on bool) {
	switch n {
	case 47, 1047, 1049:
		if m.alternate = 0; on {
			m.alternate = n
		}
		return
	}
	for i, known := range modes {
		switch {
		case known.number != n:
		case known.on != on:
			m.changed |= 1 << i
		default:
			m.changed &^= 1 << i
		}
	}
}

// keyboard handles kitty's: > pushes flags, < pops levels, = sets flags.
func (m *Modes) keyboard(prefix byte, seq []byte) {
	levels, set := &m.pushed[m.now()], &m.flagged[m.now()]
	switch first, second, _ := bytes.Cut(seq, []byte{';'}); prefix {
	case '>':
		if *levels < deepest {
			m.flags[m.now()][*levels] = uint8(number(first))
			*levels++
		}
	case '<':
		*levels = max(*levels-max(number(first), 1), 0)
	case '=':
		switch number(second) {
		case 2:
			*set = *set || number(first) > 0
		case 3: // pops some; perhaps not all
		default:
			*set = number(first) > 0
			m.flag[m.now()] = uint8(number(first))
		}
	}
}

// titled handles ESC [ 22 ; which t, which pushes titles on a stack, and 23, which pops them: 2 is
// the window's, 1 the icon's, 0 both.
func (m *Modes) titled(seq []byte) {
	what, which, _ := bytes.Cut(seq, []byte{';'})
	which, _, _ = bytes.Cut(which, []byte{';'})
	step := 0
	switch number(what) {
	case 22:
		step = 1
	case 23:
		step = -1
	}
	if number(which) != 1 {
		m.titles = min(max(m.titles+step, 0), deepest)
	}
	if number(which) != 2 {
		m.icons = min(max(m.icons+step, 0), deepest)
	}
}

// softReset handles DECSTR.
func (m *Modes) softReset() {
	for _, known := range []mode{{1, false}, {6, false}, {7, true}, {25, true}, {69, false}} {
		m.private(known.number, known.on)
	}
	m.insert, m.keypad, m.region, m.rendition, m.charset = false, false, false, false, [2]bool{}
	m.pen = m.pen[:0]
}

// ordered handles a whole ESC ] … : colours and hyperlinks.
func (m *Modes) ordered() {
	seq := m.seq[:min(m.n, most)]
	name, rest, _ := bytes.Cut(seq, []byte{';'})
	if string(name) == "8" {
		_, target, found := bytes.Cut(rest, []byte{';'})
		m.link = len(target) > 0 || !found && m.n > most
	}
	for i, c := range paletteResets {
		switch string(name) {
		case c.set:
			if !bytes.Contains(rest, []byte{'?'}) { // a query
				m.colors[i] = true
			}
		case c.reset:
			m.colors[i] = false
		}
	}
}
