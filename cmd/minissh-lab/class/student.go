package class

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"minissh/cmd/minissh-lab/speak"
)

// Limits of who takes part.
const (
	MaxStudents = 400 // students, and in each vote as many votes
	MaxReports  = 500 // reports that one student may send
	PerAddress  = 8   // students from one address, and as many votes; see Board.PerAddress
	MaxName     = 24  // columns of a name
	MaxID       = 32  // letters of an id

	maxMarks = 2 // that a letter may carry
)

// idLetters are those of ids.
const idLetters = "0123456789abcdef"

// student is who reports.
type student struct{ name, id string }

// member is what the board knows about a student.
type member struct {
	number  int // 2 for the second student of this name
	reports int
}

// label is how a student is called on the board.
func (b *Board) label(s student) string { // b.mu is held
	if m := b.members[s]; m != nil && m.number > 1 {
		return fmt.Sprintf("%s (%d)", s.name, m.number)
	}
	return s.name
}

// join finds a student, or takes a new one from an address; b.mu is held.
func (b *Board) join(s student, from string) (*member, error) {
	if m := b.members[s]; m != nil {
		return m, nil
	}
	if len(b.members) >= MaxStudents {
		return nil, errors.New("the board is full")
	}
	if err := b.share(b.shares, from); err != nil {
		return nil, err
	}
	m := &member{number: 1}
	for other := range b.members {
		if other.name == s.name {
			m.number++
		}
	}
	b.members[s] = m
	return m, nil
}

// share counts one thing more that comes from an address; "" is the board's own machine.
func (b *Board) share(shares map[string]int, from string) error { // b.mu is held
	if from != "" && shares[from] >= b.PerAddress {
		return fmt.Errorf("%d from one address are enough; the teacher can allow more: "+
			"class --per-address %d", b.PerAddress, 5*b.PerAddress)
	}
	shares[from]++
	return nil
}

// cleanID checks an id; a line without one has its address for it.
func cleanID(id, from string) (string, error) {
	if len(id) > MaxID || strings.Trim(id, idLetters) != "" {
		return "", fmt.Errorf("id %s is not one", speak.QuoteShort([]byte(id), 16))
	}
	if id == "" {
		id = "@" + from
	}
	return id, nil
}

// cleanName keeps letters of all scripts, digits and a few marks: nothing that a terminal obeys,
// and nothing that stacks or turns around what is next to it.
func cleanName(name string) string {
	var b strings.Builder
	width, marks := 0, maxMarks // at the beginning there is no letter to carry one
	for _, r := range norm.NFC.String(name) {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Mc) && marks < maxMarks:
			marks++
		case r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) ||
			strings.ContainsRune(" -_.@·'’", r)):
			marks = 0
		default:
			r, marks = '?', maxMarks
		}
		if width += speak.Width(string(r)); width > MaxName {
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// leftToRight is U+200E: what comes next to it is to its right.
const leftToRight = "\u200e"

// InLine is a name for a line of a terminal. Some terminals turn lines around that begin with a
// letter from the right.
func InLine(name string) string {
	for _, r := range name {
		if unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana,
			unicode.Nko, unicode.Adlam) {
			return leftToRight + name + leftToRight
		}
	}
	return name
}

// Students is how many have reported.
func (b *Board) Students() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.members)
}
