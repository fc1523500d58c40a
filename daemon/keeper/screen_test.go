//go:build unix

package keeper

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"minissh/protocol"
	"minissh/protocol/testend"
)

// nowhere takes a terminal's answers.
type nowhere struct{ io.Writer }

func (nowhere) Close() error { return nil }

// streams are what programs draw, each on an empty screen of 24 rows and 60 columns.
var streams = map[string]string{
	"text":     "$ ls\r\na  b\r\n$ ",
	"scrolled": strings.Repeat("line\r\n", 40) + "last",
	"colours": "\x1b[1;31mred\x1b[0m \x1b[48;5;24mon blue  " +
		"\x1b[m\x1b[38;2;1;2;3mrgb\x1b[4;9mmore",
	"wide":             "你好，世界\r\n한국어 日本語\x1b[3;59H你",
	"combining":        "e\u0301a\u0308 👍",
	"at the right":     "\x1b[5;60Hx",
	"a coloured space": "\x1b[44m\x1b[2J\x1b[10;10Hhere\x1b[K",
	"alternate": "main one\r\nmain two\x1b[?1049h\x1b[H\x1b[2J\x1b[7mstatus\x1b[m\x1b[10;20Halt" +
		"\x1b[?25l\x1b[?1h\x1b=\x1b[?2004h\x1b[?1006;1000h",
	"back again":   "main\x1b[?1049h\x1b[2Jalt\x1b[?1049l and more",
	"a region":     "\x1b[3;10r\x1b[10;1Hbelow\r\nnext\r\nlast",
	"an origin":    "\x1b[3;10r\x1b[?6h\x1b[2;5Hthere",
	"line drawing": "\x1b(0lqqk\r\nx  x\x1b(B after \x1b(0mq",
	"inserting":    "abc\x1b[4h\x1b[1;2H",
	"a title":      "\x1b]2;a title\x07text",
	"no wrapping":  "\x1b[?7l" + strings.Repeat("x", 70),
	"a reset":      "\x1b[31m\x1b[?25l\x1b[5;5Hgone\x1bcnew",
}

// another is what a program may write next: where it lands, and how, tells whether the screen has
// the modes and the pen that it should have.
const another = "NEXT\r\nx"

// leaving is the same for a program on the alternate screen.
const leaving = another + "\x1b[?1049lON MAIN"

var drawn = regexp.MustCompile(`\x0e([^\x0f]*)\x0f?`)

// boxes are what tmux writes for line drawing, where it has not got the characters themselves.
var boxes = strings.NewReplacer("l", "┌", "q", "─", "k", "┐", "x", "│", "m", "└")

// tmux is a terminal that nobody here wrote, with a pane for each thing to show.
type tmux struct {
	t      *testing.T
	dir    string
	socket string
}

func newTmux(t *testing.T) *tmux {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("not run: needs tmux")
	}
	m := &tmux{t: t, dir: t.TempDir()}
	m.socket = filepath.Join(m.dir, "tmux")
	m.run("-f", "/dev/null", "new-session", "-d", "-s", "keep", "-x", "60", "-y", "24",
		"exec sleep 1000")
	m.run("set-option", "-g", "status", "off")
	t.Cleanup(func() { m.run("kill-server") })
	return m
}

func (m *tmux) run(args ...string) string {
	m.t.Helper()
	cmd := exec.Command("tmux", append([]string{"-u", "-S", m.socket}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TERM=xterm-256color")
	out, err := cmd.CombinedOutput()
	if err != nil {
		m.t.Fatalf("tmux %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// show writes text to a terminal, and tells what is on it then: cells with their colours, the
// cursor, the modes.
func (m *tmux) show(name string, text []byte) string {
	m.t.Helper()
	file := filepath.Join(m.dir, name)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		m.t.Fatal(err)
	}
	m.run("new-session", "-d", "-s", name, "-x", "60", "-y", "24",
		// tmux answers ESC [ 6 n when it has drawn what came before
		`stty raw -echo; cat '`+file+`'; printf '\033[6n'; head -c 6 >/dev/null; touch '`+file+
			`.done'; exec sleep 1000`)
	testend.Until(m.t, "it is shown", func() bool {
		_, err := os.Stat(file + ".done")
		return err == nil
	})
	look := func() string {
		cells := m.run("capture-pane", "-p", "-e", "-t", name)
		cells = drawn.ReplaceAllStringFunc(cells, func(s string) string {
			return boxes.Replace(strings.Trim(s, "\x0e\x0f"))
		})
		return cells + m.run("display-message", "-p", "-t", name, "#{cursor_x},#{cursor_y} "+
			"alternate #{alternate_on} cursor #{cursor_flag} insert #{insert_flag} keys "+
			"#{keypad_cursor_flag} pad #{keypad_flag} mouse #{mouse_any_flag} #{mouse_sgr_flag} "+
			"origin #{origin_flag} wrap #{wrap_flag} region "+
			"#{scroll_region_upper}-#{scroll_region_lower} title #{pane_title}")
	}
	last := look()
	m.run("kill-session", "-t", name)
	return last
}

// A screen that is drawn again is the same one, cell by cell, and goes on in the same way.
func TestScreenAgainstTmux(t *testing.T) {
	m := newTmux(t)
	n := 0
	for name, stream := range streams {
		s := newScreen(protocol.Size{Rows: 24, Cols: 60}, nowhere{io.Discard})
		s.write([]byte(stream))
		redo := s.redo()
		s.close()
		for _, next := range []string{"", another, leaving} {
			if next == leaving && name != "alternate" {
				continue
			}
			n += 2
			want := m.show(fmt.Sprint("a", n), []byte(stream+next))
			got := m.show(fmt.Sprint("b", n), append(redo[:len(redo):len(redo)], next...))
			if got != want {
				t.Errorf("%s, then %q:\n%q\nnot\n%q\nby %q", name, next, got, want, redo)
			}
		}
	}
}

// Whatever is written, and however it is cut: nothing hangs or fails, and the screen can be drawn.
func FuzzScreen(f *testing.F) {
	for _, stream := range streams {
		f.Add([]byte(stream), uint16(7))
	}
	f.Fuzz(func(t *testing.T, stream []byte, cut uint16) {
		s := newScreen(protocol.Size{Rows: 10, Cols: 20}, nowhere{io.Discard})
		defer s.close()
		at := int(cut) % (len(stream) + 1)
		s.write(stream[:at])
		s.resize(protocol.Size{Rows: 5, Cols: 40})
		s.write(stream[at:])
		if redo := s.redo(); len(redo) == 0 {
			t.Error("nothing is drawn")
		}
	})
}
