package vt

import (
	"bytes"
	"fmt"
)

// Undo returns what to send to the terminal to switch off what is on; nil if nothing is. It counts
// as sent.
func (m *Modes) Undo() []byte {
	var b bytes.Buffer
	if m.state != ground {
		b.WriteByte(can) // an unfinished sequence must not swallow what follows
	}
	m.undoKeyboard(&b)
	if m.alternate != 0 {
		fmt.Fprintf(&b, "\x1b[?%dl", m.alternate)
		m.alternate = 0
		m.undoKeyboard(&b)
	}
	for i, mode := range modes {
		if m.changed&(1<<i) != 0 {
			end := 'l'
			if mode.on {
				end = 'h'
			}
			fmt.Fprintf(&b, "\x1b[?%d%c", mode.number, end)
		}
	}
	for _, one := range []struct {
		on   bool
		undo string
	}{
		{m.insert, "\x1b[4l"},
		{m.newline, "\x1b[20l"},
		{m.keypad, "\x1b>"},
		{m.otherKeys, "\x1b[>4m"},
		{m.region, "\x1b7\x1b[r\x1b8"}, // resetting the region moves the cursor home
		{m.charset[0], "\x1b(B"},
		{m.charset[1], "\x1b)B\x0f"}, // and G0 is in use
		{m.cursorStyle, "\x1b[0 q"},
		{m.link, "\x1b]8;;\x1b\\"},
	} {
		if one.on {
			b.WriteString(one.undo)
		}
	}
	for i, c := range paletteResets {
		if m.colors[i] {
			b.WriteString("\x1b]" + c.reset + "\x1b\\")
		}
	}
	for range m.titles {
		b.WriteString("\x1b[23;2t")
	}
	for range m.icons {
		b.WriteString("\x1b[23;1t")
	}
	if m.rendition {
		b.WriteString("\x1b[m")
	}
	*m = Modes{}
	return b.Bytes()
}

// undoKeyboard resets kitty's keyboard flags of the screen that is shown.
func (m *Modes) undoKeyboard(b *bytes.Buffer) {
	now := m.now()
	if m.pushed[now] > 0 {
		fmt.Fprintf(b, "\x1b[<%du", m.pushed[now])
	}
	if m.flagged[now] {
		b.WriteString("\x1b[=0u")
	}
}
