package vt

import "unicode/utf8"

// Screen says which screen shows, and whether something of our own may be written to it now and be
// taken away again.
type Screen struct {
	Alternate bool // the one of full-screen programs
	// Free is false inside a control sequence or a character, and where the program relies on a
	// place of the cursor that it saved: we would have to save one over it. On the main screen it
	// is also false while only a part of the screen scrolls.
	Free bool
	// Placed: the program sends the cursor to rows, so it may have drawn below it. After it has
	// ended this stays.
	Placed bool
	Insert bool // new text moves the text after it
	Origin bool // places count from the scroll region
}

// Screen is how a screen of so many rows is now.
func (m *Modes) Screen(rows int) Screen {
	s := Screen{Alternate: m.alternate != 0, Placed: m.placed, Insert: m.insert}
	// many programs leave a region behind that is the whole screen
	margins := m.region && (m.top > 1 || m.bottom > 0 && m.bottom < rows)
	for i, mode := range modes {
		on := m.changed&(1<<i) != 0
		margins = margins || mode.number == 69 && on
		s.Origin = s.Origin || mode.number == 6 && on
	}
	s.Free = m.state == ground && m.restSize == 0 && !m.remembered && (s.Alternate || !margins)
	return s
}

// characters notes whether p ends inside a character of UTF-8. What is not UTF-8 does not count.
func (m *Modes) characters(p []byte) {
	if len(p) == 0 || p[len(p)-1] < utf8.RuneSelf {
		m.restSize = 0 // nearly always
		return
	}
	var tail []byte
	if len(p) < utf8.UTFMax {
		tail = append(tail, m.rest[:m.restSize]...)
	}
	tail = append(tail, p[max(0, len(p)-utf8.UTFMax):]...)
	m.restSize = 0
	for i := len(tail) - 1; i >= max(0, len(tail)-len(m.rest)); i-- {
		if utf8.RuneStart(tail[i]) {
			if !utf8.FullRune(tail[i:]) {
				m.restSize = copy(m.rest[:], tail[i:])
			}
			return
		}
	}
}
