package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"minissh/client/cp"
	"minissh/client/options"
	"minissh/client/terminal"
)

// Each row of the table is complete, and a verb is one only as the first word.
func TestVerbs(t *testing.T) {
	for _, v := range verbs() {
		if v.usage == "" || (v.run == nil) == (v.runOwn == nil) || v.run != nil && v.flags != nil {
			t.Errorf("the row of %s is not whole", v.name)
		}
		if found, ok := verbNamed(v.name); !ok || found.name != v.name {
			t.Errorf("%s is not found", v.name)
		}
	}
	for _, word := range []string{"", "--", "user@try", "-v", "Try", "tr"} {
		if v, ok := verbNamed(word); ok {
			t.Errorf("%q is the verb %s", word, v.name)
		}
	}
}

// Each of a verb's own flags counts after the verb, once; a second one is refused, and so is one
// before the verb. The table is the program's own.
func TestEveryVerbsFlagInEveryPlace(t *testing.T) {
	for _, v := range verbs() {
		for _, f := range v.flags {
			words := []string{f.Name}
			if f.Argument {
				words = append(words, "value")
			}
			if own, err := v.parse(words); err != nil || !own.has(f.Name) || f.Argument &&
				own.values[f.Name] != "value" {
				t.Errorf("%s %q: %+v, %v", v.name, words, own, err)
			}
			if _, err := v.parse(append(slices.Clone(words), words...)); err == nil ||
				!strings.Contains(err.Error(), f.Name+" twice") {
				t.Errorf("%s %q twice: %v", v.name, words, err)
			}
			before := append(words, v.name)
			if verb, is := verbNamed(before[0]); is {
				t.Errorf("%q runs the verb %s", before, verb.name)
			}
			if o, err := options.Parse(before); err == nil && notAVerb(before, o.Alias) == "" {
				t.Errorf("%q goes to a host of the verb's name, without a word about it", before)
			}
		}
	}
	for _, args := range [][]string{{"-v", "--", "trace"}, {"-v", "me@trace"}, {"-v", "tracer"},
		{"host", "trace"}} {
		if o, err := options.Parse(args); err != nil || notAVerb(args, o.Alias) != "" {
			t.Errorf("%q is said not to be a verb: %v", args, err)
		}
	}
}

// Each help text fits on a screen of 80 columns and 24 rows, with the next prompt.
func TestHelpFits(t *testing.T) {
	texts := map[string]string{"cp": cp.Usage}
	var b bytes.Buffer
	showHelp(&b)
	texts[""] = b.String()
	for _, v := range verbs() {
		if b.Reset(); v.name != "cp" {
			v.help(&b)
			texts[v.name] = b.String()
		}
	}
	for name, text := range texts {
		rows := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if len(rows) > 23 || len(rows[0]) < 10 {
			t.Errorf("help %s has %d rows", name, len(rows))
		}
		for _, row := range rows {
			if n := terminal.Columns(row); n > 80 {
				t.Errorf("help %s has a row of %d columns: %s", name, n, row)
			}
		}
	}
}

// A verb with a slip of a finger in it is taken for a host; a hint follows if there is none.
func TestVerbMeant(t *testing.T) {
	for args, want := range map[string]string{"prmopt h": "did you mean minissh prompt h?",
		"tyr": "did you mean minissh try?", "box ls": "", "me@prmopt": "",
		"pari a b\x1b": "did you mean minissh pair a b??"} {
		words := strings.Fields(args)
		if got := verbInstead(words, words[0]); got != want {
			t.Errorf("%s: %q", args, got)
		}
	}
	if got := verbInstead([]string{"-v", "prmopt"}, "prmopt"); got != "" {
		t.Errorf("after an option it is a host on purpose: %q", got)
	}
}
