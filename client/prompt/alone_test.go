package prompt

import (
	"errors"
	"strings"
	"testing"

	"minissh/client/report"
)

// put and get are not part of a command: what a person writes as one is refused whole.
func TestCopiesAreAlone(t *testing.T) {
	for args, want := range map[string]string{"one && echo ok": "&", "one; ls": ";", "a>b": ">",
		"a | b": "|", "a <b": "<", "'a;b'": "", `"a;b"`: "", `a\;b`: "", "a b": "",
		`'a\';b`: ";", `"a\";b"`: ""} {
		if got := operator(args); got != want {
			t.Errorf("%s: %q", args, got)
		}
	}
	for args, hint := range map[string]string{"a && b": "in a name, & is in quotes",
		"-h": "help get", "--help": "help get", "-z a": "get -- -z …"} {
		_, err := (&runner{}).plan(t.Context(), args, "get")
		var failure *report.Failure
		if !errors.As(err, &failure) || failure.Hint() != hint {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// Before its next line, the shell is told the status of what it has not run. The second exit in
// turn ends the prompt in any case.
func TestStatusOfOwnWords(t *testing.T) {
	for input, want := range map[string]struct {
		code  int
		lines string
	}{
		"help nope\nexit\n":         {127, "sh -c 'exit 255' exit"},
		"exit\nexit\necho a\n":      {127, "exit"}, // refused once: there are stopped jobs
		"exit\nexit 4\necho a\n":    {4, "exit"},
		"exit\ncode 0\nexit\n":      {127, "exit code 0 exit"},
		"code 3\nexit\n":            {127, "code 3 exit"}, // it is the shell's
		"help nope\ncode 0\nexit\n": {127, "sh -c 'exit 255' code 0 exit"},
		"code 3\nhelp exit\nexit\n": {127, "code 3 sh -c 'exit 0' exit"},
		"code 3\ncode 4\n":          {4, "code 3 code 4"},
		"help\ncode 4\n":            {4, "code 4"},
	} {
		runner := newFakeRunner()
		runner.exits = true
		code, _, _, err := piped(t, t.Context(), input, Config{Runner: runner})
		if lines := strings.Join(runner.lines, " "); err != nil || code != want.code ||
			lines != want.lines {
			t.Errorf("%q: %d, %v, %q", input, code, err, lines)
		}
	}
}
