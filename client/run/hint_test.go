package run

import (
	"io"
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
	if got := AsTyped("vim \x1b[31m\u009bx\n"); got != "vim ?[31m?x?" {
		t.Errorf("%q", got)
	}
}
