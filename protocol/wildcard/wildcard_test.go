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

// One ! that matches is a no, wherever it is.
func TestList(t *testing.T) {
	for _, c := range []struct {
		names, patterns string
		want            bool
	}{{"a", "a", true}, {"a", "b a", true}, {"a", "b", false}, {"a", "!a a", false},
		{"a", "* !a", false}, {"a", "!b", false}, {"a b", "b", true}, {"a b", "a !b", false},
		{"", "*", false}, {"a.b", "*.b !a.*", false}, {"a", "!b *", true}} {
		if List(strings.Fields(c.names), strings.Fields(c.patterns)) != c.want {
			t.Errorf("%q against %q", c.names, c.patterns)
		}
	}
}
