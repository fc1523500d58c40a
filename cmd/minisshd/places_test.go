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

// given is a flag as it is typed, with a value that it accepts.
func given(t *testing.T, f cli.Flag) []string {
	t.Helper()
	word := flags.Dashed(f.Names()[0])
	switch f.(type) {
	case *cli.BoolFlag:
		return []string{word}
	case *cli.DurationFlag:
		return []string{word, "7s"}
	case *cli.IntFlag:
		return []string{word, "17"}
	case *cli.StringFlag, *cli.StringSliceFlag:
		return []string{word, "a.sock"}
	}
	t.Fatalf("%s is of a kind that this test does not know: %T", word, f)
	return nil
}

// spied is the program with verbs that note what reaches them and do nothing.
func spied(ran *string, saw func(*cli.Context)) *cli.App {
	app := newApp()
	app.Writer, app.ErrWriter = io.Discard, io.Discard
	app.Action = func(c *cli.Context) error { *ran = "serve"; saw(c); return nil }
	for _, verb := range app.Commands {
		verb.Action = func(c *cli.Context) error { *ran = verb.Name; saw(c); return nil }
	}
	return app
}

// Every flag reaches the verb that it comes after, with its value. Before a verb it is refused,
// since it would not. A second one is refused, or both count. The table is the program's own, so
// that a new flag is in it.
func TestEveryFlagInEveryPlace(t *testing.T) {
	walk := func(verb string, list []cli.Flag) {
		for _, f := range list {
			if len(f.Names()) == 0 || slices.Contains(f.Names(), "help") ||
				slices.Contains(f.Names(), "version") {
				continue
			}
			name, words := f.Names()[0], given(t, f)
			run := func(args ...string) (ran string, values []string, err error) {
				err = spied(&ran, func(c *cli.Context) {
					if !c.IsSet(name) {
						t.Errorf("%q: --%s does not arrive", args, name)
					}
					if values = c.StringSlice(name); values == nil {
						values = []string{fmt.Sprint(c.Value(name))}
					}
				}).Run(append([]string{"minisshd"}, args...))
				return ran, values, err
			}
			behind := words
			if verb != "serve" {
				behind = append([]string{verb}, words...)
				if ran, _, err := run(append(slices.Clone(words), verb)...); ran != "" ||
					err == nil || !strings.Contains(err.Error(), "--"+name) {
					t.Errorf("%q before %s: %q ran, %v", words, verb, ran, err)
				}
			}
			want := words[len(words)-1]
			if len(words) == 1 {
				want = "true"
			}
			if ran, values, err := run(behind...); ran != verb || err != nil ||
				!slices.Equal(values, []string{want}) {
				t.Errorf("%q: %q ran with %q, %v", behind, ran, values, err)
			}
			again := append(slices.Clone(behind), words...)
			ran, values, err := run(again...)
			if _, many := f.(*cli.StringSliceFlag); many != (ran == verb && err == nil &&
				len(values) == 2) || many != (err == nil) {
				t.Errorf("%q: %q ran with %q, %v", again, ran, values, err)
			}
		}
	}
	app := newApp()
	walk("serve", app.Flags)
	for _, verb := range app.Commands {
		walk(verb.Name, verb.Flags)
		for _, f := range app.Flags { // including those that the verb does not have
			if len(f.Names()) == 0 {
				continue
			}
			var ran string
			err := spied(&ran, func(*cli.Context) {}).Run(
				append(append([]string{"minisshd"}, given(t, f)...), verb.Name))
			if ran != "" || err == nil {
				t.Errorf("--%s before %s: %q ran, %v", f.Names()[0], verb.Name, ran, err)
			}
		}
	}
}

// What pair would not use is refused: flags for making a code together with those that look at
// keys.
func TestPairRefusesWhatItWouldDrop(t *testing.T) {
	for args, want := range map[string]string{
		"--list --remove 1":          "cannot be combined",
		"--list --expires 3d":        "--expires means nothing together with --list",
		"--remove 1 --count 2":       "--count means nothing together with --remove",
		"--list --listen 127.0.0.1:": "--listen means nothing together with --list",
	} {
		err := newApp().Run(append([]string{"minisshd", "pair"}, strings.Fields(args)...))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("pair %s: %v", args, err)
		}
	}
}
