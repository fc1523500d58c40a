package prompt

import (
	"bytes"
	"fmt"
	"io"

	"minissh/client/terminal"
)

// screen draws one line with its prompt on a terminal in raw mode, over as many rows as it takes.
// Rows end with CR LF and never by the terminal's own wrapping, whose rules differ.
type screen struct {
	out   io.Writer
	size  func() (columns, rows int)
	label string // the prompt: printable text
	style string // the escape sequence that begins the label; "" for none

	note string // is shown in a row below: printable text; "" for none

	line []rune // what is edited
	pos  int    // the cursor's place in line, 0 to len(line)

	// What is on the terminal now.
	drawn  *layout // nil: nothing yet
	noted  string  // the note below it
	first  int     // the first row of drawn that shows
	widest int     // the width of the terminal when it was drawn
}

// layout is a line cut into rows.
type layout struct {
	rows     []string
	widths   []int
	row, col int // the cursor
}

// lay cuts the label and the line into rows of at most columns columns. The cursor has a row of its
// own if it is after a full one, except at the end (last), when nothing more will be typed.
func lay(label, style string, line []rune, pos, columns int, last bool) *layout {
	l := &layout{}
	var row bytes.Buffer
	used := 0
	end := func() {
		l.rows = append(l.rows, row.String())
		l.widths = append(l.widths, used)
		row.Reset()
		used = 0
	}
	put := func(r rune) {
		text, n := glyph(r)
		if used+n > columns {
			end()
		}
		if n > columns { // a spelled-out character on a very narrow terminal
			text, n = "?", 1
		}
		row.WriteString(text)
		used += n
	}
	row.WriteString(style)
	for _, r := range label {
		put(r)
	}
	if style != "" {
		row.WriteString(styleOff)
	}
	for i, r := range line {
		if i == pos {
			// A wide character that does not fit moves the cursor to the next row with it.
			if _, n := glyph(r); used+n > columns {
				end()
			}
			l.row, l.col = len(l.rows), used
		}
		put(r)
	}
	if pos >= len(line) {
		if used >= columns && !last {
			end()
		}
		l.row, l.col = len(l.rows), used
	}
	end()
	return l
}

// glyph is how a character of the line looks, and how many columns that takes.
func glyph(r rune) (string, int) {
	switch r {
	case newlineRune:
		return "⏎", 1
	case tabRune:
		return "⇥", 1
	}
	return terminal.Glyph(r)
}

// begin forgets what was drawn: the cursor is at the start of a free row.
func (s *screen) begin(label, style string) {
	*s = screen{out: s.out, size: s.size, label: label, style: style, note: s.note}
}

// draw brings the terminal up to date, in one write.
func (s *screen) draw(last bool) {
	columns, height := s.size()
	columns, height = max(columns, 2), max(height, 1)
	line, pos := s.line, s.pos
	if last {
		pos = len(line)
	}
	l := lay(s.label, s.style, line, pos, columns, last)
	note := s.note
	if last || height < 2 {
		note = ""
	}
	if note == s.noted && s.draws(l, columns) {
		return
	}
	var b bytes.Buffer
	s.erase(&b, columns, height)
	if note != "" {
		height--
	}
	// When there are more rows than the screen has, those around the cursor show.
	if l.row < s.first {
		s.first = l.row
	}
	if l.row >= s.first+height {
		s.first = l.row - height + 1
	}
	s.first = max(0, min(s.first, len(l.rows)-height))
	end := min(len(l.rows), s.first+height)
	for i := s.first; i < end; i++ {
		if i > s.first {
			b.WriteString("\r\n")
		}
		b.WriteString(l.rows[i])
	}
	up := end - 1 - l.row
	if note != "" {
		b.WriteString("\r\n" + styleNote + cut(note, columns-1) + styleOff)
		up++
	}
	if up > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", up)
	}
	if note != "" || l.row != end-1 || l.col != l.widths[l.row] {
		b.WriteByte('\r')
		if l.col > 0 {
			fmt.Fprintf(&b, "\x1b[%dC", l.col)
		}
	}
	s.drawn, s.noted, s.widest = l, note, columns
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

// draws is the short way for a character typed at the end: it writes only that.
func (s *screen) draws(l *layout, columns int) bool {
	old := s.drawn
	if old == nil || s.widest != columns || len(old.rows) != len(l.rows) {
		return false
	}
	n := len(l.rows) - 1
	if old.row != n || l.row != n || old.col != old.widths[n] || l.col != l.widths[n] ||
		len(l.rows[n]) < len(old.rows[n]) ||
		l.rows[n][:len(old.rows[n])] != old.rows[n] {
		return false
	}
	for i := range n {
		if l.rows[i] != old.rows[i] {
			return false
		}
	}
	if added := l.rows[n][len(old.rows[n]):]; added != "" {
		io.WriteString(s.out, added)
	}
	s.drawn = l
	return true
}

// above is how many rows of the terminal the cursor is below the first shown row. After a change of
// width it is what it is in terminals that wrap old rows anew; those that cut them instead (xterm)
// lose a row of older output.
func (s *screen) above(columns int) int {
	if columns == s.widest {
		return s.drawn.row - s.first
	}
	n := 0
	for _, w := range s.drawn.widths[s.first:s.drawn.row] {
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
