package main

import (
	"os/exec"
	"strings"
	"testing"
)

// Lines run as a script from a pipe: to the end, or with --stop until one fails; the shell's end is
// the prompt's; a shell that is killed is replaced, and that is said.
func TestPromptEnds(t *testing.T) {
	t.Parallel()
	h := startMinisshHere(t)
	for _, c := range []struct {
		flags, lines, out, err string
		code                   int
	}{
		{"", "echo a\nfalse\necho b\n(exit 3)\n", "a\nb\n", "", 3},
		{"--stop", "echo a\n(exit 3)\necho b\n", "a\n", "", 3},
		{"--stop", "echo a\nif false; then\nfalse\nfi\necho b\n", "a\nb\n", "", 0},
		{"", "echo a\nexit 4\necho b\n", "a\n", "", 4},
		{"", "f() { exit 5; }\nf\necho b\n", "", "", 5},
		{"", "set -e\nfalse\necho b\n", "", "", 1},
		{"", "exec sh -c 'echo instead; exit 6'\necho b\n", "instead\n", "", 6},
		{"", "x=1\nkill -9 $$\necho [$x]\n", "[]\n", "the shell on 127.0.0.1 was ended; a new one", 0},
		{"", "trap 'echo bye' EXIT\necho a\n", "a\nbye\n", "", 0},
		{"", "echo '\n", "", "unexpected EOF", 2},
	} {
		args := []string{"prompt"}
		if c.flags != "" {
			args = append(args, c.flags)
		}
		cmd := exec.Command(h.args[0], append(append(args, h.args[1:]...), "127.0.0.1")...)
		var out, errs strings.Builder
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(c.lines), &out, &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait() // its status is compared
		if out.String() != c.out || cmd.ProcessState.ExitCode() != c.code ||
			c.err == "" && errs.String() != "" || !strings.Contains(errs.String(), c.err) {
			t.Errorf("%s %q: %q, %q, code %d", c.flags, c.lines, out.String(), errs.String(),
				cmd.ProcessState.ExitCode())
		}
	}
}
