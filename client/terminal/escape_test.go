package terminal

import (
	"strings"
	"testing"
)

// What is typed, cut into any pieces, and what is sent of it, with [.], [Z] and [?] where the
// client was asked.
func TestEscapes(t *testing.T) {
	for _, test := range []struct {
		name  string
		char  int
		typed string
		want  string
	}{
		{"plain", '~', "ls\r", "ls\r"},
		{"at the very start", '~', "~.", "[.]"},
		{"after a return", '~', "ls\r~.", "ls\r[.]"},
		{"after a newline", '~', "ls\n~.x", "ls\n[.]x"},
		{"not within a line", '~', "ls ~.\r", "ls ~.\r"},
		{"a tilde", '~', "~~x\r~~~.\r", "~x\r~~.\r"},
		{"two tildes end the escape", '~', "~~.", "~."},
		{"a home directory", '~', "~/bin\r", "~/bin\r"},
		{"help, and then on the same line", '~', "~?~.", "[?][.]"},
		{"suspend", '~', "a\r~\x1a~\x1ab~.", "a\r[Z][Z]b~."},
		{"an unknown one begins a line", '~', "~\r~.", "~\r[.]"},
		{"an unknown one does not", '~', "~x~.", "~x~."},
		{"a letter with several bytes", '~', "~你\r~.", "~你\r[.]"},
		{"waits for what follows", '~', "a\r~", "a\r"},
		{"another character", '%', "~.\r%.", "~.\r[.]"},
		{"a control character", 1, "~.\r\x01.\x01\x01x", "~.\r[.]\x01x"},
		{"none", noEscape, "~.\r~?\r", "~.\r~?\r"},
		{"a byte above ASCII", 0xe9, "\r\xe9.", "\r[.]"},
	} {
		for size := 1; size <= len(test.typed); size++ {
			e := &Escaper{Char: test.char}
			var got strings.Builder
			for typed := test.typed; typed != ""; {
				piece := []byte(typed[:min(size, len(typed))])
				typed = typed[len(piece):]
				for len(piece) > 0 {
					send, action, rest := e.Filter(piece)
					got.Write(send)
					got.WriteString([]string{"", "[.]", "[Z]", "[?]"}[action])
					piece = rest
				}
			}
			if got.String() != test.want {
				t.Errorf("%s, in pieces of %d: %q, not %q", test.name, size, got.String(),
					test.want)
			}
		}
	}
}

// ~d is an escape only where something can become a job; in a job it leaves.
func TestDetachEscape(t *testing.T) {
	for _, c := range []struct {
		escaper Escaper
		send    string
		action  Action
	}{
		{Escaper{Char: '~'}, "~dx", None},
		{Escaper{Char: '~', MayDetach: true}, "", Detach},
		{Escaper{Char: '~', Job: true}, "", Disconnect},
	} {
		e := c.escaper
		send, action, rest := e.Filter([]byte("~dx"))
		if string(send) != c.send || action != c.action || action != None && string(rest) != "x" {
			t.Errorf("%+v: %q, %d, %q", c.escaper, send, action, rest)
		}
		want := c.escaper.MayDetach || c.escaper.Job
		if got := strings.Contains(c.escaper.HelpText(), " ~d "); got != want {
			t.Errorf("%+v: ~d is in the help: %v", c.escaper, got)
		}
	}
}

func TestEscapeHelp(t *testing.T) {
	for char, want := range map[int]string{'~': " ~.  ", 1: " ^A.  ", '%': " %%  "} {
		if help := (&Escaper{Char: char}).HelpText(); !strings.Contains(help, want) ||
			strings.Contains(strings.ReplaceAll(help, "\r\n", ""), "\n") {
			t.Errorf("%q", help)
		}
	}
}
