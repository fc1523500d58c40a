package prompt

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// completing is an editor whose Tab knows these texts.
func completing(m *model, typed io.Reader, texts ...string) *editor {
	e := newEditor(m, &history{}, typed)
	e.complete = func(_ context.Context, line string, pos int) Completion {
		found := Completion{From: strings.LastIndex(line[:pos], " ") + 1}
		for _, text := range texts {
			if strings.HasPrefix(text, line[found.From:pos]) {
				found.Candidates = append(found.Candidates, Candidate{Text: text})
			}
		}
		return found
	}
	return e
}

func TestCompletion(t *testing.T) {
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprintf("n%03d", i)
	}
	words := []string{"make ", "man ", "mandb ", "你好 ", "你们 ", "tree/", "not \xff "}
	for _, test := range []struct {
		texts               []string
		typed, line, screen string
	}{
		{words, "tr\t\r", "tree/", "$ tree/"},
		{words, "a mak\tb\r", "a make b", "$ a make b"},
		{words, "mak b" + left + left + "\t\r", "make  b", "$ make  b"},
		{words, "m\tn\t\r", "man", "$ man"}, // what they have in common
		{words, "m\tn\t\tx\r", "manx", "$ man\nman    mandb\n$ manx"},
		{words, "你\t\t\r", "你", "$ 你\n你们  你好\n$ 你"},
		{words, "none\t\t\r", "none", "$ none"},
		{words, "not\t\r", "not", "$ not"},
		{[]string{"a", "a"}, "\t\r", "a", "$ a"},
		{[]string{"ab", "abc"}, "ab\tx\t\t\r", "abx", "$ abx"}, // a key between
		{[]string{"é", "è"}, "\t\r", "", "$"},                  // half a character is common
		{[]string{"a\x1b[31mb\n"}, "\t\x01\r", "a\x1b[31mb\n", "$ a^[[31mb\n>"},
		{many, "\t\tn5\r", "n5", "$ n\nDisplay all 101? (y or n)\n$ n5"},
		{many[:100], "n00\t\t\r", "n00",
			"$ n00\nn000  n002  n004  n006  n008\nn001  n003  n005  n007  n009\n$ n00"},
	} {
		m := newModel(32, 12)
		line, err := completing(m, strings.NewReader(test.typed), test.texts...).
			read(t.Context(), "$ ", "")
		if line != test.line || err != nil || m.text() != test.screen {
			t.Errorf("%q: %q, %v, screen\n%s\nwant %q\n%s", test.typed, line, err, m.text(),
				test.line, test.screen)
		}
	}
	m := newModel(10, 200)
	if line, err := completing(m, strings.NewReader("\t\ty\r"), many...).
		read(t.Context(), "$ ", ""); line != "n" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
	if text := m.text(); !strings.Contains(text, "\nn000\nn001\n") ||
		!strings.HasSuffix(text, "\nn100\n$ n") {
		t.Errorf("all in one column:\n%s", m.text())
	}
	e := completing(newModel(10, 200), strings.NewReader("\t\t\x03"), many...)
	if line, err := e.read(t.Context(), "$ ", ""); line != "" || err != errInterrupted {
		t.Errorf("Ctrl-C at the question: %q, %v", line, err)
	}
}

// What is listed comes from the other side, and may be anything.
func TestCandidatesAreQuoted(t *testing.T) {
	m := newModel(40, 10)
	e := newEditor(m, &history{}, strings.NewReader("\t\t\r"))
	e.complete = func(context.Context, string, int) Completion {
		return Completion{Candidates: []Candidate{{Text: "b", Display: "\x1b[31m\n"},
			{Text: "a", Display: strings.Repeat("你", 40)}}}
	}
	e.read(t.Context(), "$ ", "")
	if want := "$\n" + strings.Repeat("你", 19) + "\n\\x1b[31m\\n\n$"; m.text() != want {
		t.Errorf("%s\nwant\n%s", m.text(), want)
	}
	for _, from := range []int{-1, 9} {
		e := newEditor(newModel(40, 10), &history{}, strings.NewReader("a\t\r"))
		e.complete = func(context.Context, string, int) Completion {
			return Completion{From: from, Candidates: []Candidate{{Text: "b"}}}
		}
		if line, err := e.read(t.Context(), "$ ", ""); line != "a" || err != nil {
			t.Errorf("from %d: %q, %v", from, line, err)
		}
	}
}

// Tab waits for a second at most. What is typed meanwhile comes after it, and Ctrl-C ends it.
func TestSlowCompletion(t *testing.T) {
	for _, test := range []struct {
		takes, total time.Duration
		typed, line  string
		err          error
	}{
		{500 * time.Millisecond, 500 * time.Millisecond, "b!\r", "a done b!", nil},
		{time.Hour, time.Second, "b!\r", "ab!", nil},
		{time.Hour, 0, "b\x03", "", errInterrupted},
	} {
		synctest.Test(t, func(t *testing.T) {
			in, typing := io.Pipe()
			go func() {
				io.WriteString(typing, "a\t")
				io.WriteString(typing, test.typed)
			}()
			e := newEditor(newModel(40, 10), &history{}, in)
			e.complete = func(ctx context.Context, _ string, pos int) Completion {
				select {
				case <-time.After(test.takes):
				case <-ctx.Done():
				}
				return Completion{From: pos, Candidates: []Candidate{{Text: " done "}}}
			}
			begun := time.Now()
			line, err := e.read(t.Context(), "$ ", "")
			if line != test.line || err != test.err || time.Since(begun) != test.total {
				t.Errorf("%q, %v, after %v", line, err, time.Since(begun))
			}
			if e.in.done != nil {
				t.Error("it is waited for still")
			}
			in.Close() // ends the reading
		})
	}
}

// Names of files here, after put: in quotes or with backslashes, as they are typed.
func TestCompleteFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("not run: a backslash is not for quoting there")
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Chdir(t.TempDir())
	for _, name := range []string{"one", "two words", "it's", `q"b\s`, "esc\x1b", ".hidden",
		"dir x/in it", home + "/mine"} {
		os.MkdirAll(filepath.Dir(name), 0o700)
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for line, want := range map[string]string{
		"put o":             "put one ",
		"  put one tw":      `  put one two\ words `,
		`put two\ w`:        `put two\ words `,
		`put "tw`:           `put "two words" `,
		`put 'tw`:           `put 'two words' `,
		`put "two w`:        `put "two words" `,
		`put t"wo w`:        `put "two words" `,
		`put it`:            `put it\'s `,
		`put "it`:           `put "it's" `,
		`put 'it`:           `put it\'s `, // there is nothing for a ' in '…'
		`put q`:             `put q\"b\\s `,
		`put "q`:            `put "q\"b\\s" `,
		`put d`:             `put dir\ x/`,
		`put dir\ x/`:       `put dir\ x/in\ it `,
		`put "d`:            `put "dir x/`,
		`put "dir x/`:       `put "dir x/in it" `,
		`put 'one' "dir x/`: `put 'one' "dir x/in it" `,
		"put .h":            "put .hidden ",
		"put ~/m":           "put ~/mine ",
		"put e":             "put e",
		"put none":          "put none",
		`put "q\`:           `put "q\`,
		"get o":             "get o",
		"o":                 "o",
		"puto":              "puto",
	} {
		e := newEditor(newModel(60, 10), &history{}, strings.NewReader(line+"\t\r"))
		e.complete = completeFiles
		if got, err := e.read(t.Context(), "$ ", ""); got != want || err != nil {
			t.Errorf("%s: %q, %v", line, got, err)
			continue
		}
		words, err := fileWords(strings.TrimPrefix(strings.TrimLeft(want, " "), "put "))
		missing := func(word string) bool {
			_, err := os.Lstat(fromHome(word))
			return err != nil
		}
		if err == nil && strings.HasSuffix(want, " ") && slices.ContainsFunc(words, missing) {
			t.Errorf("%s is not read as the name of a file: %q", want, words)
		}
	}
	found := completeFiles(t.Context(), "put ", 4)
	var shown []string
	for _, c := range found.Candidates {
		shown = append(shown, c.Display)
	}
	if got := strings.Join(shown, "|"); got != `dir x/|it's|one|q"b\s|two words` {
		t.Errorf("listed are %s", got)
	}
}
