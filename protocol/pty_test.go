package protocol

import (
	"fmt"
	"strings"
	"testing"
)

// What a request for a pty may say (TE1): everything else is refused before anything is done with
// it.
func TestPTYCheck(t *testing.T) {
	modes := func(n int) map[string]int64 {
		m := map[string]int64{}
		for i := range n {
			m[fmt.Sprintf("x%d", i)] = 1
		}
		return m
	}
	for name, test := range map[string]struct {
		p  PTY
		ok bool
	}{
		"nothing known": {PTY{}, true},
		"an ordinary one": {PTY{Term: Bytes("xterm-256color"), Size: Size{24, 80, 640, 480},
			Modes: map[string]int64{"verase": 127, "echo": 1, "later": 7}}, true},
		"the largest": {PTY{Term: Bytes(strings.Repeat("x", 64)),
			Size: Size{65535, 65535, 65535, 65535}, Modes: modes(128)}, true},
		"a long name":          {PTY{Term: Bytes(strings.Repeat("x", 65))}, false},
		"a path":               {PTY{Term: Bytes("../../evil")}, false},
		"an escape sequence":   {PTY{Term: Bytes("x\x1b[31m")}, false},
		"a line end":           {PTY{Term: Bytes("xterm\nLD_PRELOAD=x")}, false},
		"a blank":              {PTY{Term: Bytes("x term")}, false},
		"letters beyond ASCII": {PTY{Term: Bytes("终端")}, false},
		"65,536 rows":          {PTY{Size: Size{Rows: 65536}}, false},
		"rows below 0":         {PTY{Size: Size{Rows: -1}}, false},
		"too many columns":     {PTY{Size: Size{Cols: 1 << 40}}, false},
		"pixels below 0":       {PTY{Size: Size{Height: -5}}, false},
		"129 modes":            {PTY{Modes: modes(129)}, false},
		"a character of 256":   {PTY{Modes: map[string]int64{"vintr": 256}}, false},
		"a mode below 0":       {PTY{Modes: map[string]int64{"echo": -1}}, false},
		"a mode of 33 bits":    {PTY{Modes: map[string]int64{"echo": 1 << 32}}, false},
		"one that is unknown": {PTY{Modes: map[string]int64{"later": 1 << 32, "vlater": 256,
			"tty_op_ispeed": -1}}, true},
		"the largest values": {PTY{Modes: map[string]int64{"echo": 1<<32 - 1, "vintr": 255}},
			true},
	} {
		if err := test.p.Check(); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
