package editor

import "slices"

// editing is the line that is edited, with those of the history that can be edited instead.
type editing struct {
	text
	history *History
	back    int          // how many lines back in the history the text is; 0: it is the new one
	left    map[int]text // by back: lines that were changed and left
	killed  []rune       // what Ctrl-Y brings back

	now, last rune // the key that is obeyed, and the one before
	column    int  // which keyUp and keyDown try to keep, in characters
	dots      int  // how many lines back Alt-. has been
	dotted    int  // how long the word is that it has inserted
}

// acts are what keys do to the line that do nothing else.
var acts = map[rune]func(*editing){
	keyUp:         (*editing).up,
	keyDown:       (*editing).down,
	keyOlder:      func(e *editing) { e.browse(e.back + 1) },
	keyNewer:      func(e *editing) { e.browse(e.back - 1) },
	keyOldest:     func(e *editing) { e.browse(e.history.Len()) },
	keyNewest:     func(e *editing) { e.browse(0) },
	keyLeft:       func(e *editing) { e.pos = max(e.pos-1, 0) },
	keyRight:      func(e *editing) { e.pos = min(e.pos+1, len(e.line)) },
	keyWordLeft:   func(e *editing) { e.pos = e.before(inWord) },
	keyWordRight:  func(e *editing) { e.pos = e.after(inWord) },
	keyHome:       func(e *editing) { e.pos = e.rowBegin(e.pos) },
	keyEnd:        func(e *editing) { e.pos = e.rowEnd(e.pos) },
	keyDelete:     func(e *editing) { e.replace(e.pos, e.pos+1) },
	keyBackspace:  func(e *editing) { e.replace(e.pos-1, e.pos) },
	keyBlankBack:  func(e *editing) { e.kill(e.before(notBlank), e.pos) },
	keyWordBack:   func(e *editing) { e.kill(e.before(inWord), e.pos) },
	keyWordDelete: func(e *editing) { e.kill(e.pos, e.after(inWord)) },
	keyKill:       (*editing).killToEnd,
	keyKillAll:    (*editing).killToHome,
	keyYank:       func(e *editing) { e.insert(e.killed...) },
	keyLastWord:   (*editing).lastWord,
	keyUndo:       func(e *editing) { e.undo() },
	keyTranspose:  func(e *editing) { e.transpose() },
}

// begin begins a new line.
func (e *editing) begin() {
	*e = editing{history: e.history, killed: e.killed}
}

// up goes to the row above; from the first one, to the line before in the history.
func (e *editing) up() {
	begin := e.rowBegin(e.pos)
	if begin == 0 {
		e.browse(e.back + 1)
		return
	}
	e.keepColumn(begin)
	above := e.rowBegin(begin - 1)
	e.pos = min(above+e.column, begin-1)
}

// down goes to the row below; from the last one, to the line after in the history.
func (e *editing) down() {
	end := e.rowEnd(e.pos)
	if end == len(e.line) {
		e.browse(e.back - 1)
		return
	}
	e.keepColumn(e.rowBegin(e.pos))
	e.pos = min(end+1+e.column, e.rowEnd(end+1))
}

// keepColumn notes where the cursor is in its row, which begins at begin, unless it is there only
// because a row was too short.
func (e *editing) keepColumn(begin int) {
	if e.last != keyUp && e.last != keyDown {
		e.column = e.pos - begin
	}
}

// browse goes to the line that is so many back in the history, as it was left if it was changed.
func (e *editing) browse(back int) {
	if back < 0 || back > e.history.Len() || back == e.back {
		return
	}
	if e.left == nil {
		e.left = map[int]text{}
	}
	to := text{line: slices.Clone(e.entry(back)), missing: e.left[back].missing,
		changes: e.left[back].changes, kept: e.left[back].kept}
	if e.back == 0 || len(e.changes) > 0 {
		e.left[e.back] = e.text
	} else {
		delete(e.left, e.back)
	}
	to.pos = len(to.line)
	e.text, e.back = to, back
	e.column = 1 << 30 // further up, the cursor stays at the ends of rows
}

// entry is the line that is so many back in the history, as it was left.
func (e *editing) entry(back int) []rune {
	if back == e.back {
		return e.line
	}
	if t, changed := e.left[back]; changed || back == 0 {
		return t.line
	}
	return []rune(e.history.At(back - 1))
}

// kill removes characters before or after the cursor for yank. Those of several kills in a row come
// back together.
func (e *editing) kill(from, to int) {
	gone := slices.Clone(e.line[from:to])
	switch {
	case len(gone) == 0:
		return
	case !kills[e.last]:
	case from == e.pos:
		gone = append(e.killed, gone...)
	default:
		gone = append(gone, e.killed...)
	}
	e.killed = gone
	e.replace(from, to)
}

// kills are the keys that kill.
var kills = map[rune]bool{keyKill: true, keyKillAll: true, keyBlankBack: true, keyWordBack: true,
	keyWordDelete: true}

// killToEnd removes the rest of the row; the end of the row if there is no rest.
func (e *editing) killToEnd() {
	to := e.rowEnd(e.pos)
	if to == e.pos {
		to = min(to+1, len(e.line))
	}
	e.kill(e.pos, to)
}

// killToHome removes the beginning of the row; the end of the row above if there is no beginning.
func (e *editing) killToHome() {
	from := e.rowBegin(e.pos)
	if from == e.pos {
		from = max(from-1, 0)
	}
	e.kill(from, e.pos)
}

// lastWord inserts the last word of the line before, or, again, of the one before that instead.
func (e *editing) lastWord() {
	if e.last != keyLastWord {
		e.dots, e.dotted = 0, 0
	}
	if e.dots == e.history.Len() {
		return
	}
	word := []rune(lastWord(e.history.At(e.dots)))
	e.dots++
	e.replace(e.pos-e.dotted, e.pos, word...)
	e.dotted = len(word)
}
