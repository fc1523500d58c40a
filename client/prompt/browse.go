package prompt

import "slices"

// up goes to the row above; from the first one, to the line before in the history.
func (e *editor) up() {
	begin := e.rowBegin(e.scr.pos)
	if begin == 0 {
		e.older()
		return
	}
	e.keepColumn(begin)
	above := e.rowBegin(begin - 1)
	e.scr.pos = min(above+e.column, begin-1)
}

// down goes to the row below; from the last one, to the line after in the history.
func (e *editor) down() {
	end := e.rowEnd(e.scr.pos)
	if end == len(e.scr.line) {
		e.newer()
		return
	}
	e.keepColumn(e.rowBegin(e.scr.pos))
	e.scr.pos = min(end+1+e.column, e.rowEnd(end+1))
}

// keepColumn notes where the cursor is in its row, which begins at begin, unless it is there only
// because a row was too short.
func (e *editor) keepColumn(begin int) {
	if e.last != keyUp && e.last != keyDown {
		e.column = e.scr.pos - begin
	}
}

func (e *editor) older()  { e.browse(e.back + 1) }
func (e *editor) newer()  { e.browse(e.back - 1) }
func (e *editor) oldest() { e.browse(e.history.Len()) }
func (e *editor) newest() { e.browse(0) }

// browse shows the line that is so many back in the history, as it was left if it was changed.
func (e *editor) browse(back int) {
	if back < 0 || back > e.history.Len() || back == e.back {
		return
	}
	if e.left == nil {
		e.left = map[int]draft{}
	}
	if e.back == 0 || len(e.changes) > 0 {
		e.draft.line = e.scr.line
		e.left[e.back] = e.draft
	} else {
		delete(e.left, e.back)
	}
	e.scr.line = slices.Clone(e.entry(back))
	e.draft, e.back = e.left[back], back
	e.scr.pos = len(e.scr.line)
	e.column = 1 << 30 // further up, the cursor stays at the ends of rows
}

// entry is the line that is so many back in the history, as it was left.
func (e *editor) entry(back int) []rune {
	if back == e.back {
		return e.scr.line
	}
	if d, changed := e.left[back]; changed {
		return d.line
	}
	if back == 0 {
		return nil
	}
	return []rune(e.history.At(back - 1))
}

// lastWord inserts the last word of the line before, or, again, of the one before that instead.
func (e *editor) lastWord() {
	if e.last != keyLastWord {
		e.dots, e.dotted = 0, 0
	}
	if e.dots == e.history.Len() {
		return
	}
	word := []rune(lastWord(e.history.At(e.dots)))
	e.dots++
	e.replace(e.scr.pos-e.dotted, e.scr.pos, word...)
	e.dotted = len(word)
}
