package vt

import (
	"bytes"
	"strings"
	"testing"
)

// undone is what a program sends, and what must then be sent when the program is cut off.
var undone = []struct{ name, sent, undo string }{
	{"nothing", "", ""},
	{"text", "a line\r\n你好\r\n", ""},
	{"an ordinary colour, ended", "\x1b[1;31mred\x1b[0m", ""},
	{"an ordinary colour", "\x1b[1;31mred", "\x1b[m"},
	{"colour number 0", "\x1b[38;5;0m", "\x1b[m"},
	{"the alternate screen, left", "\x1b[?1049h\x1b[?1049l", ""},
	{"the alternate screen of xterm", "\x1b[?1049hx", "\x1b[?1049l"},
	{"of old", "\x1b[?47h", "\x1b[?47l"},
	{"of less old", "\x1b[?1047h", "\x1b[?1047l"},
	{"the mouse", "\x1b[?1000h\x1b[?1002;1003h\x1b[?1006h\x1b[?1015h\x1b[?1003l", "\x1b[?1000l\x1b[?1002l\x1b[?1006l\x1b[?1015l"},
	{"pastes and focus", "\x1b[?2004h\x1b[?1004h", "\x1b[?1004l\x1b[?2004l"},
	{"the cursor, hidden", "\x1b[?25l", "\x1b[?25h"},
	{"the cursor, hidden and shown", "\x1b[?25l\x1b[?25h", ""},
	{"keys of an application", "\x1b[?1h\x1b=", "\x1b[?1l\x1b>"},
	{"keys of an application, ended", "\x1b[?1h\x1b=\x1b[?1l\x1b>", ""},
	{"no wrapping, inserting", "\x1b[?7l\x1b[4h", "\x1b[?7h\x1b[4l"},
	{"kitty's keyboard", "\x1b[>1u\x1b[>3u\x1b[<u", "\x1b[<1u"},
	{"kitty's keyboard, on each screen", "\x1b[>1u\x1b[?1049h\x1b[>1u\x1b[>1u\x1b[=5;1u", "\x1b[<2u\x1b[=0u\x1b[?1049l\x1b[<1u"},
	{"kitty's question", "\x1b[?u", ""},
	{"modifyOtherKeys", "\x1b[>4;2m", "\x1b[>4m"},
	{"modifyOtherKeys, ended", "\x1b[>4;2m\x1b[>4;m", ""},
	{"the scroll region", "\x1b[5;20r", "\x1b7\x1b[r\x1b8"},
	{"the scroll region, ended", "\x1b[5;20r\x1b[r", ""},
	{"letters that are lines", "\x1b(0qqq", "\x1b(B"},
	{"letters of the other set", "\x1b)0\x0eqqq", "\x1b)B\x0f"},
	{"the cursor's shape", "\x1b[6 q", "\x1b[0 q"},
	{"titles", "\x1b[22;0;0t\x1b[22;2t\x1b[23;2t\x1b]2;vim\x07", "\x1b[23;2t\x1b[23;1t"},
	{"a hyperlink", "\x1b]8;;http://x/\x1b\\here", "\x1b]8;;\x1b\\"},
	{"a hyperlink, ended", "\x1b]8;id=1;http://x/\x07here\x1b]8;;\x07", ""},
	{"a question for colours", "\x1b]11;?\x07\x1b]10;?\x1b\\", ""},
	{"colours", "\x1b]11;#000000\x07\x1b]4;1;red\x1b\\", "\x1b]104\x1b\\\x1b]111\x1b\\"},
	{"an update of the screen", "\x1b[?2026h\x1b[?1049h", "\x1b[?1049l\x1b[?2026l"},
	{"a soft reset", "\x1b[?25l\x1b[?1h\x1b=\x1b[7m\x1b[!p", ""},
	{"everything anew", "\x1b[?1049h\x1b[?1003h\x1b[1m\x1bc", ""},
	{"a sequence cut off", "\x1b[?104", "\x18"},
	{"a title cut off", "\x1b[?25l\x1b]2;vi", "\x18\x1b[?25h"},
	{"a sequence given up", "\x1b[?1049\x18h", ""},
	{"a sequence in a title", "\x1b]2;[?1049h\x07", ""},
	{"a sequence in a string of the device", "\x1bP+q[?1049h\x1b\\", ""},
	{"a control character within", "\x1b[?10\r49h", "\x1b[?1049l"},
	{"a very long one", "\x1b[" + strings.Repeat("1;", 200) + "m", "\x1b[m"},
	{"modes that nobody knows", "\x1b[?9999h\x1b[?h\x1b[99999999999999999999h\x1b[;;h", ""},
	{"vim",
		"\x1b[?1049h\x1b[22;0;0t\x1b[>4;2m\x1b[?1h\x1b=\x1b[?2004h\x1b[?1004h" +
			"\x1b[1;24r\x1b[?12h\x1b[?12l\x1b[22;2t\x1b[22;1t" +
			"\x1b[27m\x1b[23m\x1b[29m\x1b[m\x1b[H\x1b[2J\x1b[?25l",
		"\x1b[?1049l\x1b[?1l\x1b[?1004l\x1b[?2004l\x1b[?25h\x1b>\x1b[>4m\x1b7" +
			"\x1b[r\x1b8\x1b[23;2t\x1b[23;2t\x1b[23;1t\x1b[23;1t"},
}

func TestUndo(t *testing.T) {
	for _, test := range undone {
		for cut := range len(test.sent) + 1 {
			var m Modes
			m.Pass([]byte(test.sent[:cut]))
			m.Pass([]byte(test.sent[cut:]))
			if got := m.Undo(); string(got) != test.undo {
				t.Errorf("%s, cut at %d: %q, not %q", test.name, cut, got, test.undo)
				break
			}
			if again := m.Undo(); len(again) > 0 {
				t.Errorf("%s: then still %q", test.name, again)
			}
		}
	}
}

// Whatever is sent, in whatever pieces: what undoes it is the same, is short, and leaves nothing to
// undo.
func FuzzUndo(f *testing.F) {
	for _, test := range undone {
		f.Add([]byte(test.sent), len(test.sent)/2)
	}
	f.Fuzz(func(t *testing.T, sent []byte, cut int) {
		var whole, pieces Modes
		whole.Pass(sent)
		cut = max(0, min(cut, len(sent)))
		pieces.Pass(sent[:cut])
		pieces.Pass(sent[cut:])
		before := whole
		undo := whole.Undo()
		if other := pieces.Undo(); !bytes.Equal(undo, other) {
			t.Fatalf("in one piece %q, in two %q", undo, other)
		}
		if len(undo) > 1500 {
			t.Fatalf("%d bytes", len(undo))
		}
		before.Pass(undo)
		if left := before.Undo(); len(left) > 0 {
			t.Fatalf("%q does not undo %q: still %q", undo, sent, left)
		}
	})
}

// Passing allocates nothing, and takes next to no time for plain text.
func BenchmarkPass(b *testing.B) {
	for name, text := range map[string]string{
		"text": strings.Repeat("a line of plain text without any colour\r\n", 800),
		"color": strings.Repeat("\x1b[1;32mname\x1b[0m \x1b[34mdir\x1b[0m plain text besides\r\n",
			700),
	} {
		b.Run(name, func(b *testing.B) {
			var m Modes
			sent := []byte(text)
			b.SetBytes(int64(len(sent)))
			b.ReportAllocs()
			for b.Loop() {
				m.Pass(sent)
			}
		})
	}
}
