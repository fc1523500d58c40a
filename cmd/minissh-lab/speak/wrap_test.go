package speak

import (
	"slices"
	"testing"
)

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		line string
		n    int
		want []string
	}{
		{"one two three", 8, []string{"one two", "three"}},
		{"one two", 7, []string{"one two"}},
		{"recv(1024) more", 12, []string{"recv(1024)", "more"}},
		{"数据都来了。", 10, []string{"数据都来", "了。"}}, // no mark at the beginning of a line
		{"onelongword", 4, []string{"onelongword"}},
		{"", 4, []string{""}},
		{"columns that are not known", 0, []string{"columns that are not known"}},
	} {
		if got := Wrap(c.line, c.n); !slices.Equal(got, c.want) {
			t.Errorf("%q in %d columns: %q, want %q", c.line, c.n, got, c.want)
		}
	}
}
