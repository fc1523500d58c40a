package terminal

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// What is typed is the line, but for what the keys of an editor take away; what comes after Enter
// is left.
func TestReadLine(t *testing.T) {
	for _, c := range []struct {
		typed, line, rest, screen string
		ok                        bool
	}{
		{"-L 1:a:2\rls\r", "-L 1:a:2", "ls\r", "-L 1:a:2", true},
		{"x\nrest", "x", "rest", "x", true},
		{"ab\x7fc\r", "ac", "", "ab\b \bc", true},
		{"\x7f中\bé\r", "é", "", "中\b \b\b \bé", true},
		{"ab\x15c\r", "c", "", "ab\b \b\b \bc", true},
		{"a\x1b[D\x1bOAb\x01\r", "ab", "", "ab", true},
		{"a\xff\r", "a\ufffd", "", "a\ufffd", true},
		{"a\x03more", "", "more", "a", false},
		{"\x04", "", "", "", false},
		{"no end", "", "", "no end", false},
		{strings.Repeat("x", 5000) + "\r", strings.Repeat("x", 4096), "",
			strings.Repeat("x", 4096), true},
	} {
		for _, keys := range []io.Reader{strings.NewReader(""),
			iotest.OneByteReader(strings.NewReader(c.typed))} {
			first := c.typed
			if _, whole := keys.(*strings.Reader); !whole {
				first = ""
			}
			var screen strings.Builder
			line, rest, ok := ReadLine(keys, []byte(first), &screen)
			if line != c.line || ok != c.ok || first != "" && string(rest) != c.rest ||
				screen.String() != c.screen {
				t.Errorf("%q: %q, %q, %v, screen %q", c.typed, line, rest, ok, screen.String())
			}
		}
	}
}
