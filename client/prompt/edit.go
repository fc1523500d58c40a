package prompt

import (
	"slices"
	"unicode"
)

const (
	// mostEdited is how many characters of a line are kept while it is edited: more than can be
	// run, so that a line that is too long can be made shorter.
	mostEdited = 2 * maxLine
	// mostUndone bounds what is kept to be undone, in characters and in changes.
	mostUndone, mostChanges = 2 * maxLine, 10_000
)

// draft is what was done to a line.
type draft struct {
	line    []rune // as it was left; the one that is edited is the screen's
	missing int    // bytes of it that were too much to keep: it cannot be run
	changes []change
	kept    int // characters in changes
}

// change is what undo takes back: some characters came in place of others.
type change struct {
	at      int
	removed []rune
	added   int
	pos     int // the cursor before it
	missing int // draft's before it
}

// replace replaces some characters of the line; the cursor is after the new ones. What is outside
// the line does not count.
func (e *editor) replace(from, to int, by ...rune) {
	s := &e.scr
	from, to = max(from, 0), min(to, len(s.line))
	room := max(0, mostEdited-len(s.line)+to-from)
	over := len(string(by[min(room, len(by)):]))
	by = by[:min(room, len(by))]
	if from >= to && len(by) == 0 {
		e.missing += over
		return
	}
	e.record(from, to, len(by))
	e.missing += over
	s.line = slices.Replace(s.line, from, to, by...)
	s.pos = from + len(by)
	if len(s.line) == 0 {
		e.missing = 0
	}
}

// record keeps a change for undo. What is typed in one go is one change.
func (e *editor) record(from, to, added int) {
	if n := len(e.changes); n > 0 && from == to && e.last > keyUnknown && e.now > keyUnknown {
		if c := &e.changes[n-1]; len(c.removed) == 0 && c.at+c.added == from {
			c.added += added
			return
		}
	}
	e.changes = append(e.changes, change{at: from, removed: slices.Clone(e.scr.line[from:to]),
		added: added, pos: e.scr.pos, missing: e.missing})
	e.kept += to - from
	for len(e.changes) > mostChanges || e.kept > mostUndone {
		e.kept -= len(e.changes[0].removed)
		e.changes = e.changes[1:]
	}
}

// undo takes the last change back.
func (e *editor) undo() {
	n := len(e.changes) - 1
	if n < 0 {
		return
	}
	s, c := &e.scr, e.changes[n]
	e.changes, e.kept = e.changes[:n], e.kept-len(c.removed)
	s.line = slices.Replace(s.line, c.at, c.at+c.added, c.removed...)
	s.pos, e.missing = c.pos, c.missing
}

func (e *editor) insert(by ...rune) { e.replace(e.scr.pos, e.scr.pos, by...) }
func (e *editor) delete()           { e.replace(e.scr.pos, e.scr.pos+1) }
func (e *editor) backspace()        { e.replace(e.scr.pos-1, e.scr.pos) }

// transpose exchanges the characters before and at the cursor; at the end, the last two.
func (e *editor) transpose() {
	s := &e.scr
	if at := min(s.pos, len(s.line)-1); at > 0 {
		e.replace(at-1, at+1, s.line[at], s.line[at-1])
	}
}

// kill removes characters before or after the cursor for yank. Those of several kills in a row come
// back together.
func (e *editor) kill(from, to int) {
	gone := slices.Clone(e.scr.line[from:to])
	switch {
	case len(gone) == 0:
		return
	case !kills[e.last]:
	case from == e.scr.pos:
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

func (e *editor) yank() { e.insert(e.killed...) }

// killToEnd removes the rest of the row; the end of the row if there is no rest.
func (e *editor) killToEnd() {
	to := e.rowEnd(e.scr.pos)
	if to == e.scr.pos {
		to = min(to+1, len(e.scr.line))
	}
	e.kill(e.scr.pos, to)
}

// killToHome removes the beginning of the row; the end of the row above if there is no beginning.
func (e *editor) killToHome() {
	from := e.rowBegin(e.scr.pos)
	if from == e.scr.pos {
		from = max(from-1, 0)
	}
	e.kill(from, e.scr.pos)
}

func (e *editor) killWordLeft()  { e.kill(e.before(inWord), e.scr.pos) }
func (e *editor) killToBlank()   { e.kill(e.before(notBlank), e.scr.pos) }
func (e *editor) killWordRight() { e.kill(e.scr.pos, e.after(inWord)) }

func (e *editor) goLeft()      { e.scr.pos = max(e.scr.pos-1, 0) }
func (e *editor) goRight()     { e.scr.pos = min(e.scr.pos+1, len(e.scr.line)) }
func (e *editor) goWordLeft()  { e.scr.pos = e.before(inWord) }
func (e *editor) goWordRight() { e.scr.pos = e.after(inWord) }
func (e *editor) goHome()      { e.scr.pos = e.rowBegin(e.scr.pos) }
func (e *editor) goEnd()       { e.scr.pos = e.rowEnd(e.scr.pos) }

// inWord and notBlank say what a word is to those keys that move by letters and digits, and to
// Ctrl-W.
func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r)
}
func notBlank(r rune) bool { return !unicode.IsSpace(r) }

// before is where the word that ends before the cursor begins.
func (e *editor) before(word func(rune) bool) int {
	at := e.scr.pos
	for at > 0 && !word(e.scr.line[at-1]) {
		at--
	}
	for at > 0 && word(e.scr.line[at-1]) {
		at--
	}
	return at
}

// after is where the word that begins after the cursor ends.
func (e *editor) after(word func(rune) bool) int {
	at := e.scr.pos
	for at < len(e.scr.line) && !word(e.scr.line[at]) {
		at++
	}
	for at < len(e.scr.line) && word(e.scr.line[at]) {
		at++
	}
	return at
}

// rowBegin and rowEnd are the ends of a line of the text, without the newlines.
func (e *editor) rowBegin(at int) int {
	for at > 0 && e.scr.line[at-1] != '\n' {
		at--
	}
	return at
}

func (e *editor) rowEnd(at int) int {
	for at < len(e.scr.line) && e.scr.line[at] != '\n' {
		at++
	}
	return at
}
