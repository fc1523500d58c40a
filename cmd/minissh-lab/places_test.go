package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"minissh/protocol/flags"
)

// Every flag reaches the verb that it follows, before a verb it is refused (--lang counts there
// too), and a second one is refused. The table is the program's own, so that a new flag is in it.
func TestEveryFlagInEveryPlace(t *testing.T) {
	run := func(name string, args []string) (ran, value string, err error) {
		app := newApp()
		app.Writer, app.ErrWriter = io.Discard, io.Discard
		for _, verb := range app.Commands {
			verb.Action = func(c *cli.Context) error {
				ran, value = verb.Name, fmt.Sprint(c.Value(name))
				if name == "lang" {
					lang, err := chosenLang(c)
					value = fmt.Sprint(lang)
					return err
				}
				return nil
			}
		}
		err = app.Run(append([]string{"minissh-lab"}, args...))
		return ran, value, err
	}
	for _, verb := range newApp().Commands {
		for _, f := range verb.Flags {
			if len(f.Names()) == 0 {
				continue
			}
			for _, name := range f.Names() {
				words, want := []string{flags.Dashed(name), "x"}, "x"
				switch f.(type) {
				case *cli.BoolFlag:
					words, want = words[:1], "true"
				case *cli.IntFlag:
					words[1], want = "17", "17"
				case *cli.DurationFlag:
					words[1], want = "7s", "7s"
				}
				lang := name == "lang"
				if lang {
					words[1], want = "en", "en"
				}
				behind := append([]string{verb.Name}, words...)
				if ran, value, err := run(name, behind); ran != verb.Name || err != nil || !lang &&
					value != want {
					t.Errorf("%q: %q ran with %q, %v", behind, ran, value, err)
				}
				ran, _, err := run(name, append(slices.Clone(words), verb.Name))
				if (err == nil) != lang || (ran == verb.Name) != lang {
					t.Errorf("%q before %s: %q ran, %v", words, verb.Name, ran, err)
				}
				ran, _, err = run(name, append(behind, words...))
				if ran != "" || err == nil ||
					!strings.Contains(err.Error(), flags.Dashed(name)+" is given twice") {
					t.Errorf("%q twice: %q ran, %v", behind, ran, err)
				}
			}
		}
	}
	var langs []string
	// the verb's own wins
	for _, args := range [][]string{{"--lang", "en", "lesson", "--lang", "zh"},
		{"--lang", "zh", "lesson"}} {
		_, value, err := run("lang", args)
		if langs = append(langs, value); err != nil {
			t.Errorf("%q: %v", args, err)
		}
	}
	if langs[0] != langs[1] {
		t.Errorf("languages %q", langs)
	}
}

// Flags after a word of the verb's own count as those before it do, and those that are in both
// places are refused.
func TestFlagsAfterTheLesson(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	for _, args := range []string{"lesson --lang en list --lang en",
		"lesson list --lang en --lang en", "check --only a 16 --only b -- x"} {
		code, _, errOut := lab(t, "", strings.Fields(args)...)
		if code != 2 || !strings.Contains(errOut, "is given twice") {
			t.Errorf("%s: code %d, %q", args, code, errOut)
		}
	}
}
