package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// No help is wider than a terminal, and what an option means begins in one column.
func TestHelpFitsIn80Columns(t *testing.T) {
	for _, verb := range []string{"", "check", "who", "end", "pair"} {
		app := newApp()
		var out bytes.Buffer
		app.Writer = &out
		args := strings.Fields("minisshd " + verb + " --help")
		if err := app.Run(args); err != nil || !strings.Contains(out.String(), "OPTIONS:") {
			t.Fatalf("%q: %v, %q", args, err, out.String())
		}
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%q: %d columns: %s", args, n, line)
			}
		}
		option := "   --control PATH" + strings.Repeat(" ", 35-17)
		if !strings.Contains(out.String(), "\n"+option) {
			t.Errorf("%q: no line begins with %q:\n%s", args, option, out.String())
		}
	}
}
