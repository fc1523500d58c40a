package vt

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// told is m without what Redo does not tell.
func told(m Modes) Modes {
	m.changed &^= 1 // the update, whose end is on its way
	m.titles, m.icons, m.colors, m.link = 0, 0, [4]bool{}, false
	m.placed, m.remembered, m.text = false, false, false
	m.seq, m.n, m.rest = [most]byte{}, 0, [3]byte{}
	m.pen = append([]byte{}, m.pen...)
	return m
}

// A terminal that is sent Redo has what the first one had.
func TestRedo(t *testing.T) {
	for _, stream := range []string{
		"", "$ ls\r\n", "\x1b[1m\x1b[31mred", "\x1b[1;31mred\x1b[m",
		"\x1b[38:2::1:2:3mred\x1b[4:3m",
		"\x1b[?1049h\x1b[?1h\x1b=\x1b[?2004h\x1b[?25l", "\x1b[?47h", "\x1b[?1000;1006h",
		"\x1b[>1u\x1b[>5u", "\x1b[=3u", "\x1b[>1u\x1b[?1049h\x1b[>9u\x1b[=1;1u", "\x1b[>4;2m",
		"\x1b[4h\x1b[20h", "\x1b[2;5r", "\x1b[3r", "\x1b[3 q", "\x1b(0", "\x1b)0\x1b(A",
		"\x1b[?7l\x1b[?6h",
		"\x1b[?2026h", "\x1b[1m\x1bc", "\x1b[1m\x1b[!p", "\x1b[1m" +
			strings.Repeat("\x1b[38;5;100m", 50),
	} {
		var m, n Modes
		m.Pass([]byte(stream))
		n.Pass(m.Redo([]byte("main"), []byte("alternate")))
		if got, want := told(n), told(m); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: redone by %q, it has\n%+v, not\n%+v", stream, m.Redo(nil, nil), got, want)
		}
	}
}

// What is drawn comes on its own screen, and before modes that would change it.
func TestRedoDraws(t *testing.T) {
	var m Modes
	m.Pass([]byte("\x1b[4h\x1b[?1049h\x1b[31m"))
	got := string(m.Redo([]byte("MAIN"), []byte("ALTERNATE")))
	if want := "MAIN\x1b[?1049hALTERNATE\x1b[4h\x1b[m\x1b[31m"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	m.Pass([]byte("\x1b[?1049l"))
	if got := m.Redo([]byte("MAIN"), []byte("ALTERNATE")); !bytes.HasPrefix(got,
		[]byte("MAIN\x1b[4h")) {
		t.Errorf("%q", got)
	}
}

// Whatever was sent: what Redo gives is whole, and keeps its bounds.
func FuzzRedo(f *testing.F) {
	f.Add([]byte("\x1b[1;31m\x1b[?1049h\x1b[>1u你"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		var m, n Modes
		m.Pass(stream)
		redo := m.Redo(nil, nil)
		n.Pass(redo)
		if !n.Whole() || len(redo) > 4096 {
			t.Errorf("%q: %q", stream, redo)
		}
	})
}
