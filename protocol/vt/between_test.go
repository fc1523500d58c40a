package vt

import "testing"

// Something of our own may be written between two pieces of output only where it does no harm.
func TestScreenIsFree(t *testing.T) {
	for _, test := range []struct {
		pieces          []string
		alternate, free bool
	}{
		{nil, false, true},
		{[]string{"$ ls\r\n"}, false, true},
		{[]string{"\x1b"}, false, false},
		{[]string{"\x1b[1;3"}, false, false},
		{[]string{"\x1b[1;3", "2m"}, false, true},
		{[]string{"\x1b]0;tit"}, false, false},
		{[]string{"\x1b]0;tit", "le\a"}, false, true},
		{[]string{"\x1bPq"}, false, false},
		{[]string{"你"}, false, true},
		{[]string{"你\xe5"}, false, false},
		{[]string{"你\xe5\xa5"}, false, false},
		{[]string{"你\xe5", "\xa5"}, false, false},
		{[]string{"你\xe5", "\xa5", "\xbd"}, false, true},
		{[]string{"\xf0\x9f", "\x98", "\x80"}, false, true},
		{[]string{"\xf0\x9f\x98"}, false, false},
		{[]string{"caf\xe9"}, false, false}, // Latin-1: no harm, but nothing is said
		{[]string{"caf\xe9", "\r\n"}, false, true},
		{[]string{"\x1b7"}, false, false},
		{[]string{"\x1b7there\x1b8"}, false, true},
		{[]string{"\x1b[s"}, false, false},
		{[]string{"\x1b[sthere\x1b[u"}, false, true},
		{[]string{"\x1b[2;5r"}, false, false},
		{[]string{"\x1b[2;5r\x1b[r"}, false, true},
		{[]string{"\x1b[1;24r"}, false, true}, // vim and htop leave it so
		{[]string{"\x1b[;24r"}, false, true},
		{[]string{"\x1b[1r"}, false, true},
		{[]string{"\x1b[1;50r"}, false, true}, // of a window that has become smaller
		{[]string{"\x1b[1;23r"}, false, false},
		{[]string{"\x1b[2;24r"}, false, false},
		{[]string{"\x1b[?69h"}, false, false},
		{[]string{"\x1b[?1049h"}, true, true},
		{[]string{"\x1b[?1049h\x1b[2;5r"}, true, true},
		{[]string{"\x1b[?1049h\x1b[?1049l"}, false, true},
	} {
		m := new(Modes)
		for _, piece := range test.pieces {
			m.Pass([]byte(piece))
		}
		if s := m.Screen(24); s.Alternate != test.alternate || s.Free != test.free {
			t.Errorf("%q: %+v", test.pieces, s)
		}
	}
}
