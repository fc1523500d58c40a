package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"

	"golang.org/x/term"

	"minissh/cmd/minissh-lab/class"
	"minissh/cmd/minissh-lab/speak"
	"minissh/protocol/testend"
)

// board is a class that is taught: what it prints, and what the teacher types.
type board struct {
	t       *testing.T
	out     *lineWriter
	typed   *io.PipeWriter
	address string
}

// openClass runs `class` until the test ends.
func openClass(t *testing.T, args ...string) *board {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	in, typed := io.Pipe()
	b := &board{t: t, out: &lineWriter{lines: make(chan string, 4096)}, typed: typed}
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"minissh-lab", "class", "--lang", "en", "--listen",
			"127.0.0.1:0"}, args...), in, b.out, b.out)
	}()
	t.Cleanup(func() {
		typed.Close()
		cancel()
		if code := testend.Next(t, "the class ends", ended); code != 0 {
			t.Errorf("class ends with %d", code)
		}
	})
	b.address, _, _ = strings.Cut(b.out.until(t, "the class reports to "), ",")
	return b
}

func (b *board) types(line string) { io.WriteString(b.typed, line+"\n") }

// A student votes by two verbs; the teacher opens and closes.
func TestVoteByTheVerbs(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	b := openClass(t)
	vote := func(args ...string) (int, string) {
		code, out, errOut := lab(t, "x\n９\n２\n", append([]string{"vote", "--lang", "en",
			"--class", b.address}, args...)...)
		return code, out + errOut
	}
	if code, out := vote("1"); code != 1 || !strings.Contains(out, "there is no vote now") {
		t.Errorf("without a vote: %d\n%s", code, out)
	}
	b.types("vote 99")
	b.out.until(t, "on which lesson?")
	b.types("vote 12")
	b.out.until(t, "Lesson 12, the vote is open, votes: 0")
	if code, out := vote(); code != 0 || !strings.Contains(out, "you voted for 2") ||
		!strings.Contains(out, "what does the second recv print?") {
		t.Fatalf("%d\n%s", code, out)
	}
	b.out.until(t, "votes: 1")
	if code, out := vote("4"); code != 2 || !strings.Contains(out, "type 1 to 3") {
		t.Errorf("%d\n%s", code, out)
	}
	if code, out := vote("1"); code != 0 { // the same student: the vote is replaced
		t.Fatalf("%d\n%s", code, out)
	}
	b.out.until(t, "the vote is open, votes: 1")
	_, out, _ := lab(t, "3\n952\n", "lesson", "12", "--lang", "en", "--class", b.address)
	if !strings.Contains(out, "(your vote is counted)") {
		t.Fatalf("%s", out)
	}
	b.out.until(t, "the vote is open, votes: 1")
	b.types("show")
	b.out.until(t, "the answer, votes: 1")
	_, out, _ = lab(t, "3\n952\n", "lesson", "12", "--lang", "en", "--class", b.address)
	if !strings.Contains(out, "(no vote is open now)") ||
		!strings.Contains(out, "your prediction came true") {
		t.Errorf("%s", out)
	}
	if code, _, errOut := lab(t, "", "vote"); code != 2 || !strings.Contains(errOut, "--class") {
		t.Errorf("%d %s", code, errOut)
	}
}

// What a board says is text, whoever answers at its address.
func TestBoardsAnswersAreQuoted(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	for _, answer := range []string{"vote \x1b[2J\n", "no: \x1b]0;x\x07\n", "vote 12",
		"vote " + strings.Repeat("9", 5000) + "\n", "\x00\n", ""} {
		address := saysOnce(t, answer)
		code, out, errOut := lab(t, "", "vote", "1", "--class", address)
		if code == 0 || bytes.ContainsAny([]byte(out+errOut), "\x1b\x07\x00") {
			t.Errorf("%q: code %d, %q", answer, code, out+errOut)
		}
		if len(out+errOut) > 4000 {
			t.Errorf("%q is repeated: %d bytes", answer[:20], len(out+errOut))
		}
	}
}

// saysOnce answers one connection with a text.
func saysOnce(t *testing.T, text string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		bufio.NewReader(conn).ReadString('\n')
		io.WriteString(conn, text)
	}()
	return l.Addr().String()
}

// Whoever votes in a lesson first is the same student afterwards: what the lesson saves at its end
// keeps the student's number.
func TestVoteInALessonFirst(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	b := openClass(t)
	b.types("vote 12")
	b.out.until(t, "Lesson 12, the vote is open, votes: 0")
	if _, out, _ := lab(t, "3\n952\n", "lesson", "12", "--lang", "en", "--class",
		b.address); !strings.Contains(out, "(your vote is counted)") {
		t.Fatalf("%s", out)
	}
	b.out.until(t, "the vote is open, votes: 1")
	if code, out, errOut := lab(t, "", "vote", "--lang", "en", "--class", b.address,
		"1"); code != 0 {
		t.Fatalf("%d\n%s%s", code, out, errOut)
	}
	b.types("close")
	b.out.until(t, "the vote is closed, votes: 1")
}

// What a teacher types while the QR code is on the screen is seen: the code makes room.
func TestQRMakesRoom(t *testing.T) {
	b := class.NewBoard(checkedLessons(), questions(speak.English))
	screen := teacher{board: b, lang: speak.English, link: "http://192.0.2.7:8090/",
		tty: term.NewTerminal(struct {
			io.Reader
			io.Writer
		}{strings.NewReader(""), io.Discard}, ""), news: make(chan string, 10)}
	for _, c := range []struct {
		typed string
		qr    bool
		want  string
	}{{"vote 12", false, "Lesson 12"}, {"qr", true, "Enter puts it away"},
		{"qr", false, "Lesson 12"}, {"qr", true, "192.0.2.7"}, {"", false, "Lesson 12"}, {"qr", true, ""},
		{"show", false, "the answer"}} {
		screen.do(strings.Fields(c.typed))
		if shown := screen.picture(); strings.Contains(shown, "▀▀") != c.qr ||
			!strings.Contains(shown, c.want) {
			t.Errorf("after %q: a QR code %v, want %q\n%s", c.typed, !c.qr, c.want, shown)
		}
	}
}
