package process

import (
	"strings"
	"testing"
)

// A user's functions and aliases may be called as what tells the shell its lines is. They are in
// force for his lines, and take the place of nothing of ours.
func TestLinesBesideFunctionsOfTheSameNames(t *testing.T) {
	// What no function may be called is left out: special builtins in dash, and words that fish
	// reserves.
	functions := map[string]string{
		"dash": "printf test read kill cd pwd command sort head sed grep",
		"bash": "printf [ test read kill cd pwd command sort head sed grep eval set trap exec " +
			"return : builtin compgen history local",
		"zsh": "printf [ test read kill cd pwd command sort head sed grep eval set trap exec " +
			"return : builtin print setopt",
		"fish": "printf cd pwd sort head sed grep math functions complete kill cat count",
	}
	for name, words := range functions {
		t.Run(name, func(t *testing.T) {
			s := tellShell(t, name, true)
			for word := range strings.FieldsSeq(words) {
				define, ask := word+"() { echo mine; }", word+" x"
				switch name {
				case "fish":
					define = "function " + word + "; echo mine; end"
				case "bash":
					define = "function " + word + " { echo mine; }"
				case "zsh":
					define = "function " + word + " { echo mine }"
				}
				s.tell(define, PlainLine)
				if word == "builtin" || word == "command" && name == "dash" {
					continue // for the line alone
				}
				if _, got := s.tell(ask, PlainLine); got.of(1) != "mine\n" {
					t.Errorf("%s: %q, %q", ask, got.of(1), got.of(2)+got.of(0))
				}
			}
			check(t, s)
		})
		if name == "fish" {
			continue // aliases are functions there
		}
		t.Run(name+" aliases", func(t *testing.T) {
			s := tellShell(t, name, true)
			for word := range strings.FieldsSeq(words) {
				s.tell("alias "+word+"='echo mine'", PlainLine)
			}
			check(t, s)
		})
	}
}

// check sees that statuses, directories, several rows, and names are told as ever.
func check(t *testing.T, s *told) {
	t.Helper()
	for _, line := range []struct {
		text, out string
		code      int
	}{
		{"false", "", 1}, {"echo $?", "1\n", 0}, {"echo a\necho b", "a\nb\n", 0},
		{"sh -c 'exit 7'", "", 7}, {"", "", 7},
	} {
		if s.Name == "fish" {
			line.text = strings.ReplaceAll(line.text, "$?", "$status")
		}
		end, got := s.tell(line.text, PlainLine)
		if end.ShellEnded || got.of(1) != line.out || line.text != "" && end.Code != line.code ||
			end.Dir == nil {
			t.Errorf("%q: %+v, %q, %q", line.text, end, got.of(1), got.of(2)+got.of(0))
		}
	}
	for ask, want := range map[string]string{"path\n/usr/bi": "/usr/bin/\n",
		"command\nmkfif": "mkfifo\n"} {
		if _, got := s.tell(ask, NameLine); got.of(1) != want {
			t.Errorf("%q: %q, %q", ask, got.of(1), got.of(2))
		}
	}
}
