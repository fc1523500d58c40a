package syntax

import (
	"os/exec"
	"path"
	"regexp"
	"strings"
	"testing"
)

// unfinished is what shells say about a text that ends too early.
var unfinished = regexp.MustCompile(`(?i)end.of.file|unexpected EOF|unterminated|unmatched|` +
	`parse error near .(?:\\n|do)'|missing end|quotes are not balanced|unexpected end of string|` +
	`end of the input|expected a command`)

// The shells themselves have the same opinion. None of them complains about a backslash at the end.
func TestShellsAgree(t *testing.T) {
	for _, test := range texts {
		shell := test.shell
		if shell == "" {
			shell = "bash"
		}
		name, err := exec.LookPath(path.Base(shell))
		if err != nil || strings.HasSuffix(test.text, `\`) {
			continue
		}
		said, _ := exec.Command(name, "-n", "-c", test.text).CombinedOutput()
		if more := unfinished.Match(said); more != test.more {
			t.Errorf("%s: %q needs more: %v: %s", shell, test.text, more, said)
		}
	}
}
