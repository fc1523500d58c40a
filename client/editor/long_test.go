package editor

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"minissh/client/faketerminal"
)

// in4k is a terminal's pace: at most 4 KiB at a time.
type in4k struct{ *strings.Reader }

func (r in4k) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(len(p), 4096)]) }

// No line is cut, however it is typed, and what is drawn of it is what the screen shows.
func TestLongLines(t *testing.T) {
	digits := strings.Repeat("0123456789", 1000)
	ascii, wide := strings.Repeat("x", MaxLine-1), strings.Repeat("你", MaxLine/3)
	rows := strings.TrimSuffix(strings.Repeat("echo a line of a script, 30 c\n", 5000), "\n")
	for name, test := range map[string]struct{ typed, line, end string }{
		"5,000 lines pasted": {"\x1b[200~" + rows + "\x1b[201~\r", rows, "30 c"},
		"typed":              {digits + "|wc -c\r", digits + "|wc -c", "|wc -c"},
		"1 MiB":              {ascii + "y\r", ascii + "y", "xxxy"},
		"1 MiB of wide ones": {wide + "y\r", wide + "y", "你y"},
		"pasted into another": {"ab" + left + "\x1b[200~" + rows + "\x1b[201~!\r",
			"a" + rows + "!b", "30 c!b"},
	} {
		m := faketerminal.New(80, 24)
		var line string
		var err error
		synctest.Test(t, func(t *testing.T) { // what is pasted has no pauses
			e := newEditor(m, &History{}, in4k{strings.NewReader(test.typed)})
			line, err = e.Read(t.Context(), "$ ", "")
		})
		if line != test.line || err != nil {
			t.Errorf("%s: %d bytes instead of %d, %v", name, len(line), len(test.line), err)
		}
		if !strings.HasSuffix(m.Text(), test.end) {
			t.Errorf("%s: the screen ends with\n%s", name, m.Text())
		}
		// What is drawn is what the screen has of it: of a paste once, at its end, and once more.
		pieces := len(test.typed)/4096 + 2
		if strings.Contains(test.typed, "\x1b[200~") {
			pieces = 3
		}
		if most := pieces * 80 * 24 * 2; m.Raw.Len() > most {
			t.Errorf("%s: %d bytes are drawn, and %d at most", name, m.Raw.Len(), most)
		}
	}
}

// What is too long is refused whole, with its length. What can be kept of it can be brought back.
func TestTooLongLines(t *testing.T) {
	for size, kept := range map[int]bool{MaxLine + 1: true, mostEdited + 1: false} {
		typed := "\x1b[200~" + strings.Repeat("x", size-3) + "\x1b[201~" + left + "ab\x1b\r\r"
		h := &History{}
		line, err := newEditor(faketerminal.New(80, 24), h, strings.NewReader(typed)).
			Read(t.Context(), "$ ", "")
		var refused *LineError
		if line != "" || !errors.As(err, &refused) ||
			!strings.Contains(err.Error(), "has "+strconv.Itoa(size)+" bytes") {
			t.Errorf("%d bytes: %.9q, %v", size, line, err)
		}
		if (h.Len() == 1) != kept {
			t.Errorf("%d bytes: the history has %d", size, h.Len())
		}
	}
	// One that was made shorter is whole again, and so is a new one.
	for _, typed := range []string{"\x7f\r", left + "\x1b[200~" + strings.Repeat("y", mostEdited) +
		"\x1b[201~\x1f\x1b[C\x7f\r"} {
		typed = "\x1b[200~" + strings.Repeat("x", MaxLine+1) + "\x1b[201~" + typed
		line, err := newEditor(faketerminal.New(80, 24), &History{}, strings.NewReader(typed)).
			Read(t.Context(), "$ ", "")
		if line != strings.Repeat("x", MaxLine) || err != nil {
			t.Errorf("%d bytes, %v", len(line), err)
		}
	}
	// So is one that follows on what was dropped with one key.
	typed := strings.Repeat("x", mostEdited+1) + "\x15ls\r"
	if line, err := newEditor(faketerminal.New(80, 24), &History{}, strings.NewReader(typed)).
		Read(t.Context(), "$ ", ""); line != "ls" || err != nil {
		t.Errorf("%.9q, %v", line, err)
	}
}
