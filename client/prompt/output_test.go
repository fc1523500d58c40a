package prompt

import "testing"

// Only what shows keeps the prompt from the row: not what an editor says to the terminal at its
// end.
func TestPartial(t *testing.T) {
	for text, want := range map[string]bool{
		"a":                           true,
		"a\n":                         false,
		"a\nb":                        true,
		"é":                           true,
		"a\n\x1b[0m":                  false,
		"a\x1b[0m":                    true,
		"\x1b]0;title\a":              false,
		"\x1b]0;title\ab":             true,
		"\x1b[24;1Hx\x1b[?1049l\x1b>": false,
		"\x1b[?1049lx":                true,
	} {
		if partial([]byte(text), false) != want {
			t.Errorf("%q", text)
		}
	}
	if !partial([]byte("\x1b[0m"), true) || partial([]byte("\r\n"), true) {
		t.Error("what was before")
	}
}
