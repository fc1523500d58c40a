package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"minissh/cmd/minissh-lab/class"
	"minissh/cmd/minissh-lab/speak"
)

const (
	maxNews   = 5                      // last lines of news below the board
	waiting   = 256                    // lines of news for a slow terminal; more are not shown
	drawPause = 200 * time.Millisecond // between two drawings
)

// teacher is the board's terminal: what it shows, and what is typed.
type teacher struct {
	board  *class.Board
	lang   speak.Lang
	head   string
	link   string    // the students' page, "" if nobody else reaches it
	screen io.Writer // the terminal itself
	out    io.Writer
	tty    *term.Terminal // nil where nobody draws
	end    func()         // ends the class
	news   chan string

	mu     sync.Mutex
	withQR bool // owned by mu
}

// newTeacher finds out what the terminal can do; restore gives it back.
func newTeacher(c *cli.Context, p *speak.Printer, b *class.Board, end func()) (t *teacher,
	restore func()) {
	t = &teacher{board: b, lang: p.Lang, screen: c.App.Writer, out: c.App.Writer, end: end,
		news: make(chan string, waiting)}
	in, ok := c.App.Reader.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) || !colorOn(c.App.Writer) {
		return t, func() {}
	}
	state, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return t, func() {}
	}
	// It keeps what is being typed when the board is drawn anew.
	t.tty = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{in, c.App.Writer}, "> ")
	t.out = t.tty
	return t, func() { term.Restore(int(in.Fd()), state) }
}

// told puts one report into the news. It never waits: a terminal may be paused.
func (t *teacher) told(r class.Report) {
	line := fmt.Sprintf("%s  %s  %s %s  %d ✓ %d ✗  %s", time.Now().Format("15:04:05"),
		class.InLine(r.Name), r.Lesson, r.Side, r.Passed, r.Failed, r.Case)
	t.say(strings.TrimRight(line, " "))
}

func (t *teacher) say(line string) {
	select {
	case t.news <- line + "\n":
	default:
	}
}

// show prints the news until ctx ends; on a terminal it draws the board at every change.
func (t *teacher) show(ctx context.Context) {
	if t.tty == nil {
		io.WriteString(t.out, t.head)
	}
	var last []string
	voted := "" // the vote as it was printed
	for {
		if t.tty != nil {
			io.WriteString(t.out, "\x1b[H\x1b[2J"+t.picture()+strings.Join(last, ""))
			pause := time.NewTimer(drawPause)
			select {
			case <-pause.C:
			case <-ctx.Done():
				pause.Stop()
				return
			}
		}
		select {
		case line := <-t.news:
			if t.tty == nil {
				io.WriteString(t.out, line)
				continue
			}
			last = append(last, line)
			for len(t.news) > 0 { // this goroutine alone takes from it
				last = append(last, <-t.news)
			}
			last = last[max(0, len(last)-maxNews):]
		case <-t.board.Changed():
			if hands := t.board.Hands(t.lang, 0); t.tty == nil && hands != "" && hands != voted {
				first, _, _ := strings.Cut(hands, "\n")
				io.WriteString(t.out, first+"\n")
				voted = hands
			}
		case <-ctx.Done():
			return
		}
	}
}

// picture is the whole screen, but for the news.
func (t *teacher) picture() string {
	t.mu.Lock()
	withQR := t.withQR
	t.mu.Unlock()
	columns, board := t.columns(), ""
	hands := t.board.Hands(t.lang, columns)
	stuck := t.board.Stuck(t.lang)
	if p, voting := t.board.Poll(); t.board.Students() > 0 && !(voting && p.Open) {
		board = t.board.Render(t.lang, columns) // a screen has no room for both
	}
	var out strings.Builder
	out.WriteString(t.head + "vote 12 · close · show · end · qr · q\n\n")
	if t.link != "" && (withQR || hands == "" && board == "") {
		out.WriteString(class.QRBlocks(t.link) + t.link + "\n\n")
		if withQR {
			out.WriteString(t.lang.Text("按回车收起", "Enter puts it away") + "\n\n")
		}
		return out.String() // a screen has no room for more
	}
	for _, part := range []string{hands, board, stuck} {
		if part != "" {
			out.WriteString(strings.TrimRight(part, "\n") + "\n\n")
		}
	}
	return out.String()
}

// columns is the terminal's width, 0 if that is not known.
func (t *teacher) columns() int {
	f, ok := t.screen.(*os.File)
	if !ok {
		return 0
	}
	columns, rows, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	t.tty.SetSize(columns, rows)
	return columns
}

// listen takes what is typed. A terminal's read cannot be interrupted: the goroutine ends with the
// process, or with the input.
func (t *teacher) listen(in io.Reader) {
	next := bufio.NewReaderSize(in, 1024)
	go func() {
		for {
			var line string
			var err error
			if t.tty != nil {
				if line, err = t.tty.ReadLine(); err != nil {
					t.end() // Ctrl-C and Ctrl-D are letters here
					return
				}
			} else if text, more := next.ReadSlice('\n'); more != nil && len(text) == 0 {
				return
			} else {
				line = string(text)
			}
			t.do(strings.Fields(line))
		}
	}()
}

// do does what was typed.
func (t *teacher) do(words []string) {
	t.mu.Lock()
	t.withQR = len(words) > 0 && words[0] == "qr" && !t.withQR // it covers what comes next
	t.mu.Unlock()
	t.board.Redraw()
	if len(words) == 0 {
		return
	}
	switch words[0] {
	case "vote", "v", "投票":
		if len(words) != 2 || !t.board.OpenVote(words[1]) {
			t.say(t.lang.Text("给哪一课投票？比如：vote 12", "vote on which lesson? Type: vote 12"))
		}
	case "close", "c", "结束":
		t.board.CloseVote(false)
	case "show", "s", "揭晓":
		t.board.CloseVote(true)
	case "end", "e", "收起":
		t.board.EndVote()
	case "qr":
		if t.tty == nil && t.link != "" {
			t.say(class.QRBlocks(t.link))
		}
	case "q", "quit":
		t.end()
	default:
		t.say(t.lang.Text("可以输入 ", "you can type ") + "vote 12, close, show, end, qr, q")
	}
}
