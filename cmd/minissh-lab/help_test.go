package main

import (
	"strings"
	"testing"
)

// The column of the options leaves room for what they mean: it is as wide as the widest of them.
// (A list of all dialects for a value's name moved the texts of record beyond a terminal's edge.)
func TestOptionsLeaveRoom(t *testing.T) {
	for _, v := range verbs() {
		_, out, _ := lab(t, "", v.Name, "--help")
		_, options, found := strings.Cut(out, "\nOPTIONS:\n")
		if !found {
			t.Errorf("%s has no options: %q", v.Name, out)
		}
		for line := range strings.Lines(options) {
			name, _, _ := strings.Cut(strings.TrimSpace(line), "  ")
			if len(name) > 40 {
				t.Errorf("%s: %q has %d columns", v.Name, name, len(name))
			}
		}
	}
}
