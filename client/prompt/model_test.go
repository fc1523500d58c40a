package prompt

import (
	"strings"
	"unicode/utf8"
)

// model is a small terminal: what an xterm does with the sequences that the
// prompt uses. Its widths are its own, so that an error in width.go shows.
type model struct {
	w, h  int
	cells [][]string // "" is the right half of a wide character
	x, y  int
	wrap  bool // a character was written into the last column
	rest  []byte
	raw   strings.Builder // everything that came
}

func newModel(w, h int) *model {
	m := &model{w: w, h: h}
	for range h {
		m.cells = append(m.cells, m.blank())
	}
	return m
}

func (m *model) blank() []string {
	row := make([]string, m.w)
	for i := range row {
		row[i] = " "
	}
	return row
}

func modelWidth(r rune) int {
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

func (m *model) Write(p []byte) (int, error) {
	m.raw.Write(p)
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
func (m *model) one(b []byte) int {
	switch b[0] {
	case '\r':
		m.x, m.wrap = 0, false
		return 1
	case '\n':
		m.wrap = false
		m.down()
		return 1
	case 7:
		return 1
	case 8:
		m.x, m.wrap = max(0, m.x-1), false
		return 1
	case esc:
		return m.sequence(b)
	}
	if !utf8.FullRune(b) {
		return 0
	}
	r, size := utf8.DecodeRune(b)
	m.put(r)
	return size
}

func (m *model) down() {
	if m.y++; m.y == m.h {
		m.cells = append(m.cells[1:], m.blank())
		m.y--
	}
}

func (m *model) put(r rune) {
	n := modelWidth(r)
	if n == 0 {
		x := m.x
		if !m.wrap {
			x--
		}
		for x > 0 && m.cells[m.y][x] == "" {
			x--
		}
		m.cells[m.y][max(x, 0)] += string(r)
		return
	}
	if m.wrap || m.x+n > m.w {
		m.x, m.wrap = 0, false
		m.down()
	}
	m.cells[m.y][m.x] = string(r)
	if n == 2 {
		m.cells[m.y][m.x+1] = ""
	}
	if m.x += n; m.x >= m.w {
		m.x, m.wrap = m.w-1, true
	}
}

func (m *model) sequence(b []byte) int {
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
		m.y, m.wrap = max(0, m.y-many), false
	case 'B':
		m.y, m.wrap = min(m.h-1, m.y+many), false
	case 'C':
		m.x, m.wrap = min(m.w-1, m.x+many), false
	case 'D':
		m.x, m.wrap = max(0, m.x-many), false
	case 'H':
		m.x, m.y, m.wrap = 0, 0, false
	case 'K':
		copy(m.cells[m.y][m.x:], m.blank())
	case 'J':
		top := m.y
		if n == 2 {
			top = -1
		} else {
			copy(m.cells[m.y][m.x:], m.blank())
		}
		for y := top + 1; y < m.h; y++ {
			m.cells[y] = m.blank()
		}
	}
	return i + 1
}

// text is the screen without blanks at the ends of rows and rows at the end.
func (m *model) text() string {
	var rows []string
	for _, row := range m.cells {
		rows = append(rows, strings.TrimRight(strings.Join(row, ""), " "))
	}
	return strings.TrimRight(strings.Join(rows, "\n"), "\n")
}
