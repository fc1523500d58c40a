package run

import (
	"io"
	"slices"
	"strings"
	"testing"
)

// Programs that miss a terminal are recognized, in whatever pieces their words come; others are
// not.
func TestComplaints(t *testing.T) {
	for _, test := range []struct {
		line, said string
		code       int
		want       bool
	}{
		{"top", "TERM environment variable not set.\n", 1, true},
		{"vim x", "Vim: Warning: Output is not to a terminal\nVim: Warning: Input is not from a terminal\n", 0, true},
		{"tmux", "open terminal failed: not a terminal\n", 1, true},
		{"stty", "stty: 'standard input': Inappropriate ioctl for device\n", 1, true},
		{"sudo id", "sudo: a terminal is required to read the password; either use the -S option\n", 1, true},
		{"bash -i", "bash: cannot set terminal process group (-1): Inappropriate ioctl for device\n", 0, true},
		{"/usr/bin/top -d 1", "", 1, true},
		{"top -b -n 1", "", 0, false},
		{"top", "top: unknown option 'z'\n", 1, false},
		{"false", "", 1, false},
		{"python3 -c 'input()'", "EOFError: EOF when reading a line\n", 1, true},
		{"ls x", "ls: cannot access 'x': No such file or directory\n", 2, false},
	} {
		for size := 1; size <= max(1, len(test.said)); size += 7 {
			var c Complaint
			w := c.Watching(io.Discard)
			for said := test.said; said != ""; {
				piece := said[:min(size, len(said))]
				said = said[len(piece):]
				if n, err := io.WriteString(w, piece); n != len(piece) || err != nil {
					t.Fatalf("%d, %v", n, err)
				}
			}
			if got := c.Without(test.line, test.code); got != test.want {
				t.Errorf("%s said %q in pieces of %d: %v", test.line, test.said, size, got)
			}
		}
	}
	for _, test := range []struct {
		said string
		want bool
	}{
		{"\x1b[?1049h\x1b[H", true},
		{"a line first\n\x1b[?47h", true},
		{"\x1b[?1049l\x1b[31mred\x1b[0m\n", false},
		{strings.Repeat("x", 4089) + "\x1b[?1049h", false}, // its last byte comes too late
		{strings.Repeat("x", 4088) + "\x1b[?1049h", true},
	} {
		for _, size := range []int{1, 3, len(test.said)} {
			var c Complaint
			w := c.WatchingOutput(io.Discard)
			for piece := range slices.Chunk([]byte(test.said), size) {
				w.Write(piece)
			}
			if got := c.Without("tui", 0); got != test.want {
				t.Errorf("%.20q in pieces of %d: %v", test.said, size, got)
			}
		}
	}
	if got := AsTyped("vim \x1b[31m\u009bx\n"); got != "vim ?[31m?x?" {
		t.Errorf("%q", got)
	}
}
