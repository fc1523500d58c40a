package vt

import (
	"bytes"
	"fmt"
)

// Whole says whether all sequences and characters that have begun have ended too: what comes next
// may go to another terminal.
func (m *Modes) Whole() bool { return m.state == ground && m.restSize == 0 }

// Text says whether what came last was text: the cursor is after it then, or, at the right, on it.
func (m *Modes) Text() bool { return m.text }

// Pen is what sets the rendition that is on, from any other.
func (m *Modes) Pen() []byte { return append([]byte("\x1b[m"), m.pen...) }

// FirstRow is the row, counted from 0, that is called 1 where the cursor is placed: not the
// screen's first one in the mode Origin, once rows were named between which it scrolls.
func (m *Modes) FirstRow() int {
	for i, mode := range modes {
		if mode.number == 6 && m.changed&(1<<i) != 0 && m.region {
			return max(m.top, 1) - 1
		}
	}
	return 0
}

// Redo returns what to send to another terminal, on which nothing is on, to have on it what is on
// here. main and alternate draw the two screens from any place of the cursor; alternate is left out
// while the main one shows. Where the cursor is then is not known: the caller places it, in
// Origin's way. Not told are colours of the palette, the stacks of titles, tab stops, and the place
// of the cursor that a program has saved.
func (m *Modes) Redo(main, alternate []byte) []byte {
	var b bytes.Buffer
	m.redoKeyboard(&b, 0)
	b.Write(main)
	if m.alternate != 0 {
		fmt.Fprintf(&b, "\x1b[?%dh", m.alternate)
		m.redoKeyboard(&b, 1)
		b.Write(alternate)
	}
	for _, one := range []struct {
		on   bool
		redo string
	}{
		{m.insert, "\x1b[4h"},
		{m.newline, "\x1b[20h"},
		{m.keypad, "\x1b="},
		{m.otherKeys, fmt.Sprintf("\x1b[>4;%dm", m.keysLevel)},
		{m.region && m.bottom > 0, fmt.Sprintf("\x1b[%d;%dr", max(m.top, 1), m.bottom)},
		{m.region && m.bottom == 0, fmt.Sprintf("\x1b[%dr", max(m.top, 1))},
		{m.charset[0], "\x1b(" + string(rune(m.sets[0]))},
		{m.charset[1], "\x1b)" + string(rune(m.sets[1]))},
		{m.cursorStyle, fmt.Sprintf("\x1b[%d q", m.shape)},
		{true, "\x1b[m"},
	} {
		if one.on {
			b.WriteString(one.redo)
		}
	}
	b.Write(m.pen)
	for i, mode := range modes {
		if m.changed&(1<<i) != 0 && mode.number != 2026 { // the end of that update is on its way
			end := 'h'
			if mode.on {
				end = 'l'
			}
			fmt.Fprintf(&b, "\x1b[?%d%c", mode.number, end)
		}
	}
	return b.Bytes()
}

// redoKeyboard sets kitty's keyboard flags of a screen.
func (m *Modes) redoKeyboard(b *bytes.Buffer, screen int) {
	for _, flags := range m.flags[screen][:m.pushed[screen]] {
		fmt.Fprintf(b, "\x1b[>%du", flags)
	}
	if m.flagged[screen] {
		fmt.Fprintf(b, "\x1b[=%du", m.flag[screen])
	}
}

// mostPen is how much of renditions is kept, in bytes: more than any program sets without a reset.
const mostPen = 256

// draws notes a rendition (ESC [ … m).
func (m *Modes) draws(seq []byte) {
	if first, _, _ := bytes.Cut(seq, []byte{';'}); number(first) == 0 && !bytes.Contains(first,
		[]byte{':'}) {
		m.pen = m.pen[:0]
	}
	if !m.rendition && len(m.pen) == 0 {
		return
	}
	for len(m.pen)+len(seq) > mostPen { // what is oldest has most likely been replaced
		next := bytes.IndexByte(m.pen[1:], esc) + 1
		if next == 0 {
			next = len(m.pen)
		}
		m.pen = append(m.pen[:0], m.pen[next:]...)
	}
	m.pen = append(append(append(m.pen, esc, '['), seq...), 'm')
}
