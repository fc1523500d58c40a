// Package faketerminal is for tests of what is drawn on a terminal: a small one in memory.
package faketerminal

import (
	"strings"
	"unicode/utf8"
)

// What the keys of the cursor send.
const (
	Left, Right, Up, Down = "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B"
	Home, End, Del        = "\x1b[H", "\x1b[F", "\x1b[3~"
)

// Terminal does what an xterm does with the sequences that the prompt uses. Its widths are its own,
// so that an error in terminal/width.go shows.
type Terminal struct {
	W, H  int             // its columns and rows
	Cells [][]string      // "" is the right half of a wide character
	X, Y  int             // the cursor
	Wrap  bool            // a character was written into the last column
	Raw   strings.Builder // everything that came
	rest  []byte          // of a sequence or a character that is not complete
}

// New is an empty terminal of so many columns and rows.
func New(w, h int) *Terminal {
	m := &Terminal{W: w, H: h}
	for range h {
		m.Cells = append(m.Cells, m.blank())
	}
	return m
}

func (m *Terminal) blank() []string {
	row := make([]string, m.W)
	for i := range row {
		row[i] = " "
	}
	return row
}

// columns is how many columns a character takes.
func columns(r rune) int {
	switch {
	case r >= 0x300 && r <= 0x36f, r == 0x200d, r >= 0xfe00 && r <= 0xfe0f:
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3,
		r >= 0xf900 && r <= 0xfaff,
		r >= 0xff00 && r <= 0xff60, r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}

// Write shows and obeys what comes.
func (m *Terminal) Write(p []byte) (int, error) {
	m.Raw.Write(p)
	b := append(m.rest, p...)
	for len(b) > 0 {
		n := m.one(b)
		if n == 0 {
			break
		}
		b = b[n:]
	}
	m.rest = append([]byte(nil), b...)
	return len(p), nil
}

// one obeys what comes first in b and returns its length; 0: not complete.
func (m *Terminal) one(b []byte) int {
	switch b[0] {
	case '\r':
		m.X, m.Wrap = 0, false
		return 1
	case '\n':
		m.Wrap = false
		m.down()
		return 1
	case 7:
		return 1
	case 8:
		m.X, m.Wrap = max(0, m.X-1), false
		return 1
	case 0x1b:
		return m.sequence(b)
	}
	if !utf8.FullRune(b) {
		return 0
	}
	r, size := utf8.DecodeRune(b)
	m.put(r)
	return size
}

func (m *Terminal) down() {
	if m.Y++; m.Y == m.H {
		m.Cells = append(m.Cells[1:], m.blank())
		m.Y--
	}
}

func (m *Terminal) put(r rune) {
	n := columns(r)
	if n == 0 {
		x := m.X
		if !m.Wrap {
			x--
		}
		for x > 0 && m.Cells[m.Y][x] == "" {
			x--
		}
		m.Cells[m.Y][max(x, 0)] += string(r)
		return
	}
	if m.Wrap || m.X+n > m.W {
		m.X, m.Wrap = 0, false
		m.down()
	}
	m.Cells[m.Y][m.X] = string(r)
	if n == 2 {
		m.Cells[m.Y][m.X+1] = ""
	}
	if m.X += n; m.X >= m.W {
		m.X, m.Wrap = m.W-1, true
	}
}

func (m *Terminal) sequence(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	if b[1] != '[' {
		return 2
	}
	i := 2
	for i < len(b) && b[i] >= 0x20 && b[i] <= 0x3f {
		i++
	}
	if i == len(b) {
		return 0
	}
	n := 0
	for _, c := range b[2:i] {
		if c >= '0' && c <= '9' {
			n = n*10 + int(c-'0')
		}
	}
	many := max(n, 1)
	switch b[i] {
	case 'A':
		m.Y, m.Wrap = max(0, m.Y-many), false
	case 'B':
		m.Y, m.Wrap = min(m.H-1, m.Y+many), false
	case 'C':
		m.X, m.Wrap = min(m.W-1, m.X+many), false
	case 'D':
		m.X, m.Wrap = max(0, m.X-many), false
	case 'H':
		m.X, m.Y, m.Wrap = 0, 0, false
	case 'K':
		copy(m.Cells[m.Y][m.X:], m.blank())
	case 'J':
		top := m.Y
		if n == 2 {
			top = -1
		} else {
			copy(m.Cells[m.Y][m.X:], m.blank())
		}
		for y := top + 1; y < m.H; y++ {
			m.Cells[y] = m.blank()
		}
	}
	return i + 1
}

// Text is the screen without blanks at the ends of rows and rows at the end.
func (m *Terminal) Text() string {
	var rows []string
	for _, row := range m.Cells {
		rows = append(rows, strings.TrimRight(strings.Join(row, ""), " "))
	}
	return strings.TrimRight(strings.Join(rows, "\n"), "\n")
}
