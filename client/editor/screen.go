package editor

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"minissh/client/terminal"
)

// The escape sequences of what is drawn.
const (
	styleOff  = "\x1b[0m"
	styleNote = "\x1b[7m" // reversed: below the line
)

// screen draws a text with its prompt on a terminal in raw mode, over as many rows as it takes.
// Rows end with CR LF and never by the terminal's own wrapping, whose rules differ.
type screen struct {
	out   io.Writer
	size  func() (columns, rows int)
	label string // the prompt: printable text
	style string // the escape sequence that begins the label; "" for none

	note string // is shown in a row below: printable text; "" for none

	line []rune // what is edited; it may have several lines
	pos  int    // the cursor's place in line, 0 to len(line)

	// What is on the terminal now.
	drawn  *view  // nil: nothing yet
	noted  string // the note below it
	first  int    // the first row of the layout that shows
	widest int    // the width of the terminal when it was drawn
}

// view is what shows of a layout.
type view struct {
	first    int // its first row in the layout
	rows     []string
	widths   []int
	row, col int // the cursor, counted from the first row that shows
}

// begin forgets what was drawn: the cursor is at the start of a free row.
func (s *screen) begin(label, style string) {
	*s = screen{out: s.out, size: s.size, label: label, style: style, note: s.note}
}

// look is what shows on so many rows: if there are more, those around the cursor.
func (s *screen) look(columns, height int, last bool) *view {
	label, pos := []rune(s.label), s.pos
	if last {
		pos = len(s.line)
	}
	l := lay(label, s.line, pos, columns, last)
	if l.row < s.first {
		s.first = l.row
	}
	if l.row >= s.first+height {
		s.first = l.row - height + 1
	}
	s.first = max(0, min(s.first, len(l.rows)-height))
	v := &view{first: s.first, row: l.row - s.first, col: l.col}
	for i := s.first; i < min(len(l.rows), s.first+height); i++ {
		v.rows = append(v.rows, l.draw(i, label, s.line, s.style, columns))
		v.widths = append(v.widths, l.rows[i].width)
	}
	return v
}

// draw brings the terminal up to date, in one write.
func (s *screen) draw(last bool) {
	columns, height := s.size()
	columns, height = max(columns, 2), max(height, 1)
	note, rows := s.note, height
	if last || height < 2 {
		note = ""
	}
	if note != "" {
		rows--
	}
	v := s.look(columns, rows, last)
	if note == s.noted && s.appends(v, columns) {
		return
	}
	var b bytes.Buffer
	s.erase(&b, columns, height)
	b.WriteString(strings.Join(v.rows, "\r\n"))
	end := len(v.rows) - 1
	up := end - v.row
	if note != "" {
		b.WriteString("\r\n" + styleNote + cut(note, columns-1) + styleOff)
		up++
	}
	if up > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", up)
	}
	if note != "" || v.row != end || v.col != v.widths[v.row] {
		b.WriteByte('\r')
		if v.col > 0 {
			fmt.Fprintf(&b, "\x1b[%dC", v.col)
		}
	}
	s.drawn, s.noted, s.widest = v, note, columns
	s.out.Write(b.Bytes())
}

// erase removes what is drawn: the cursor is then where the first shown row began.
func (s *screen) erase(b *bytes.Buffer, columns, height int) {
	if s.drawn == nil {
		return
	}
	b.WriteByte('\r')
	if up := min(s.above(columns), height-1); up > 0 {
		fmt.Fprintf(b, "\x1b[%dA", up)
	}
	b.WriteString("\x1b[J")
}

// clear removes the line from the terminal, for something else to be written there. draw brings it
// back below that.
func (s *screen) clear() {
	columns, height := s.size()
	var b bytes.Buffer
	s.erase(&b, max(columns, 2), max(height, 1))
	s.drawn, s.noted = nil, ""
	s.out.Write(b.Bytes())
}

// appends is the short way for characters typed at the end: it writes only those.
func (s *screen) appends(v *view, columns int) bool {
	old := s.drawn
	if old == nil || s.widest != columns || old.first != v.first || len(old.rows) != len(v.rows) {
		return false
	}
	n := len(v.rows) - 1
	added, longer := strings.CutPrefix(v.rows[n], old.rows[n])
	if !longer || old.row != n || v.row != n || old.col != old.widths[n] || v.col != v.widths[n] ||
		!slices.Equal(old.rows[:n], v.rows[:n]) {
		return false
	}
	if added != "" {
		io.WriteString(s.out, added)
	}
	s.drawn = v
	return true
}

// above is how many rows of the terminal the cursor is below the first shown row. After a change of
// width it is what it is in terminals that wrap old rows anew; those that cut them instead (xterm)
// lose a row of older output.
func (s *screen) above(columns int) int {
	if columns == s.widest {
		return s.drawn.row
	}
	n := 0
	for _, w := range s.drawn.widths[:s.drawn.row] {
		n += max(1, (w+columns-1)/columns)
	}
	return n + s.drawn.col/columns
}

// cut is the beginning of a text, at most so many columns wide.
func cut(text string, columns int) string {
	runes := []rune(text)
	for terminal.Columns(string(runes)) > columns {
		runes = runes[:len(runes)-1]
	}
	return string(runes)
}
