package editor

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"unicode"
	"unicode/utf8"

	"minissh/client/faketerminal"
)

// reference is another editor, of texts before and after the cursor, to compare with.
type reference struct {
	halves
	history []string // the newest first
	back    int
	left    map[int]reference // of other lines; only halves and before count
	before  []halves          // for undo
	killed  string
	killing bool // the last key killed
	typing  bool // the last key was a character
	row     int  // which column Up and Down keep; -1: the cursor's
	dots    int  // how often Alt-. was pressed in a row
	dotted  string
}

type halves struct{ l, r string }

var (
	wordLeft  = regexp.MustCompile(`[\pL\p{Nd}\pM]*[^\pL\p{Nd}\pM]*$`)
	wordRight = regexp.MustCompile(`^[^\pL\p{Nd}\pM]*[\pL\p{Nd}\pM]*`)
	blankLeft = regexp.MustCompile(`\S*\s*$`)
	rowLeft   = regexp.MustCompile(`[^\n]*$`)
	rowRight  = regexp.MustCompile(`^[^\n]*`)
	killLeft  = regexp.MustCompile(`(?:[^\n]+|\n?)$`)
	killRight = regexp.MustCompile(`^(?:[^\n]+|\n?)`)
	charLeft  = regexp.MustCompile(`(?s).?$`)
	charRight = regexp.MustCompile(`^(?s).?`)
)

// goLeft and goRight move what a pattern finds to the other side.
func (f *reference) goLeft(by *regexp.Regexp) {
	at := by.FindStringIndex(f.l)[0]
	f.l, f.r = f.l[:at], f.l[at:]+f.r
}

func (f *reference) goRight(by *regexp.Regexp) {
	at := by.FindStringIndex(f.r)[1]
	f.l, f.r = f.l+f.r[:at], f.r[at:]
}

func (f *reference) change(l, r string) {
	f.before = append(f.before, f.halves)
	f.l, f.r = l, r
}

// removeLeft and removeRight remove what a pattern finds, and keep it if they kill.
func (f *reference) removeLeft(by *regexp.Regexp, kill, again bool) {
	gone := by.FindString(f.l)
	if gone == "" {
		return
	}
	f.change(strings.TrimSuffix(f.l, gone), f.r)
	switch {
	case kill && again:
		f.killed = gone + f.killed
	case kill:
		f.killed = gone
	}
}

func (f *reference) removeRight(by *regexp.Regexp, kill, again bool) {
	gone := by.FindString(f.r)
	if gone == "" {
		return
	}
	f.change(f.l, strings.TrimPrefix(f.r, gone))
	switch {
	case kill && again:
		f.killed += gone
	case kill:
		f.killed = gone
	}
}

func (f *reference) browse(back int) {
	if back < 0 || back > len(f.history) || back == f.back {
		return
	}
	if f.left == nil {
		f.left = map[int]reference{}
	}
	f.left[f.back] = *f
	if f.back > 0 && len(f.before) == 0 {
		delete(f.left, f.back)
	}
	to, there := f.left[back]
	if !there {
		to.l = f.history[back-1]
	}
	f.halves, f.before, f.back = halves{to.l + to.r, ""}, slices.Clone(to.before), back
	f.row = 1 << 30
}

// key is what a key does, by the bytes that it sends.
func (f *reference) key(key string) {
	killing, typing, row, dots := f.killing, f.typing, f.row, f.dots
	f.killing, f.typing, f.row, f.dots = false, false, -1, 0
	column := func() int {
		if row < 0 {
			row = utf8.RuneCountInString(rowLeft.FindString(f.l))
		}
		f.row = row
		return row
	}
	switch key {
	case left, "\x02":
		f.goLeft(charLeft)
	case right, "\x06":
		f.goRight(charRight)
	case home, "\x01":
		f.goLeft(rowLeft)
	case end, "\x05":
		f.goRight(rowRight)
	case "\x1bb", "\x1b[1;5D":
		f.goLeft(wordLeft)
	case "\x1bf", "\x1b[1;5C":
		f.goRight(wordRight)
	case "\x7f", "\x08":
		f.removeLeft(charLeft, false, false)
	case del, "\x04":
		f.removeRight(charRight, false, false)
	case "\x17":
		f.killing = true
		f.removeLeft(blankLeft, true, killing)
	case "\x1b\x7f":
		f.killing = true
		f.removeLeft(wordLeft, true, killing)
	case "\x15":
		f.killing = true
		f.removeLeft(killLeft, true, killing)
	case "\x0b":
		f.killing = true
		f.removeRight(killRight, true, killing)
	case "\x1bd":
		f.killing = true
		f.removeRight(wordRight, true, killing)
	case "\x19":
		if f.killed != "" {
			f.change(f.l+f.killed, f.r)
		}
	case "\x1f":
		if n := len(f.before) - 1; n >= 0 {
			f.halves, f.before = f.before[n], f.before[:n]
		}
	case "\x14":
		l, r := []rune(f.l), []rune(f.r)
		if len(r) == 0 && len(l) > 1 {
			l, r = l[:len(l)-1], l[len(l)-1:]
		}
		if len(l) > 0 && len(r) > 0 {
			f.change(string(l[:len(l)-1])+string(r[0])+string(l[len(l)-1]), string(r[1:]))
		}
	case up:
		if !strings.Contains(f.l, "\n") {
			f.browse(f.back + 1)
			break
		}
		at := column()
		f.goLeft(rowLeft)
		f.goLeft(charLeft)
		f.goLeft(rowLeft)
		f.along(at)
	case down:
		if !strings.Contains(f.r, "\n") {
			f.browse(f.back - 1)
			break
		}
		at := column()
		f.goRight(rowRight)
		f.goRight(charRight)
		f.along(at)
	case "\x10":
		f.browse(f.back + 1)
		f.row = -1
	case "\x0e":
		f.browse(f.back - 1)
		f.row = -1
	case "\x1b.":
		f.dots = dots
		if dots == len(f.history) {
			break
		}
		words := strings.Fields(f.history[dots])
		if dots == 0 {
			f.dotted = ""
		}
		f.change(strings.TrimSuffix(f.l, f.dotted)+words[len(words)-1], f.r)
		f.dotted = words[len(words)-1]
		f.dots = dots + 1
	case "\x0c", "\x07", "\x1b[15~":
	default:
		if key == "\x1b\r" {
			key = "\n"
		}
		f.typing = true
		was := f.before
		if f.change(f.l+key, f.r); typing {
			f.before = was // one change
		}
	}
	if key == "\x1b[15~" { // nothing happens, as far as the other keys can see
		f.killing, f.typing, f.row, f.dots = killing, typing, row, dots
	}
}

// along goes right in a row, from its beginning.
func (f *reference) along(n int) {
	for range min(n, utf8.RuneCountInString(rowRight.FindString(f.r))) {
		f.goRight(charRight)
	}
}

// typed1 are the keys of the reference; typed2 those that only the editor knows.
var (
	typed1 = []string{left, right, up, down, home, end, del, "\x02", "\x06", "\x01", "\x05",
		"\x1bb", "\x1bf", "\x1b[1;5D", "\x1b[1;5C", "\x7f", "\x08", "\x17", "\x1b\x7f", "\x15",
		"\x0b", "\x1bd", "\x19", "\x1f", "\x14", "\x10", "\x0e", "\x1b.", "\x0c", "\x07",
		"\x1b[15~", "\x1b\r", "a", "b", "c", "-", " ", "/", "7", "é", "你", "界", "🙂",
		"e", "\u0301", "ü", "x", "y", "z"}
	typed2 = []string{"\x12", "\x13", "\x12", "\t", "\t\t", "\x16\x1b", "\x16a",
		"\x1b[200~a\nb c\r\n\x1b[201~", "\x1b[200~", "\x1b[201~", "\x1b", "[", "\xe4", "\xbd",
		"\xa0", "\x00", "\x1b<", "\x1b>", "\x1b[1;3A", "\x1bO", "\u202e"}
)

// sees compares what a terminal shows with the text that is edited.
func sees(m *faketerminal.Terminal, s *screen) error {
	want := faketerminal.New(m.W, m.H)
	fresh := &screen{out: want, size: s.size, label: s.label, line: s.line, pos: s.pos,
		first: s.first}
	fresh.draw(false)
	below := m.Y - want.Y
	for y := range m.H - max(0, below) {
		if below < 0 || !slices.Equal(want.Cells[y], m.Cells[y+below]) {
			return fmt.Errorf("row %d (the first is %d) is not as drawn freshly:\n%s", y, below,
				want.Text())
		}
	}
	if m.X != want.X || m.Wrap != want.Wrap {
		return fmt.Errorf("the cursor is at %d, and not at %d", m.X, want.X)
	}
	// What can be read there, whatever has drawn it.
	rows, _ := s.size()
	spelled := func(r rune) bool { return r != '\n' && !unicode.IsGraphic(r) }
	if l := lay([]rune(s.label), s.line, s.pos, rows, false); len(l.rows) <= m.H &&
		!strings.ContainsFunc(string(s.line), spelled) && s.label == "$ " {
		noBlanks := func(text string) string { return strings.ReplaceAll(text, " ", "") }
		shown := ""
		for y := range len(l.rows) {
			shown += strings.Join(m.Cells[below+y], "")
		}
		text := noBlanks(s.label + strings.ReplaceAll(string(s.line), "\n", ">"))
		if noBlanks(shown) != text {
			return fmt.Errorf("%q is shown, and it is %q", noBlanks(shown), text)
		}
	}
	return nil
}

// typist types random keys, and has everything looked at after each.
func typist(t *testing.T, seed uint64, keys []string, count int,
	after func(e *Editor, key string) error) {
	synctest.Test(t, func(t *testing.T) { typeKeys(t, seed, keys, count, after) })
}

func typeKeys(t *testing.T, seed uint64, keys []string, count int,
	after func(e *Editor, key string) error) {
	rnd := rand.New(rand.NewPCG(seed, 2))
	w, h := 4+rnd.IntN(40), 3+rnd.IntN(10)
	m := faketerminal.New(w, h)
	e := newEditor(m, historyOf("first", "make all", "你 好", "a row\nand a row"), nil)
	e.complete = func(_ context.Context, _ string, pos int) Completion {
		return Completion{From: pos, Candidates: []Candidate{{Text: "ab"}, {Text: "ac"}}[:1+pos%2]}
	}
	typed, key := 0, ""
	var failed error
	e.in.from = readerFunc(func(p []byte) (int, error) {
		synctest.Wait() // for what Tab does
		if key != "" && failed == nil {
			if failed = after(e, key); failed == nil && !e.paste { // a paste is drawn at its end
				failed = sees(m, &e.scr)
			}
		}
		if typed == count || failed != nil {
			return 0, io.EOF
		}
		typed++
		if key = keys[rnd.IntN(len(keys))]; key == "\x04" && len(e.line) == 0 {
			key = "d"
		}
		return copy(p, key), nil
	})
	var err error
	for err == nil { // Ctrl-V and Alt-Enter are an Enter after an ESC
		_, err = e.Read(t.Context(), "$ ", "")
	}
	if failed != nil || err != io.EOF {
		t.Errorf("seed %d, %dx%d, key %d, %q: %v, %v: %q, %d\n%s", seed, w, h, typed, key, failed,
			err, string(e.scr.line), e.scr.pos, m.Text())
	}
}

// Ten thousand keys, of which the editor makes the same as another that is written in another way;
// and the screen shows it after each.
func TestTypist(t *testing.T) {
	for seed := range uint64(10) {
		f := &reference{row: -1,
			history: []string{"a row\nand a row", "你 好", "make all", "first"}}
		typist(t, seed, typed1, 1000, func(e *Editor, key string) error {
			f.key(key)
			if string(e.line) != f.l+f.r || e.pos != utf8.RuneCountInString(f.l) {
				return fmt.Errorf("it is not %q, %q", f.l, f.r)
			}
			return nil
		})
	}
}

func whatever(*Editor, string) error { return nil }

// As many of all keys, in pieces and in pastes: the screen shows what is edited.
func TestWildTypist(t *testing.T) {
	for seed := range uint64(10) {
		typist(t, seed, append(typed2, typed1...), 1000, whatever)
	}
}

func FuzzTypist(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) {
		typist(t, seed, append(typed2, typed1...), 100, whatever)
	})
}
