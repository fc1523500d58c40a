package wildcard

import (
	"strings"
	"testing"
)

// A pattern cannot make matching slow.
func TestMatch(t *testing.T) {
	if Match(strings.Repeat("a", 1000), strings.Repeat("*a", 400)+"b") {
		t.Error("matched")
	}
	for _, c := range []struct {
		s, pattern string
		want       bool
	}{{"", "", true}, {"", "*", true}, {"a", "", false}, {"abc", "a*c", true},
		{"abc", "a*b", false}, {"abcbc", "*bc", true}, {"ab", "a?", true}, {"a", "a?", false},
		{"ab", "**b**", true}} {
		if Match(c.s, c.pattern) != c.want {
			t.Errorf("%q against %q", c.s, c.pattern)
		}
	}
}
