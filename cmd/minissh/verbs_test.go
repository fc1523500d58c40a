package main

import (
	"slices"
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
