package main

import (
	"slices"
	"strings"
	"testing"

	"minissh/client/options"
)

// What options takes for a verb is in the table here, and nothing else: `minissh WORD` would be a host otherwise, or a verb that does nothing.
func TestVerbsAgree(t *testing.T) {
	var here []string
	for _, v := range verbs() {
		if here = append(here, v.name); v.usage == "" || (v.run == nil) == (v.runOwn == nil) || v.run != nil && v.flags != nil {
			t.Errorf("the row of %s is not whole", v.name)
		}
	}
	there := options.Verbs()
	slices.Sort(here)
	slices.Sort(there)
	if !slices.Equal(here, there) {
		t.Errorf("verbs %q, and options knows %q", here, there)
	}
}

// Each flag of each verb's own counts after the verb, once; a second one is refused, and so is one before the verb. The table is the program's own.
func TestEveryVerbsFlagInEveryPlace(t *testing.T) {
	for _, v := range verbs() {
		for _, f := range v.flags {
			words := []string{f.Name}
			if f.Argument {
				words = append(words, "value")
			}
			if own, err := v.parse(words); err != nil || !own.has(f.Name) || f.Argument && own.values[f.Name] != "value" {
				t.Errorf("%s %q: %+v, %v", v.name, words, own, err)
			}
			if _, err := v.parse(append(slices.Clone(words), words...)); err == nil || !strings.Contains(err.Error(), f.Name+" twice") {
				t.Errorf("%s %q twice: %v", v.name, words, err)
			}
			before := append(words, v.name)
			if verb, _, is := options.IsVerb(before); is {
				t.Errorf("%q runs the verb %s", before, verb)
			}
			if o, err := options.Parse(before); err == nil && notAVerb(before, o.Alias) == "" {
				t.Errorf("%q goes to a host of the verb's name, without a word about it", before)
			}
		}
	}
	for _, args := range [][]string{{"-v", "--", "trace"}, {"-v", "me@trace"}, {"-v", "tracer"}, {"host", "trace"}} {
		if o, err := options.Parse(args); err != nil || notAVerb(args, o.Alias) != "" {
			t.Errorf("%q is said to be no verb: %v", args, err)
		}
	}
}
