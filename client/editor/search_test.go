package editor

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"minissh/client/faketerminal"
)

const (
	ctrlG, ctrlR, ctrlS = "\x07", "\x12", "\x13"
)

func historyOf(lines ...string) *History {
	h := &History{}
	for _, line := range lines {
		h.AddInMemory(line)
	}
	return h
}

// Searching as in readline: what is typed, the screen before the last key, and the line.
func TestSearch(t *testing.T) {
	for _, test := range []struct{ typed, screen, line string }{
		{ctrlR + "ma", "(reverse-i-search)`ma': make test", "make test"},
		{ctrlR + "ma" + ctrlR, "(reverse-i-search)`ma': make all", "make all"},
		{ctrlR + "ma" + ctrlR + ctrlR, "(failed reverse-i-search)`ma': make all", "make all"},
		{ctrlR + "ma" + ctrlR + ctrlR + ctrlS, "(i-search)`ma': make test", "make test"},
		{ctrlR + "max", "(failed reverse-i-search)`max': make test", "make test"},
		{ctrlR + "max\x7f" + ctrlR, "(reverse-i-search)`ma': make all", "make all"},
		{ctrlR + "a\x7f\x7f\x7f", "(reverse-i-search)`': typed", "typed"},
		{ctrlR + "ma" + ctrlG + "!", "$ typed!", "typed!"},
		{ctrlR + ctrlG, "$ typed", "typed"},
		{ctrlR + "ll\x05!", "$ make all!", "make all!"}, // other keys take the line, and act
		{ctrlR + "ll" + left + "!", "$ make !all", "make !all"},
		{ctrlR + "ll" + up, "$ ls 你好", "ls 你好"}, // further from there
		{ctrlR + "ll\x15!", "$ !ll", "!ll"},     // the cursor is where it was found
		{ctrlR + "好\x0b!", "$ ls 你!", "ls 你!"},
		{ctrlR + "s" + ctrlR + ctrlR + "\x0b", "$ ls -", "ls -"},
		{ctrlR + "s" + ctrlR + ctrlR + ctrlR + "\x0b", "$ l", "l"}, // further in the same line
		{ctrlR + "ma" + ctrlG + ctrlR + ctrlR, "(reverse-i-search)`ma': make test", "make test"},
		{ctrlR + "yp", "(reverse-i-search)`yp': typed", "typed"},
		{ctrlS + "yp", "(failed i-search)`yp': typed", "typed"},
		{"\x01" + ctrlS + "yp\x0b!", "$ t!", "t!"},
		{up + up + ctrlS + "t", "(i-search)`t': typed", "typed"},
		{ctrlR + "\x1b[200~make\x1b[201~", "(reverse-i-search)`make': make test", "make test"},
		{ctrlR + "row", "(reverse-i-search)`row': a\n> row", "a\nrow"},
		{ctrlR + ctrlR, "(reverse-i-search)`': typed", "typed"}, // nothing was searched for
		{ctrlR + "\x1b[15~ll", "(reverse-i-search)`ll': make all", "make all"},
	} {
		h := historyOf("a\nrow", "ls -s", "ls 你好", "make all", "make test", "make test")
		h.lines = append(h.lines, "make test") // several prompts, one file
		m := faketerminal.New(60, 5)
		in, typing := io.Pipe()
		e := newEditor(m, h, in)
		shown := ""
		go func() {
			io.WriteString(typing, "typed"+test.typed)
			io.WriteString(typing, "\r")
		}()
		// It reads again when everything is drawn.
		e.in.from = readerFunc(func(p []byte) (int, error) {
			shown = m.Text()
			return in.Read(p)
		})
		line, err := e.Read(t.Context(), "$ ", "")
		if line != test.line || err != nil || shown != test.screen {
			t.Errorf("%q: %q, %v, screen %q; want %q, %q", test.typed, line, err, shown, test.line,
				test.screen)
		}
		in.Close()
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// An ESC that nothing follows takes the line that was found; what follows soon makes it another
// key, in however many pieces that comes.
func TestEscapeLeavesTheSearch(t *testing.T) {
	for _, test := range []struct {
		pieces []string
		line   string
	}{
		{[]string{ctrlR + "ll\x1b", "", "!\r"}, "make a!ll"},
		{[]string{ctrlR + "ll\x1b", "[C!\r"}, "make al!l"},
		{[]string{ctrlR + "ll\x1b", "[", "C!\r"}, "make al!l"},
		{[]string{"a\x1b", "", "", "bc\r"}, "ca"}, // elsewhere it waits for what follows
	} {
		synctest.Test(t, func(t *testing.T) {
			in, typing := io.Pipe()
			go func() {
				for _, piece := range test.pieces {
					if piece == "" {
						<-time.After(time.Second)
					}
					io.WriteString(typing, piece)
				}
			}()
			line, err := newEditor(faketerminal.New(60, 5), historyOf("make all"), in).
				Read(t.Context(), "$ ", "")
			if line != test.line || err != nil {
				t.Errorf("%q: %q, %v", test.pieces, line, err)
			}
		})
	}
}
