package editor

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"minissh/client/faketerminal"
)

// completing is an editor whose Tab knows these texts.
func completing(m *faketerminal.Terminal, typed io.Reader, texts ...string) *Editor {
	e := newEditor(m, &History{}, typed)
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
		m := faketerminal.New(32, 12)
		line, err := completing(m, strings.NewReader(test.typed), test.texts...).
			Read(t.Context(), "$ ", "")
		if line != test.line || err != nil || m.Text() != test.screen {
			t.Errorf("%q: %q, %v, screen\n%s\nwant %q\n%s", test.typed, line, err, m.Text(),
				test.line, test.screen)
		}
	}
	m := faketerminal.New(10, 200)
	if line, err := completing(m, strings.NewReader("\t\ty\r"), many...).
		Read(t.Context(), "$ ", ""); line != "n" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
	if text := m.Text(); !strings.Contains(text, "\nn000\nn001\n") ||
		!strings.HasSuffix(text, "\nn100\n$ n") {
		t.Errorf("all in one column:\n%s", m.Text())
	}
	e := completing(faketerminal.New(10, 200), strings.NewReader("\t\t\x03"), many...)
	if line, err := e.Read(t.Context(), "$ ", ""); line != "" || err != ErrInterrupted {
		t.Errorf("Ctrl-C at the question: %q, %v", line, err)
	}
}

// What is listed comes from the other side, and may be anything.
func TestCandidatesAreQuoted(t *testing.T) {
	m := faketerminal.New(40, 10)
	e := newEditor(m, &History{}, strings.NewReader("\t\t\r"))
	e.complete = func(context.Context, string, int) Completion {
		return Completion{Candidates: []Candidate{{Text: "b", Display: "\x1b[31m\n"},
			{Text: "a", Display: strings.Repeat("你", 40)}}}
	}
	e.Read(t.Context(), "$ ", "")
	if want := "$\n" + strings.Repeat("你", 19) + "\n\\x1b[31m\\n\n$"; m.Text() != want {
		t.Errorf("%s\nwant\n%s", m.Text(), want)
	}
	for _, from := range []int{-1, 9} {
		e := newEditor(faketerminal.New(40, 10), &History{}, strings.NewReader("a\t\r"))
		e.complete = func(context.Context, string, int) Completion {
			return Completion{From: from, Candidates: []Candidate{{Text: "b"}}}
		}
		if line, err := e.Read(t.Context(), "$ ", ""); line != "a" || err != nil {
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
		{time.Hour, 0, "b\x03", "", ErrInterrupted},
	} {
		synctest.Test(t, func(t *testing.T) {
			in, typing := io.Pipe()
			go func() {
				io.WriteString(typing, "a\t")
				io.WriteString(typing, test.typed)
			}()
			e := newEditor(faketerminal.New(40, 10), &History{}, in)
			e.complete = func(ctx context.Context, _ string, pos int) Completion {
				select {
				case <-time.After(test.takes):
				case <-ctx.Done():
				}
				return Completion{From: pos, Candidates: []Candidate{{Text: " done "}}}
			}
			begun := time.Now()
			line, err := e.Read(t.Context(), "$ ", "")
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
