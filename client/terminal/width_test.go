package terminal

import "testing"

// How texts look on a terminal, and how wide they are there.
func TestColumns(t *testing.T) {
	for text, want := range map[string]struct {
		shown   string
		columns int
	}{
		"":              {"", 0},
		"a b~":          {"a b~", 4},
		"\x03\x1b[":     {"^C^[[", 5},
		"\x7f":          {"<007F>", 6},
		"é":             {"é", 1},
		"e\u0301":       {"e\u0301", 1},       // an accent of its own
		"你好":            {"你好", 4},            // wide
		"Ａ":             {"Ａ", 2},             // full width
		"ｱ":             {"ｱ", 1},             // half width
		"🙂":             {"🙂", 2},             // emoji
		"👩\u200d🚀":      {"👩\u200d🚀", 4},      // joined
		"\u1112\u1161":  {"\u1112\u1161", 2},  // a Hangul syllable in parts
		"\u202egnp":     {"<202E>gnp", 9},     // would change the direction
		"a\u2028b":      {"a<2028>b", 8},      // ends a line
		"\U000e0001":    {"<E0001>", 7},       // does not show
		"\u20dd\u0300x": {"\u20dd\u0300x", 1}, // encloses, and joins, what comes before
	} {
		shown := ""
		for _, r := range text {
			glyph, _ := Glyph(r)
			shown += glyph
		}
		if columns := Columns(text); columns != want.columns || shown != want.shown {
			t.Errorf("%q: %q, %d columns; not %q, %d", text, shown, columns, want.shown,
				want.columns)
		}
	}
}
