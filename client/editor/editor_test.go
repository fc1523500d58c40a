package editor

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"minissh/client/faketerminal"
)

// edit runs one line of the editor over typed bytes on a model terminal.
func edit(t *testing.T, m *faketerminal.Terminal, h *History, label, typed string) (string, error) {
	t.Helper()
	return newEditor(m, h, strings.NewReader(typed)).Read(t.Context(), label, "")
}

// newEditor is an editor on a model terminal. Tab inserts 完成; a text that ends with "do" is
// incomplete.
func newEditor(m *faketerminal.Terminal, h *History, typed io.Reader) *Editor {
	return &Editor{
		editing: editing{history: h},
		out:     quiet{}, in: newInput(typed, make(chan os.Signal)),
		scr:     screen{out: m, size: func() (int, int) { return m.W, m.H }},
		rawMode: func() (func(), error) { return func() {}, nil },
		complete: func(_ context.Context, line string, pos int) Completion {
			return Completion{From: pos, Candidates: []Candidate{{Text: "完成"}}}
		},
		incomplete: func(text string) bool { return strings.HasSuffix(text, "do") },
	}
}

// quiet is an Output that nothing comes from.
type quiet struct{}

func (quiet) Hold() <-chan struct{} { return nil }
func (quiet) Show()                 {}
func (quiet) Release()              {}

const (
	left, right    = faketerminal.Left, faketerminal.Right
	up, down       = faketerminal.Up, faketerminal.Down
	home, end, del = faketerminal.Home, faketerminal.End, faketerminal.Del
)

// TestEditing: keys in, the line and the screen out. The screen is 20 wide.
func TestEditing(t *testing.T) {
	tests := []struct{ name, typed, line, screen string }{
		{"ascii", "ls -l\r", "ls -l", "$ ls -l"},
		{"chinese", "echo 你好世界\r", "echo 你好世界", "$ echo 你好世界"},
		{"insert in the middle", "你好" + left + "们\r", "你们好", "$ 你们好"},
		{"backspace over wide", "a你b好" + left + "\x7f\x7f" + "X\r", "aX好", "$ aX好"},
		{"delete under the cursor", "你好世界" + home + del + del + "\r", "世界", "$ 世界"},
		{"home and end", "好b" + home + "1" + end + "2\r", "1好b2", "$ 1好b2"},
		{"ctrl-a ctrl-e", "好b\x011\x052\r", "1好b2", "$ 1好b2"},
		{"other homes and ends", "b\x1b[1~a\x1b[4~c\x1bOH0\x1bOFd\x1b[7~-\x1b[8~+\r", "-0abcd+", "$ -0abcd+"},
		{"words", "一 two 三\x1bb\x1bbX" + end + "\x17Y\r", "一 Xtwo Y", "$ 一 Xtwo Y"},
		{"words with Ctrl", "a b c\x1b[1;5D\x1b[1;5DX\x1b[1;5CY\r", "a XbY c", "$ a XbY c"},
		{"words of a path", "cd /a/b.c\x1b\x7f\x1bbX\r", "cd /a/Xb.", "$ cd /a/Xb."},
		{"a path is one word", "cd /a/b.c\x17X\r", "cd X", "$ cd X"},
		{"delete a word", "one two\x01\x1bd!\r", "! two", "$ ! two"},
		{"kill to the end", "你好世界" + left + left + "\x0b!\r", "你好!", "$ 你好!"},
		{"kill all", "你好世界\x15!\r", "!", "$ !"},
		{"transpose", "ab你\x14\r", "a你b", "$ a你b"},
		{"combining", "e\u0301x\x7f!\r", "e\u0301!", "$ e\u0301!"},
		{"emoji", "🙂👍" + left + "\x7f好\r", "好👍", "$ 好👍"},
		{"wrap", "0123456789abcdefghij\r", "0123456789abcdefghij", "$ 0123456789abcdefgh\nij"},
		{"wrap before wide", "0123456789abcdefg你好\r", "0123456789abcdefg你好", "$ 0123456789abcdefg\n你好"},
		{"exactly full", "0123456789abcdefgh\r", "0123456789abcdefgh", "$ 0123456789abcdefgh"},
		{"back over a wrap", "0123456789abcdefg你好\x7f\x7f\x7f!\r", "0123456789abcdef!", "$ 0123456789abcdef!"},
		{"insert before a wrap", "0123456789abcdefgh" + home + "好\r", "好0123456789abcdefgh", "$ 好0123456789abcdef\ngh"},
		{"clear the screen", "old\x0cnew\r", "oldnew", "$ oldnew"},
		{"not UTF-8", "a\xd6\xffb\xe4\xbd!\ufffdc\r", "a��b��!�c", "$ a��b��!�c"},
		{"C1 and unknown keys", "a\u0085\x1b[31mb\x1b[15~\x1b[[Ac\x1bOPd\x1b\x1b[Ae\r", "abcde", "$ abcde"},
		{"a long sequence", "a\x1b[" + strings.Repeat("1", 300) + "xb\r", "ab", "$ ab"},
		{"an endless sequence", "a\x1b[" + strings.Repeat("1", maxSequence+9) + "\x15x\r", "x", "$ x"},
		{"completion", "ab" + left + "\t!\r", "a完成!b", "$ a完成!b"},
		{"paste", "\x1b[200~a\tb\r\nc\n\x1b[201~;d\r", "a\tb\nc;d", "$ a⇥b\n> c;d"},
		{"paste is not keys", "\x1b[200~a\x03\x1b[D\x7fb\x1b[201~\r", "ab", "$ ab"},
		{"bidi is spelled out", "a\u202eb\r", "a\u202eb", "$ a<202E>b"},
		{"line feed", "a\n", "a", "$ a"},
		{"F-keys and Insert", "a\x1b[2~\x1b[24~\x1bOQb\r", "ab", "$ ab"},
		{"yank", "one two\x17\x01\x19\r", "twoone ", "$ twoone"},
		{"kills in a row", "one two\x17\x17x\x19\r", "xone two", "$ xone two"},
		{"kills in both directions", "one two" + left + "\x0b\x17\x19\x19\r", "one twotwo", "$ one twotwo"},
		{"kills that are apart", "one two\x17a\x17\x19\r", "one a", "$ one a"},
		{"nothing was killed", "a\x19\x0bb\x19\r", "ab", "$ ab"},
		{"undo", "one\x17two\x1f\x1f!\r", "one!", "$ one!"},
		{"undo everything", "ab" + left + "c\x14\x1f\x1f\x1f\x1f\x1fd\r", "d", "$ d"},
		{"undo a completion", "ab\t\x1f\r", "ab", "$ ab"},
		{"literally", "a\x16\x03\x16\x1bb\x16é\x16\tc\r", "a\x03\x1bbé\tc", "$ a^C^[bé⇥c"},
		{"nothing of NUL", "a\x16\x00b\r", "ab", "$ ab"},
		{"a row by Alt-Enter", "a\x1b\rb\x1b\nc\r", "a\nb\nc", "$ a\n> b\n> c"},
		{"ends of rows", "ab\x1b\rcd" + home + "1" + end + "2\x01\x020\x053\r", "ab03\n1cd2", "$ ab03\n> 1cd2"},
		{"kill in rows", "ab\x1b\rcd" + home + right + "\x0b" + up + end + "\x0be\r", "abec", "$ abec"},
		{"kill back in rows", "ab\x1b\rcd\x15\x15\x15e\r", "e", "$ e"},
		{"up and down in rows", "abcd\x1b\re\x1b\rfghi" + left + up + up + "X" + down +
			down + "Y\r", "abcXd\ne\nfghiY", "$ abcXd\n> e\n> fghiY"},
		{"a row that wraps", "a\x1b\r0123456789abcdefghi" + up + "b\r", "ab\n0123456789abcdefghi",
			"$ ab\n> 0123456789abcdefgh\ni"},
		{"a full row", "0123456789abcdefgh\x1b\r" + up + end + "\r", "0123456789abcdefgh\n",
			"$ 0123456789abcdefgh\n>"},
		{"an incomplete line", "do\rx\r", "do\nx", "$ do\n> x"},
		{"an incomplete line from its middle", "a do" + home + "\rx\r", "a do\nx", "$ a do\n> x"},
		{"a paste is not asked", "\x1b[200~do\nx\n\x1b[201~\r", "do\nx", "$ do\n> x"},
		{"carriage return and line feed", "a\r\n", "a", "$ a"},
		{"blanks stay", "a  " + left + "\r", "a  ", "$ a"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			slow := faketerminal.New(20, 6)
			line, err := newEditor(slow, &History{},
				iotest.OneByteReader(strings.NewReader(test.typed))).Read(t.Context(), "$ ", "")
			if err != nil || line != test.line || slow.Text() != test.screen {
				t.Errorf("byte by byte: line %q, %v, screen\n%s", line, err, slow.Text())
			}
			m := faketerminal.New(20, 6)
			line, err = edit(t, m, &History{}, "$ ", test.typed)
			if err != nil || line != test.line {
				t.Errorf("line %q, %v; want %q", line, err, test.line)
			}
			if m.Text() != test.screen {
				t.Errorf("screen\n%s\nwant\n%s", m.Text(), test.screen)
			}
			if m.X != 0 || m.Y != strings.Count(test.screen, "\n")+1 {
				t.Errorf("the cursor ends at %d,%d", m.X, m.Y)
			}
		})
	}
}

func TestEndsOfALine(t *testing.T) {
	for _, test := range []struct {
		typed string
		err   error
		text  string
	}{{"", io.EOF, "$"}, {"\x04", io.EOF, "$"}, {"ab\x03", ErrInterrupted, "$ ab^C"},
		{"ab", io.EOF, "$ ab"}} {
		m := faketerminal.New(20, 4)
		line, err := edit(t, m, &History{}, "$ ", test.typed)
		if line != "" || err != test.err || m.Text() != test.text || m.X != 0 || m.Y != 1 {
			t.Errorf("%q: %q, %v, screen %q", test.typed, line, err, m.Text())
		}
	}
	// Ctrl-D deletes while there is something to delete.
	line, err := edit(t, faketerminal.New(20, 4), &History{}, "$ ", "ab"+home+"\x04\r")
	if line != "b" || err != nil {
		t.Errorf("Ctrl-D in a line: %q, %v", line, err)
	}
}

func TestBrowsingHistory(t *testing.T) {
	h := &History{}
	for _, line := range []string{"one", "", "  ", " hidden", "二", "二", "three"} {
		h.Add(line)
	}
	m := faketerminal.New(20, 4)
	line, err := edit(t, m, h, "$ ", "typed"+up+up+up+down+"!\r")
	if line != "二!" || err != nil || m.Text() != "$ 二!" {
		t.Errorf("%q %v %q", line, err, m.Text())
	}
	if line, _ := edit(t, faketerminal.New(20, 4), h, "$ ", "typed"+up+down+"\r"); line != "typed" {
		t.Errorf("back below the newest: %q", line)
	}
	if got := fmt.Sprint(h.lines); got != "[one 二 three 二! typed]" {
		t.Errorf("history %s", got)
	}
	for typed, want := range map[string]string{
		// What was changed and left is as it was left, and so is what can be undone.
		up + "!" + up + "?" + down + "\r":                   "typed!",
		up + "!" + up + "?" + down + up + "\r":              "二!?",
		up + "!" + up + down + "\x1f" + up + down + "\r":    "typed", // as it was
		up + "!" + up + down + "\x1f\r":                     "typed",
		"ab\x17" + up + down + "\x1f\r":                     "ab",
		up + "\x15" + up + down + "\r" + "x\r":              "",
		"new\x1b<\r":                                        "one",
		"new\x1b<\x1b>!\r":                                  "new!",
		"a\x1b\rb\x10\r":                                    "typed", // Ctrl-P leaves rows at once
		"a\x1b\rb" + up + up + down + "\r":                  "a\nb",
		"a\x1b\rb" + up + up + "!\r":                        "typed!",
		up + up + up + up + up + up + up + down + "\x0e!\r": "three!",
		"a \x1b.\r":            "a typed",
		"a \x1b.\x1b_\x1b.b\r": "a threeb",
		"\x1b.\x1b.\x1b.\x1b.\x1b.\x1b.\x1b.\x1b.\r": "one",
		"x\x1b.y\x1b.\r": "xtypedytyped",
		"\x1b.\x1f.\r":   ".",
	} {
		again := &History{}
		for _, line := range h.lines {
			again.AddInMemory(line)
		}
		line, err := edit(t, faketerminal.New(20, 4), again, "$ ", typed)
		if line != want || err != nil {
			t.Errorf("%q: %q, %v; want %q", typed, line, err, want)
		}
	}
}

// TestTallLine: a line taller than the screen shows the rows around the cursor.
func TestTallLine(t *testing.T) {
	m := faketerminal.New(10, 3)
	s := &screen{out: m, size: func() (int, int) { return m.W, m.H }}
	s.begin("$ ", "")
	s.line = []rune("0123456789012345678901234567890123456789")
	s.pos = len(s.line)
	s.draw(false)
	if want := "8901234567\n8901234567\n89"; m.Text() != want || m.X != 2 || m.Y != 2 {
		t.Errorf("at the end: %d,%d\n%s", m.X, m.Y, m.Text())
	}
	s.pos = 0
	s.draw(false)
	if want := "$ 01234567\n8901234567\n8901234567"; m.Text() != want || m.X != 2 || m.Y != 0 {
		t.Errorf("at the start: %d,%d\n%s", m.X, m.Y, m.Text())
	}
}

// TestCursorAfterFullRow: it is where the next character will.
func TestCursorAfterFullRow(t *testing.T) {
	m := faketerminal.New(10, 4)
	s := &screen{out: m, size: func() (int, int) { return m.W, m.H }}
	s.begin("$ ", "")
	for _, r := range "01234567" {
		s.line = append(s.line, r)
		s.pos++
		s.draw(false)
	}
	if m.X != 0 || m.Y != 1 || m.Wrap {
		t.Errorf("the cursor is at %d,%d", m.X, m.Y)
	}
	s.draw(true)
	if m.X != 9 || m.Y != 0 || m.Text() != "$ 01234567" {
		t.Errorf("at the end the cursor is at %d,%d\n%s", m.X, m.Y, m.Text())
	}
	s.line = append(s.line, []rune("\nab")...)
	s.draw(false)
	if m.X != 0 || m.Y != 1 || m.Text() != "$ 01234567\n\n> ab" {
		t.Errorf("before the next row the cursor is at %d,%d\n%s", m.X, m.Y, m.Text())
	}
}

// TestDrawRandomly: after any sequence of edits the terminal shows what a fresh
// drawing would, and the cursor is before the character it belongs to.
func TestDrawRandomly(t *testing.T) {
	alphabet := []rune("abc 你好界🙂e\u0301ü  \n\t\u202e")
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		w, h := 2+rnd.IntN(24), 2+rnd.IntN(8)
		m := faketerminal.New(w, h)
		fmt.Fprintf(m, "output\r\n")
		s := &screen{out: m, size: func() (int, int) { return w, h }}
		s.begin("主$ ", "")
		for step := range 120 {
			switch {
			case rnd.IntN(3) > 0 || len(s.line) == 0:
				s.pos = rnd.IntN(len(s.line) + 1)
				if rnd.IntN(2) == 0 {
					s.pos = len(s.line)
				}
				s.line = append(s.line[:s.pos], append([]rune{alphabet[rnd.IntN(len(alphabet))]},
					s.line[s.pos:]...)...)
				s.pos++
			case rnd.IntN(2) == 0:
				s.pos = rnd.IntN(len(s.line) + 1)
			default:
				n := rnd.IntN(len(s.line))
				s.line, s.pos = append(s.line[:n], s.line[n+1:]...), n
			}
			s.draw(false)
			want := faketerminal.New(w, h)
			fresh := &screen{out: want, size: s.size, line: s.line, pos: s.pos, first: s.first}
			fresh.label = s.label
			fresh.draw(false)
			got := m.Text()
			if m.Y < want.Y { // scrolled away is gone, what is left must agree
				t.Fatalf("seed %d step %d: the cursor is in row %d, at least %d expected", seed,
					step, m.Y, want.Y)
			}
			if !strings.HasSuffix(got, want.Text()) || m.X != want.X || m.Wrap != want.Wrap {
				t.Fatalf("seed %d step %d (%dx%d): cursor %d,%d want %d,%d\n%s\n--- want\n%s", seed,
					step, w, h, m.X, m.Y, want.X, want.Y, got, want.Text())
			}
		}
	}
}

// FuzzKeys: no input makes the editor hang, panic, or return what cannot be sent.
func FuzzKeys(f *testing.F) {
	for _, seed := range []string{"ls\r", "你\x1b[D好\x7f\r", "\x1b[200~a\nb\x1b[201~\r",
		"\xd6\x1b[\x00", "\x1b[1;5C\x1bO", "a\x0c\x14\x15\x0b", "a\x12o\x12\x13\x07\x12o\x1b\r",
		"!! !$\r", "a\t\t\r", "do\r\x1b\r\x1b[A\x1f\x16\x03\r", "\x1b.\x19\x1bd"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		m := faketerminal.New(12, 4)
		line, err := edit(t, m, &History{lines: []string{"old 你"}}, "$ ", typed)
		literally := strings.Contains(typed, "\x16")
		if err == nil && !literally && strings.ContainsAny(line, "\x1b\x03\x7f\r\x00") {
			t.Errorf("%q gives %q", typed, line)
		}
	})
}

func TestWidths(t *testing.T) {
	for r, want := range map[rune]int{'a': 1, 'é': 1, '你': 2, '🙂': 2, 'ｱ': 1, 'Ａ': 2, 0x301: 0,
		0x200d: 0, 0xfe0f: 0, '가': 2, 0x1161: 0, 'я': 1, '→': 1,
		'\t': 1, 0x1b: 2, 0x202e: 6, 0xe000: 1} {
		if _, got := glyph(r); got != want {
			t.Errorf("%U is %d wide, want %d", r, got, want)
		}
	}
}

// TestReflow: where the first row is after the terminal became narrower.
func TestReflow(t *testing.T) {
	s := &screen{size: func() (int, int) { return 10, 24 }, out: io.Discard}
	s.begin("$ ", "")
	s.line = []rune(strings.Repeat("x", 35))
	s.pos = len(s.line)
	s.draw(false) // rows of 10, 10, 10, 7
	for columns, want := range map[int]int{10: 3, 20: 3, 5: 7, 6: 7, 4: 10} {
		if got := s.above(columns); got != want {
			t.Errorf("at %d columns the first row is %d above, want %d", columns, got, want)
		}
	}
}
