package prompt

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"minissh/client/terminal"
)

// Help fits on a screen of 80 columns and 24 rows, with the next prompt, and so does what help says
// about each word.
func TestHelpFits(t *testing.T) {
	l := &loop{cfg: &Config{User: "student", Host: "a-long-name-of-a-host"},
		face: face{terminal: os.Stdout, raw: true}}
	l.builtins = l.ownBuiltins()
	for name, b := range (&runner{}).builtins() {
		l.builtins[name] = b
	}
	words := []string{"", "keys", "!", "!ls"}
	for name := range l.builtins {
		words = append(words, name)
	}
	for _, word := range words {
		var out bytes.Buffer
		if _, err := l.help(t.Context(), word, IO{Stdout: &out}); err != nil {
			t.Errorf("%s: %v", word, err)
		}
		rows := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(rows) > 23 || len(rows[0]) < 10 {
			t.Errorf("help %s has %d rows", word, len(rows))
		}
		for _, row := range rows {
			if n := terminal.Columns(row); n > 80 {
				t.Errorf("help %s has a row of %d columns: %s", word, n, row)
			}
		}
		for name := range l.builtins {
			if word == "" && name != "quit" && !strings.Contains(out.String(), "\n  "+name+" ") {
				t.Errorf("help does not name %s", name)
			}
		}
	}
	l.face.raw = false // a terminal that nothing is edited on
	l.builtins = l.ownBuiltins()
	var out bytes.Buffer
	l.help(t.Context(), "", IO{Stdout: &out})
	if _, err := l.help(t.Context(), "keys", IO{}); err == nil ||
		strings.Contains(out.String(), "help keys") {
		t.Errorf("help names keys that are not there: %s", out.String())
	}
	for word, want := range map[string]string{"hlep": "did you mean help?", "none": "help alone",
		"a\x1b[m": `a\x1b[m`} {
		_, err := l.help(t.Context(), word, IO{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("help %q: %v", word, err)
		}
	}
}
