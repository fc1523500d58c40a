//go:build unix

package prompt

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// tmux is the child in a real terminal emulator.
type tmux struct {
	t      *testing.T
	socket string
}

func (x *tmux) run(args ...string) (string, error) {
	cmd := exec.Command("tmux", append([]string{"-u", "-S", x.socket}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TMUX=")
	out, err := cmd.Output()
	return string(out), err
}

func (x *tmux) must(args ...string) {
	x.t.Helper()
	if _, err := x.run(args...); err != nil {
		x.t.Fatalf("tmux %q: %v", args, err)
	}
}

func startTmux(t *testing.T, w, h int) *tmux {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("not run: needs tmux")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "t") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	x := &tmux{t, dir + "/s"}
	t.Cleanup(func() {
		x.run("kill-server")
		os.RemoveAll(dir)
	})
	if _, err := x.run("-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(w), "-y",
		fmt.Sprint(h),
		"PROMPT_TEST_CHILD=1 NO_COLOR=1 GOCOVERDIR="+dir+" exec '"+self+"'"); err != nil {
		t.Skip("not run: tmux does not start: ", err)
	}
	x.must("set-option", "-g", "remain-on-exit", "on")
	return x
}

// keys sends names of keys; text sends characters.
func (x *tmux) keys(names ...string) {
	x.t.Helper()
	x.must(append([]string{"send-keys"}, names...)...)
}

func (x *tmux) text(s string) {
	x.t.Helper()
	x.must("send-keys", "-l", s)
}

// screen waits for the text and the cursor, which tmux does not announce.
func (x *tmux) screen(cursor, want string) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		text, err := x.run("capture-pane", "-p", ";", "display-message", "-p",
			"#{cursor_x},#{cursor_y}")
		if err != nil {
			x.t.Fatal(err)
		}
		rows := strings.Split(strings.TrimRight(text, "\n"), "\n")
		at := rows[len(rows)-1]
		for i, row := range rows {
			rows[i] = strings.TrimRight(row, " ")
		}
		got := strings.TrimRight(strings.Join(rows[:len(rows)-1], "\n"), "\n")
		if got == want && (cursor == "" || at == cursor) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			x.t.Fatalf("cursor %s, screen\n%s\n--- want %s\n%s", at, got, cursor, want)
		}
	}
}

func TestTmuxEditing(t *testing.T) {
	x := startTmux(t, 30, 10)
	x.screen("10,0", "li@lab:~$")
	x.text("echo 你好世界")
	x.screen("23,0", "li@lab:~$ echo 你好世界")
	x.keys("Left", "Left", "BSpace")
	x.screen("17,0", "li@lab:~$ echo 你世界")
	x.text("们🙂")
	x.screen("21,0", "li@lab:~$ echo 你们🙂世界")
	x.keys("Home", "DC", "End")
	x.screen("24,0", "li@lab:~$ cho 你们🙂世界")
	x.keys("C-a")
	x.text("e")
	x.screen("11,0", "li@lab:~$ echo 你们🙂世界")
	x.keys("C-e")
	x.text("0123宽56789") // wraps: the wide character does not fit into the last column
	x.screen("7,1", "li@lab:~$ echo 你们🙂世界0123\n宽56789")
	x.keys("BSpace", "BSpace", "BSpace", "BSpace", "BSpace", "BSpace")
	x.screen("29,0", "li@lab:~$ echo 你们🙂世界0123")
	x.keys("Enter")
	x.screen("10,2", "li@lab:~$ echo 你们🙂世界0123\n你们🙂世界0123\nli@lab:~$")
	x.keys("Up", "C-w")
	x.screen("15,2", "li@lab:~$ echo 你们🙂世界0123\n你们🙂世界0123\nli@lab:~$ echo")
	x.keys("C-c")
	x.screen("10,3", "li@lab:~$ echo 你们🙂世界0123\n你们🙂世界0123\nli@lab:~$ echo ^C\nli@lab:~$")
	x.keys("C-l")
	x.screen("10,0", "li@lab:~$")
}

// TestTmuxLongLine: a line longer than the screen, edited at both ends.
func TestTmuxLongLine(t *testing.T) {
	x := startTmux(t, 20, 4)
	x.screen("10,0", "li@lab:~$")
	x.text("echo " + strings.Repeat("一二三四五六七八九十", 4))
	x.screen("16,3", strings.Repeat("三四五六七八九十一二\n", 3)+"三四五六七八九十")
	x.keys("Home")
	x.screen("10,0",
		"li@lab:~$ echo 一二\n"+strings.TrimSuffix(strings.Repeat("三四五六七八九十一二\n", 3),
			"\n"))
	x.keys("DC")
	x.screen("10,0",
		"li@lab:~$ cho 一二三\n"+strings.TrimSuffix(strings.Repeat("四五六七八九十一二三\n", 3),
			"\n"))
	x.text("e")
	x.keys("End", "BSpace")
	x.screen("14,3", strings.Repeat("三四五六七八九十一二\n", 3)+"三四五六七八九")
	x.keys("C-u")
	x.screen("10,0", "li@lab:~$")
	x.text("echo 好")
	x.keys("Enter")
	x.screen("10,2", "li@lab:~$ echo 好\n好\nli@lab:~$")
}

// TestTmuxResize: the line is drawn anew, with nothing of its old shape left.
func TestTmuxResize(t *testing.T) {
	x := startTmux(t, 40, 10)
	x.screen("10,0", "li@lab:~$")
	x.text("echo out")
	x.keys("Enter")
	x.screen("10,2", "li@lab:~$ echo out\nout\nli@lab:~$") // what is typed ahead is echoed twice
	x.text("echo 一二三四五六七八九十0123456789")
	x.screen("5,3", "li@lab:~$ echo out\nout\nli@lab:~$ echo 一二三四五六七八九十01234\n56789")
	x.must("resize-window", "-x", "24", "-y", "10")
	// tmux itself moves a row out for each one that it wraps.
	x.screen("22,2", "out\nli@lab:~$ echo 一二三四\n五六七八九十0123456789")
	x.keys("Left", "Left")
	x.text("好")
	x.screen("22,2", "out\nli@lab:~$ echo 一二三四\n五六七八九十01234567好89")
	x.must("resize-window", "-x", "60", "-y", "10")
	x.screen("45,1", "out\nli@lab:~$ echo 一二三四五六七八九十01234567好89")
	x.must("resize-window", "-x", "12", "-y", "10")
	x.screen("10,3", "li@lab:~$ ec\nho 一二三四\n五六七八九十\n01234567好89")
	x.keys("Enter")
	x.screen("10,7", "li@lab:~$ ec\nho 一二三四\n五六七八九十\n01234567好89\n一二三四五六\n"+
		"七八九十0123\n4567好89\nli@lab:~$")
}

// TestTmuxPaste: 5,000 lines are shown by their last rows, and are one text, which can be edited.
func TestTmuxPaste(t *testing.T) {
	x := startTmux(t, 40, 6)
	x.screen("10,0", "li@lab:~$")
	text := "count" + strings.Repeat("\na line of 30 characters, 你好", 5000)
	file := t.TempDir() + "/text"
	if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	x.must("load-buffer", file)
	x.must("paste-buffer", "-p", "-r")
	const row = "> a line of 30 characters, 你好\n"
	last := strings.TrimSuffix(strings.Repeat(row, 6), "\n")
	x.screen("31,5", last)
	x.keys("Up", "Home", "X")
	x.screen("3,4", strings.Repeat(row, 4)+"> X"+row[2:]+strings.TrimSuffix(row, "\n"))
	x.keys("BSpace", "Enter")
	x.screen("10,5", strings.Repeat(row, 4)+
		fmt.Sprintf("5001 rows, %d bytes\nli@lab:~$", len(text)))
}

// TestTmuxRows: a command of several rows, typed, searched for, changed, and run.
func TestTmuxRows(t *testing.T) {
	x := startTmux(t, 40, 12)
	x.screen("10,0", "li@lab:~$")
	x.text("show 'one")
	x.keys("Enter")
	x.screen("2,1", "li@lab:~$ show 'one\n>")
	x.text("two'")
	x.keys("Up", "M-Enter")
	x.screen("2,1", "li@lab:~$ show\n>  'one\n> two'")
	x.keys("Down", "End", "Enter")
	x.screen("10,4", "li@lab:~$ show\n>  'one\n> two'\n\"show\\n 'one\\ntwo'\"\nli@lab:~$")
	x.keys("C-r")
	x.text("tw")
	x.screen("2,6", "li@lab:~$ show\n>  'one\n> two'\n\"show\\n 'one\\ntwo'\"\n"+
		"(reverse-i-search)`tw': show\n>  'one\n> two'")
	x.keys("Escape", "C-l")
	x.screen("2,2", "li@lab:~$ show\n>  'one\n> two'")
	x.keys("C-u", "C-u", "C-_")
	x.keys("C-c", "C-l")
	x.text("l")
	x.keys("Tab", "Tab")
	x.screen("11,2", "li@lab:~$ l\nleft  long  lä\nli@lab:~$ l")
}
