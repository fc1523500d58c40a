package editor

import (
	"strings"

	"minissh/client/terminal"
)

// NextRow comes before each row of a text but the first, as a shell's second prompt.
const NextRow = "> "

// layout is where the characters of a label and a text are on a screen. It holds where rows begin
// and nothing of what is in them: a text may have thousands, of which a screen shows a few.
type layout struct {
	rows     []row
	row, col int // the cursor
}

// row is a row of a layout.
type row struct {
	first int  // its first character, counted from the label's first
	width int  // in columns
	next  bool // NextRow comes first
}

// lay cuts the label and the text into rows of at most columns columns. The cursor has a row of its
// own if it is after a full one, except at the end (last), when nothing more will be typed.
func lay(label, text []rune, pos, columns int, last bool) *layout {
	l := &layout{rows: []row{{}}}
	used := 0
	begin := func(first int, next bool) {
		l.rows[len(l.rows)-1].width = used
		l.rows = append(l.rows, row{first: first, next: next})
		if used = 0; next {
			used = len(NextRow)
		}
	}
	cursor := func() { l.row, l.col = len(l.rows)-1, used }
	for i, r := range label {
		n := wide(r, columns)
		if used+n > columns {
			begin(i, false)
		}
		used += n
	}
	for i, r := range text {
		at := len(label) + i
		if r == '\n' {
			if i == pos {
				if used >= columns {
					begin(at, false)
				}
				cursor()
			}
			begin(at+1, true)
			continue
		}
		n := 1
		if r < ' ' || r > '~' { // the others are most, and there may be a million of them
			n = wide(r, columns)
		}
		if used+n > columns {
			begin(at, false)
		}
		if i == pos {
			cursor()
		}
		used += n
	}
	if pos >= len(text) {
		if used >= columns && !last {
			begin(len(label)+len(text), false)
		}
		cursor()
	}
	l.rows[len(l.rows)-1].width = used
	return l
}

// draw is what is in the i-th row.
func (l *layout) draw(i int, label, text []rune, style string, columns int) string {
	end := len(label) + len(text)
	if i+1 < len(l.rows) {
		end = l.rows[i+1].first
	}
	var b strings.Builder
	if i == 0 {
		b.WriteString(style)
	}
	if l.rows[i].next {
		b.WriteString(NextRow)
	}
	put := func(r rune) {
		shown, n := glyph(r)
		if n > columns {
			shown = "?"
		}
		b.WriteString(shown)
	}
	first := l.rows[i].first
	for at := first; at < min(end, len(label)); at++ {
		put(label[at])
	}
	if style != "" && first <= len(label) && (end > len(label) || i+1 == len(l.rows)) {
		b.WriteString(styleOff)
	}
	for at := max(first, len(label)); at < end; at++ {
		if r := text[at-len(label)]; r != '\n' {
			put(r)
		}
	}
	return b.String()
}

// The characters between these two are wide.
const ideographs, lastIdeograph = '一', '\u9fff'

// wide is how many columns a character takes. What is wider than the whole screen, a character that
// is spelled out, is shown as a question mark.
func wide(r rune, columns int) int {
	if r >= ideographs && r <= lastIdeograph {
		return min(2, columns)
	}
	_, n := glyph(r)
	if n > columns {
		return 1
	}
	return n
}

// glyph is how a character of the text looks, and how many columns that takes.
func glyph(r rune) (string, int) {
	if r == '\t' {
		return "⇥", 1
	}
	return terminal.Glyph(r)
}
