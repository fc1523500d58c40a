package class

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"unicode"

	"minissh/cmd/minissh-lab/speak"
	"minissh/protocol/testend"
)

func TestMain(m *testing.M) { testend.Main(m) }

var lessons = []string{"6", "12", "16", "17-18"}

var asked = []Question{{Lesson: "12", Text: "What does pwd print?", About: "ls, then pwd",
	Code:    []string{"phone.recv(1024)  # <script>"},
	Options: []string{"its path", "the rest of ls", "nothing"}, Right: 1},
	{Lesson: "16", Text: "Which <b>byte</b>?", Options: []string{"0x38", "0x00"}}}

// serve runs a board on loopback; what it is told comes over the channel.
func serve(t *testing.T) (*Board, string, <-chan Report) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := NewBoard(lessons, asked)
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan Report, 16)
	ended := make(chan error, 1)
	go func() {
		ended <- b.Serve(ctx, l, b.Phones(speak.English, l.Addr().String()),
			func(r Report) { told <- r })
	}()
	t.Cleanup(func() {
		cancel()
		if err := testend.Next(t, "Serve ends", ended); err != nil {
			t.Error(err)
		}
	})
	return b, l.Addr().String(), told
}

func TestReportsComeToTheBoard(t *testing.T) {
	b, addr, told := serve(t)
	for _, r := range []Report{
		{Name: "小明", Lesson: "16", Side: "client", Passed: 7, Failed: 1, Case: "chaos"},
		{Name: "小明", Lesson: "16", Side: "client", Passed: 8},
		{Name: "Ann", Lesson: "6", Side: "server", Passed: 1},
		{Name: "小明", Lesson: "16", Side: "server", Failed: 2, Passed: 1, Case: "output"},
		{Name: "Bob", Lesson: "16", Side: "client", Failed: 2, Passed: 1, Case: "chaos"},
		{Name: "Eve", Lesson: "16", Side: "client", Failed: 2, Passed: 1, Case: "chaos"},
	} {
		if err := Send(t.Context(), addr, r); err != nil {
			t.Fatal(err)
		}
		testend.Next(t, "the report is told of", told)
	}
	want := "name                      6   16\nAnn                       S\n" +
		"Bob                           c\nEve                           c\n" +
		"小明                          sC\n"
	if got := b.Render(speak.English, 0); got != want {
		t.Errorf("board:\n%q, want\n%q", got, want)
	}
	folded := "name                      6   16   name                      6   16\n" +
		"Ann                       S        Eve                           c\n" +
		"Bob                           c    小明                          sC\n"
	if got := b.Render(speak.English, 80); got != folded {
		t.Errorf("folded:\n%q, want\n%q", got, folded)
	}
	stuck := "16 server: 1 of 1 stuck on output\n16 client: 2 of 3 stuck on chaos\n"
	if got := b.Stuck(speak.English); got != stuck {
		t.Errorf("stuck: %q", got)
	}
}

func TestNothingCanBeInjected(t *testing.T) {
	b, addr, _ := serve(t)
	for _, name := range []string{"\x1b[2Jx", "a\nfake  SSS", "\u202egnp", "名\u0301\u0301\u0301",
		"\x9b31m", strings.Repeat("长", 4000), "a\u2028b", "\u202e\u202e"} {
		err := Send(t.Context(), addr, Report{Name: name, Lesson: "16", Side: "client", Passed: 1})
		if len(name) > maxLine && err == nil {
			t.Errorf("a report of %d bytes was taken", len(name))
		}
	}
	board := b.Render(speak.Both, 0)
	if !strings.Contains(board, "名\u0301\u0301?") || strings.Contains(board, "?\u0301") {
		t.Errorf("marks are stacked:\n%q", board)
	}
	for _, r := range board {
		if r != '\n' && string(r) != leftToRight && !unicode.IsPrint(r) {
			t.Errorf("%q is on the board:\n%q", r, board)
		}
	}
	for line := range strings.Lines(board) {
		if speak.Width(line) > 60 {
			t.Errorf("a line of %d columns: %q", speak.Width(line), line)
		}
	}
}

// The columns stay below their heads, however long the second student's name is.
func TestSecondOfALongName(t *testing.T) {
	b := NewBoard([]string{"6"}, nil)
	for n := range 2 {
		r := Report{Class: 1, Name: strings.Repeat("长", 100), Lesson: "6", Side: "client",
			Passed: 1, ID: strings.Repeat(string(rune('a'+n)), 32)}
		if _, err := b.Add(r, "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
	}
	at := map[int]bool{}
	for line := range strings.Lines(b.Render(speak.English, 0)) {
		at[speak.Width(strings.TrimRight(line, "6C\n"))] = true
	}
	if len(at) != 1 {
		t.Errorf("the columns begin at %v", at)
	}
}

func TestReportsThatAreRefused(t *testing.T) {
	b, addr, told := serve(t)
	for _, line := range []string{
		"POST / HTTP/1.1\r\n", "{}\n",
		`{"class":1,"name":"x","lesson":"99","side":"client","passed":1}` + "\n",
		`{"class":1,"name":"x","lesson":"16","side":"` + "\x1b[31m" + `","passed":1}` + "\n",
		`{"ask":true}` + "\n", `{"class":2,"vote":1,"lesson":"12"}` + "\n",
		`{"class":1,"name":" ","lesson":"16","side":"client"}` + "\n",
		`{"class":1,"name":"x","lesson":"16","side":"client","passed":-1}` + "\n",
		`{"class":1,"name":"x","lesson":"16","side":"client","html":"<b>"}` + "\n",
		`{"class":1,"name":"x","lesson":"16","side":"client","passed":1,"case":"\u001b[2J"}` + "\n",
		`{"class":1,"name":"x","lesson":"16","side":"client","passed":1,"case":"` +
			strings.Repeat("x", 21) + `"}` + "\n",
		strings.Repeat("x", 5000) + "\n",
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, line)
		conn.(*net.TCPConn).CloseWrite()
		answer, _ := io.ReadAll(conn) // a line that is too long may end in a reset
		conn.Close()
		if strings.Contains(string(answer), "ok") || strings.Contains(string(answer), "\x1b") {
			t.Errorf("%q was answered %q", line, answer)
		}
	}
	if len(told) != 0 || len(b.rows) != 0 {
		t.Errorf("the board holds %v", b.rows)
	}
}

func TestBoardIsBounded(t *testing.T) {
	b := NewBoard(lessons, asked)
	for i := range MaxStudents {
		if _, err := b.Add(Report{Class: 1, Name: fmt.Sprint("n", i), Lesson: "6", Side: "client",
			Passed: 1}, ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Add(Report{Class: 1, Name: "one more", Lesson: "6", Side: "client",
		Passed: 1}, ""); err == nil {
		t.Error("a full board took one more")
	}
	if _, err := b.Add(Report{Class: 1, Name: "n1", Lesson: "6", Side: "client",
		Passed: 2}, ""); err != nil {
		t.Errorf("a full board refuses news of a known student: %v", err)
	}
}
