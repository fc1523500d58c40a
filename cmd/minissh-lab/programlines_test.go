package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"minissh/cmd/minissh-lab/speak"
)

// A line is shown once and as one, however its writes are cut: Python without a buffer writes the
// words of one print, and its line end, one by one. (It was four lines, and two of them empty.)
func TestOwnProgramsLinesAreWhole(t *testing.T) {
	const wait = promptWait
	for _, test := range []struct {
		name   string
		writes []any // what is written, and for how long nothing is
		want   string
	}{
		{"one print in four writes", []any{"starting", " ", "8080", "\n"}, "starting 8080\n"},
		{"two lines in one write", []any{"a\nb\n"}, "a\nb\n"},
		{"an empty line", []any{"a\n", "\n", "b\n"}, "a\n\nb\n"},
		{"a prompt, its answer's line, and the next prompt",
			[]any{">>: ", wait, "bye\n>>: ", wait}, ">>: \nbye\n>>: \n"},
		{"the end of a line whose beginning is shown", []any{"a", wait, "\n", "b\n"}, "a\nb\n"},
		{"two writes shortly after each other", []any{"a", wait - 1, "b\n", wait}, "ab\n"},
		{"Windows", []any{"a\r\n", "b\r", "\n"}, "a\nb\n"},
		{"no end", []any{"bye"}, "bye\n"},
		{"too long", []any{strings.Repeat("x", maxLine+1), "\n", "b\n"},
			strings.Repeat("x", maxLine) + "\nx\nb\n"},
		{"as long as a line may be", []any{strings.Repeat("x", maxLine), "\n", "b\n"},
			strings.Repeat("x", maxLine) + "\nb\n"},
		{"hostile", []any{"\x1b[2J", "\n"}, speak.Clean("\x1b[2J") + "\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				l := &ownLines{who: "server", p: speak.New(&out, speak.English)}
				for _, w := range test.writes {
					switch w := w.(type) {
					case string:
						l.Write([]byte(w))
					case time.Duration:
						<-time.After(w) // fake time
						synctest.Wait()
					}
				}
				l.end()
				got := strings.ReplaceAll("\n"+out.String(), "\nserver | ", "\n")[1:]
				if got != test.want {
					t.Errorf("shown: %q, want: %q", got, test.want)
				}
			})
		})
	}
}
