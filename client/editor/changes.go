package editor

import (
	"slices"
	"unicode"
)

const (
	// mostEdited is how many characters of a line are kept while it is edited: more than can be
	// run, so that a line that is too long can be made shorter.
	mostEdited = 2 * MaxLine
	// mostUndone bounds what is kept to be undone, in characters and in changes.
	mostUndone, mostChanges = 2 * MaxLine, 10_000
)

// text is what is edited: one line, or several with newlines between them.
type text struct {
	line    []rune
	pos     int // the cursor's place in line, 0 to len(line)
	missing int // bytes that were too much to keep: the line cannot be run
	changes []change
	kept    int  // characters in changes
	typing  bool // a character is inserted, as by the key before
}

// change is what undo takes back: some characters came in place of others.
type change struct {
	at      int
	removed []rune
	added   int
	pos     int // the cursor before it
	missing int // text's before it
}

// replace replaces some characters of the line; the cursor is after the new ones. What is outside
// the line does not count.
func (t *text) replace(from, to int, by ...rune) {
	from, to = max(from, 0), min(to, len(t.line))
	room := max(0, mostEdited-len(t.line)+to-from)
	over := len(string(by[min(room, len(by)):]))
	by = by[:min(room, len(by))]
	if from >= to && len(by) == 0 {
		t.missing += over
		return
	}
	t.record(from, to, len(by))
	t.missing += over
	t.line = slices.Replace(t.line, from, to, by...)
	t.pos = from + len(by)
	if len(t.line) == 0 {
		t.missing = 0
	}
}

// record keeps a change for undo. What is typed in one go is one change.
func (t *text) record(from, to, added int) {
	if n := len(t.changes); n > 0 && from == to && t.typing {
		if c := &t.changes[n-1]; len(c.removed) == 0 && c.at+c.added == from {
			c.added += added
			return
		}
	}
	t.changes = append(t.changes, change{at: from, removed: slices.Clone(t.line[from:to]),
		added: added, pos: t.pos, missing: t.missing})
	t.kept += to - from
	for len(t.changes) > mostChanges || t.kept > mostUndone {
		t.kept -= len(t.changes[0].removed)
		t.changes = t.changes[1:]
	}
}

// undo takes the last change back.
func (t *text) undo() {
	n := len(t.changes) - 1
	if n < 0 {
		return
	}
	c := t.changes[n]
	t.changes, t.kept = t.changes[:n], t.kept-len(c.removed)
	t.line = slices.Replace(t.line, c.at, c.at+c.added, c.removed...)
	t.pos, t.missing = c.pos, c.missing
}

func (t *text) insert(by ...rune) { t.replace(t.pos, t.pos, by...) }

// transpose exchanges the characters before and at the cursor; at the end, the last two.
func (t *text) transpose() {
	if at := min(t.pos, len(t.line)-1); at > 0 {
		t.replace(at-1, at+1, t.line[at], t.line[at-1])
	}
}

// inWord and notBlank say what a word is to those keys that move by letters and digits, and to
// Ctrl-W.
func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r)
}
func notBlank(r rune) bool { return !unicode.IsSpace(r) }

// before is where the word that ends before the cursor begins.
func (t *text) before(word func(rune) bool) int {
	at := t.pos
	for at > 0 && !word(t.line[at-1]) {
		at--
	}
	for at > 0 && word(t.line[at-1]) {
		at--
	}
	return at
}

// after is where the word that begins after the cursor ends.
func (t *text) after(word func(rune) bool) int {
	at := t.pos
	for at < len(t.line) && !word(t.line[at]) {
		at++
	}
	for at < len(t.line) && word(t.line[at]) {
		at++
	}
	return at
}

// rowBegin and rowEnd are the ends of a line of the text, without the newlines.
func (t *text) rowBegin(at int) int {
	for at > 0 && t.line[at-1] != '\n' {
		at--
	}
	return at
}

func (t *text) rowEnd(at int) int {
	for at < len(t.line) && t.line[at] != '\n' {
		at++
	}
	return at
}
