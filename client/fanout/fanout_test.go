package fanout

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"minissh/protocol/testend"
)

func TestMain(m *testing.M) { testend.Main(m) }

func TestCount(t *testing.T) {
	for text, want := range map[string]int{"0": 0, "7": 7, "25%": 50, "100%": 200, "1%": 2} {
		if c, ok := ParseCount(text); !ok || c.Of(200) != want {
			t.Errorf("%s: %v, %d of 200", text, ok, c.Of(200))
		}
	}
	for _, text := range []string{"", "%", "-1", "101%", "x", "1.5"} {
		if c, ok := ParseCount(text); ok {
			t.Errorf("%q is %v", text, c)
		}
	}
}

func TestDiff(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"one two three", "one two three", " one| two| three|"},
		{"one two three", "one three", " one|-two| three|"},
		{"one three", "one two three", " one|+two| three|"},
		{"a b c d", "a x c y", " a|-b|+x| c|-d|+y|"},
		{"a b", "", "-a|-b|"},
		{"", "a", "+a|"},
		{"x x x", "x x", " x| x|-x|"},
	} {
		got := strings.ReplaceAll(diff(strings.Fields(c.a), strings.Fields(c.b)), "\n", "|")
		if got != c.want {
			t.Errorf("%q and %q: %q, not %q", c.a, c.b, got, c.want)
		}
	}
	// too long to be compared: nothing is lost all the same
	var a, b []string
	for n := range 3000 {
		a, b = append(a, fmt.Sprint("a", n)), append(b, fmt.Sprint("b", n))
	}
	if lines := strings.Count(diff(a, b), "\n"); lines != 6000 {
		t.Errorf("%d lines", lines)
	}
}

// A host's name never leads out of the folder, and two names are never one file.
func TestFileName(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"web01", "..", ".", "../x", "/etc/passwd", "a/b", `a\b`, "a:1",
		"root@a", ".hidden", "a%2Fb", "中文", "a b", "", "con", "CON.x", "console", "a.",
		"a\n", "a.out"} {
		file := FileName(name)
		if file != filepath.Base(filepath.Clean("/"+file)) && name != "" ||
			strings.HasPrefix(file, ".") {
			t.Errorf("%q is %q", name, file)
		}
		if other, ok := seen[file]; ok {
			t.Errorf("%q and %q are both %q", name, other, file)
		}
		seen[file] = name
	}
	if err := OneFileEach([]string{"web1", "db1", "Web1"}); err == nil {
		t.Error("one file for two hosts")
	}
	if err := OneFileEach([]string{"web1", "db1", "web11"}); err != nil {
		t.Error(err)
	}
}

func TestAccepted(t *testing.T) {
	names := []string{"h1", "h2", "h3"}
	for answer, want := range map[string]string{"yes": "h[1-3]", " YES ": "h[1-3]", "no": "",
		"": "", "h2": "h2", "h[1-2]": "h[1-2]", "h[1-3]!h2": "h[1,3]"} {
		if set, err := accepted(answer, names); err != nil || set.Fold() != want {
			t.Errorf("%q: %v, %v", answer, set.Fold(), err)
		}
	}
	for _, answer := range []string{"y", "h4", "h[1-4]", "h[", "@all"} {
		if set, err := accepted(answer, names); err == nil || set.Len() > 0 {
			t.Errorf("%q: %v", answer, set.Names())
		}
	}
}

// Lines come whole, in whichever pieces they were sent; one without bound comes in parts.
func TestLines(t *testing.T) {
	var out bytes.Buffer
	l := &lines{to: &out, before: []byte("h: ")}
	for _, piece := range []string{"o", "ne\ntw", "o\n\nth", "ree"} {
		if n, err := l.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if got := out.String(); got != "h: one\nh: two\nh: \n" {
		t.Errorf("%q", got)
	}
	l.end()
	l.end()
	if got := out.String(); got != "h: one\nh: two\nh: \nh: three\n" {
		t.Errorf("%q", got)
	}
	out.Reset()
	for range 5 {
		l.Write(bytes.Repeat([]byte("x"), mostLine/2))
	}
	l.end()
	if got := out.String(); strings.Count(got, "x") != 5*(mostLine/2) ||
		strings.Count(got, "h: ") != 3 || cap(l.rest) > 4*mostLine {
		t.Errorf("%d bytes, %d parts", len(got), strings.Count(got, "h: "))
	}
}

// What is a host's alone is not in a cause, and other words stay as they are.
func TestGeneral(t *testing.T) {
	for _, c := range []struct{ text, word, want string }{
		{"connect to host e port 1: refused", "e", "connect to host … port 1: refused"},
		{"root@web1: denied", "web1", "root@…: denied"},
		{"web1.example and web1", "web1", "….example and …"},
		{"web10, web-1, web1", "web1", "web10, web-1, …"},
		{"中文 中", "中", "中文 …"}, {"x", "", "x"}, {"", "x", ""}, {"aa a", "a", "aa …"},
	} {
		if got := without(c.text, c.word, "…"); got != c.want {
			t.Errorf("%q without %q: %q", c.text, c.word, got)
		}
	}
}

// A stream is kept whole, and what is long is not in memory.
func TestSpool(t *testing.T) {
	var all store
	defer all.close()
	s, other := newSpool(&all), newSpool(&all)
	var want bytes.Buffer
	for n := range 100_000 {
		fmt.Fprintln(s, n)
		fmt.Fprintln(&want, n)
		fmt.Fprintln(other, "other")
	}
	if s.memory.Len() != inMemory || s.size != int64(want.Len()) {
		t.Errorf("%d bytes of %d are in memory", s.memory.Len(), s.size)
	}
	for range 2 {
		var got bytes.Buffer
		if got.ReadFrom(s.reader()); !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("%d bytes", got.Len())
		}
	}
}
