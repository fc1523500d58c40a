package syntax

import (
	"strings"
	"testing"
)

// texts are commands, and whether they need more lines: of the shells that are like sh, and of
// fish.
var texts = []struct {
	shell, text string
	more        bool
}{
	{"", "ls", false},
	{"", "", false},
	{"", "   ", false},
	{"", "for i in 1 2; do", true},
	{"", "for i in 1 2; do\necho $i\ndone", false},
	{"", "for i in 1 2\ndo\necho $i", true},
	{"", "while read x; do echo $x; done", false},
	{"", "if true; then", true},
	{"", "if true; then\necho\nfi", false},
	{"", "case a in", true},
	{"", "case a in\na) echo;;\nesac", false},
	{"", "f() {", true},
	{"", "f()", true},
	{"", "f() {\necho; }", false},
	{"", "{ echo", true},
	{"", "( echo", true},
	{"", "echo 'a", true},
	{"", "echo 'a\n", true},
	{"", "echo 'a\nb'", false},
	{"", `echo "a`, true},
	{"", `echo "a\"`, true},
	{"", "echo $(ls", true},
	{"", "echo `ls", true},
	{"", "echo $((1 +", true},
	{"", "a &&", true},
	{"", "a ||", true},
	{"", "a |", true},
	{"", "a && b", false},
	{"", "a &", false},
	{"", `rm -rf \`, true},
	{"", `\`, true},
	{"", `rm -rf \\`, false},
	{"", "rm -rf \\\nfile", false},
	{"", "rm -rf \\\nfile \\", true},
	{"", `echo 'a\'`, false},
	{"", `echo a # b\`, true}, // in a comment it would mean nothing, and an empty line ends it
	{"", "# it's", false},
	{"", "echo it's", true},
	{"", "cat <<E", true},
	{"", "cat <<E\nit's $(x", true},
	{"", "cat <<E\nit's\nE", false},
	{"", "cat <<'E'\na \\\nE", false},
	{"", "cat <<-E\n\ta\n\tE", false},
	{"", "cat <<A <<B\na\nA", true},
	{"", "cat <<A <<B\na\nA\nb\nB", false},
	{"", "cat <<E | wc", true},
	{"", "a\nb\nfor i in 1", true},
	{"", "[[ a == b", true},
	{"", "a=(1", true},
	{"", "a=(1\n2)", false},
	{"", "cat <<<'a'", false},
	{"", "echo ${x:-a", true},
	{"", "echo ${x:-a\nb}", false},
	{"", "diff <(a) <(b)", false},
	// What is wrong is complete: the shell says what.
	{"", ")", false},
	{"", "for for for", false},
	{"", "done", false},
	{"", ")\nfor i in 1; do", false},
	{"/bin/dash", "if true", true},
	{"/usr/bin/zsh", "for f in a b; do", true},
	{"/usr/bin/zsh", "echo 'a", true},
	{"/usr/bin/zsh", "print -l **/*(.om[1,3])", false},

	{"/usr/bin/fish", "ls", false},
	{"/usr/bin/fish", "for i in 1 2", true},
	{"/usr/bin/fish", "for i in 1 2; echo $i; end", false},
	{"/usr/bin/fish", "if true\necho\nelse if false\necho\nend", false},
	{"/usr/bin/fish", "if true; begin; echo; end", true},
	{"/usr/bin/fish", "if begin; true; end", true},
	{"/usr/bin/fish", "not while true", true},
	{"/usr/bin/fish", "function f\necho end\nend", false},
	{"/usr/bin/fish", "function f\necho end", true},
	{"/usr/bin/fish", "echo if for begin", false},
	{"/usr/bin/fish", "echo a; and if true", true},
	{"/usr/bin/fish", "switch a\ncase b\necho\nend", false},
	{"/usr/bin/fish", "end", false},
	{"/usr/bin/fish", "echo 'a", true},
	{"/usr/bin/fish", "echo 'a\nb'", false},
	{"/usr/bin/fish", `echo 'a\'`, true},
	{"/usr/bin/fish", `echo "a`, true},
	{"/usr/bin/fish", "echo (ls", true},
	{"/usr/bin/fish", "echo (ls)", false},
	{"/usr/bin/fish", "echo (if true; ls; end) if", false},
	{"/usr/bin/fish", "echo )", false},
	{"/usr/bin/fish", `rm -rf \`, true},
	{"/usr/bin/fish", "rm -rf \\\nif", false},
	{"/usr/bin/fish", `rm -rf \\`, false},
	{"/usr/bin/fish", `rm -rf \ `, false},
	{"/usr/bin/fish", "a |", true},
	{"/usr/bin/fish", "a &&", true},
	{"/usr/bin/fish", "a ||\nb", false},
	{"/usr/bin/fish", "a &", false},
	{"/usr/bin/fish", "a | # b", true},
	{"/usr/bin/fish", "echo a # if | ' \\", false},
	{"/usr/bin/fish", "echo a#'", true},
	{"/usr/bin/fish", `"if" a`, true},
	{"/usr/bin/fish", `echo "if"; \if`, false},
	{"/usr/bin/fish", "begin\nend | if true", true},
	{"/usr/bin/fish", "echo ''#'", true},
}

// Where commands end, told line by line and all at once.
func TestCommands(t *testing.T) {
	for _, test := range texts {
		whole := New(test.shell)
		if more := whole.Line(test.text); more != test.more {
			t.Errorf("%s: %q needs more: %v", test.shell, test.text, more)
		}
		whole.Stop()
		c, more := New(test.shell), false
		for line := range strings.SplitSeq(test.text, "\n") {
			more = c.Line(line)
		}
		if c.Stop(); more != test.more {
			t.Errorf("%s: line by line, %q needs more: %v", test.shell, test.text, more)
		}
	}
}

// Each line is looked at once, in whatever it is.
func TestManyLines(t *testing.T) {
	for _, begin := range []string{"cat <<E", "while true; do", "f() {", "echo '"} {
		c := New("")
		c.Line(begin)
		read := 0
		for range 50_000 {
			if !c.Line("echo line") {
				t.Fatalf("%s ends after %d lines", begin, read)
			}
			read++
		}
		c.Stop()
	}
}

// No text makes them panic, or go on for ever.
func FuzzCommand(f *testing.F) {
	for _, test := range texts {
		f.Add(test.shell, test.text)
	}
	f.Fuzz(func(t *testing.T, shell, text string) {
		c := New(shell)
		c.Line(text)
		c.Line("x")
		c.Stop()
		c.Stop()
	})
}
