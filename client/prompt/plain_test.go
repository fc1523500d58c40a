package prompt

import (
	"strings"
	"testing"

	"minissh/client/editor"
	"minissh/client/syntax"
)

// bash is a Config.Command.
func bash() *syntax.Command { return syntax.New("/bin/bash") }

// From a pipe, lines that are one command are run as one; at the end of the input, what is there.
func TestPipedCommands(t *testing.T) {
	for name, test := range map[string]struct {
		input string
		lines []string
	}{
		"lines": {"a\nb\n", []string{"a", "b"}},
		"a loop": {"for i in 1 2\ndo\n\n\techo $i\ndone\nb\n",
			[]string{"for i in 1 2\ndo\n\n\techo $i\ndone", "b"}},
		"a here text":   {"cat <<E\nexit\n!ls\nE\nb\n", []string{"cat <<E\nexit\n!ls\nE", "b"}},
		"a backslash":   {"rm -rf \\\r\nfile\nb", []string{"rm -rf \\\nfile", "b"}},
		"an open quote": {"echo 'a\n\nb'\nb\n", []string{"echo 'a\n\nb'", "b"}},
		"the end":       {"b\nif true; then\na\n", []string{"b", "if true; then\na"}},
		"own words":     {"a\nexit 'x\nb\n", []string{"a", "b"}}, // not the shell's
		"an error":      {"a )\nb\n", []string{"a )", "b"}},
	} {
		runner := newFakeRunner()
		piped(t, t.Context(), test.input, Config{Runner: runner, Command: bash})
		if got := strings.Join(runner.lines, "|"); got != strings.Join(test.lines, "|") {
			t.Errorf("%s: %q", name, runner.lines)
		}
	}
}

// What is too long ends the loop: what follows it may be its rest.
func TestPipedCommandThatIsTooLong(t *testing.T) {
	runner := newFakeRunner()
	text := strings.Repeat(strings.Repeat("x", 99)+"\n", editor.MaxLine/100+1)
	code, _, _, err := piped(t, t.Context(), "a\ncat <<E\n"+text+"E\nb\n",
		Config{Runner: runner, Command: bash})
	if code != ExitLost || err == nil || !strings.Contains(err.Error(), "1 MiB") ||
		strings.Join(runner.lines, "|") != "a" {
		t.Errorf("%d, %v, ran %.20q", code, err, runner.lines)
	}
}

// The language is that of the shell on the other side, as soon as that is known; nobody who types
// waits for it.
func TestCommandOfTheShell(t *testing.T) {
	more := func(r *runner, line string) bool {
		c := r.command()
		defer c.Stop()
		return c.Line(line)
	}
	typing := &runner{notes: make(chan string, 1)}
	if !more(typing, "{ a") || more(typing, "begin") {
		t.Error("without a shell it is not as in sh")
	}
	typing.shell = &shell{begun: make(chan struct{}), name: "fish"}
	if !more(typing, "{ a") || more(typing, "begin") {
		t.Error("before the shell has begun it is not as in sh")
	}
	close(typing.shell.begun)
	if more(typing, "{ a") || !more(typing, "begin") {
		t.Error("it is not as in fish")
	}
}
