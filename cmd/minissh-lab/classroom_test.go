package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"minissh/cmd/minissh-lab/class"
	"minissh/protocol/testend"
)

// roll are thirty students: names in many scripts, two of them the same, and some that would like
// to be more than names.
var roll = []string{"小明", "小明", "李雷", "韩梅梅", "王芳", "张伟", "欧阳", "赵敏", "陈浩南",
	"周芷若", "Ann", "Bob", "Zoë", "Łukasz", "O'Brien", "Ольга", "Γιώργος", "さくら", "김민준",
	"Nguyễn Văn An", "محمد", "דנה", "प्रिया", "สมชาย", "x\u202egnp", "<b onclick=x>",
	"\x1b[2J\x1b]0;t\x07", strings.Repeat("长", 100), "a\nb  SSS", "\u202e\u2066\ufeff\u0000z"}

// classroom is a class under way.
type classroom struct {
	*board
	t    *testing.T
	page string // the projector's
	ids  []string
}

// all does something for every student at once.
func (c *classroom) all(do func(i int) error) {
	c.t.Helper()
	var wait sync.WaitGroup
	for i := range roll {
		wait.Go(func() {
			if err := do(i); err != nil {
				c.t.Errorf("%q: %v", roll[i], err)
			}
		})
	}
	wait.Wait()
}

// reports sends a check's result as the verb does.
func (c *classroom) reports(i int, lesson, failed string) error {
	r := class.Report{Name: roll[i], Lesson: lesson, Side: "client", Passed: 5, ID: c.ids[i]}
	if failed != "" {
		r.Failed, r.Case = 1, failed
	}
	return class.Send(c.t.Context(), c.address, r)
}

// sees waits until the projector shows all of these texts, and wants none of the others.
func (c *classroom) sees(when string, texts []string, not ...string) {
	c.t.Helper()
	body := ""
	missing := func() string {
		resp, err := http.Get(c.page)
		if err != nil {
			return err.Error()
		}
		defer resp.Body.Close()
		data, _ := io.ReadAll(resp.Body) // what is missing is told below
		body = string(data)
		for _, text := range texts {
			if !strings.Contains(body, text) {
				return text
			}
		}
		return ""
	}
	// What the class does is on the page at once; what the flood does, some time.
	for over := time.Now().Add(time.Minute); missing() != ""; {
		if time.Now().After(over) {
			c.t.Fatalf("%s: %q is missing in\n%s", when, missing(), body)
		}
	}
	for _, text := range append(not, "<b ", "<b&", "\x1b", "\u202e", "\u2066", "\x07") {
		if strings.Contains(body, text) {
			c.t.Fatalf("%s: %q is in\n%s", when, text, body)
		}
	}
}

// A class of ninety minutes: thirty students join, vote, run checks, fail, mend, leave and come
// back, while one floods the board. The board's figures are right at each point, and nothing is
// left afterwards.
func TestClassOfNinetyMinutes(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	http.DefaultClient.CloseIdleConnections()
	descriptors := openDescriptors(t)
	goroutines := runtime.NumGoroutine()
	t.Run("class", teach)
	http.DefaultClient.CloseIdleConnections()
	testend.Until(t, "the descriptors and goroutines of before", func() bool {
		return openDescriptors(t) <= descriptors && runtime.NumGoroutine() <= goroutines
	})
}

func teach(t *testing.T) {
	var lines chan string
	t.Cleanup(func() { close(lines) }) // after the class has ended
	c := &classroom{board: openClass(t, "--web"), t: t}
	lines = c.out.lines
	c.page, _, _ = strings.Cut(c.out.until(t, "for the projector: "), " ")
	go func() { // the terminal's lines are not all looked at
		for range lines {
		}
	}()
	for range roll {
		c.ids = append(c.ids, class.NewID())
	}
	c.sees("0 min", []string{"Nobody has reported yet"}, "<tr>", "stick")
	flood := floods(t, c.address)
	defer flood()

	// A vote before the run: 10, 17 and 3 hands, after all had another mind; and the flood's 8.
	c.types("vote 12")
	testend.Until(t, "the vote", func() bool {
		lesson, err := class.Ask(t.Context(), c.address)
		return err == nil && lesson == "12"
	})
	c.all(func(i int) error {
		for _, option := range []int{3, 1 + (i+10)/20 + i/27} {
			if err := class.SendVote(t.Context(), c.address, "12", option, c.ids[i]); err != nil {
				return err
			}
		}
		return nil
	})
	c.votes("15 min, open", []int{18, 17, 3}, false)
	c.types("close")
	c.untilVote("closed")
	if err := class.SendVote(t.Context(), c.address, "12", 1, class.NewID()); err == nil {
		t.Error("a vote after the end is counted")
	}
	c.votes("15 min, closed", []int{18, 17, 3}, false)
	c.types("show")
	c.untilVote("the answer, votes")
	c.votes("15 min, shown", []int{18, 17, 3}, true)
	c.types("end")
	c.untilVote("")

	// First tries: 14 stick on chaos, 6 on eof, 10 pass.
	c.all(func(i int) error {
		return c.reports(i, "15a", []string{"chaos", "eof", ""}[min(i/14, 1)+i/20])
	})
	c.sees("45 min", []string{"15a client: 14 of 30 stuck on chaos", "小明 (2)", "محمد",
		"Nguyễn Văn An", "?b onclick?x?"}, "of 31")
	// Half of them mend; five leave and come back under the same name, from another address.
	c.all(func(i int) error {
		if i%2 == 1 {
			return c.reports(i, "15a", "")
		}
		return nil
	})
	c.sees("60 min", []string{"15a client: 7 of 30 stuck on chaos"})
	for i := range 5 {
		if err := c.reports(2*i, "15a", "eof"); err != nil {
			t.Error(err)
		}
	}
	c.sees("70 min", []string{"15a client: 8 of 30 stuck on eof"}) // 3 of before, and these
	c.ownPrograms()
	c.all(func(i int) error { return c.reports(i, "15a", "") })
	c.sees("90 min", []string{"小明 (2)", "Zoë", "16 client: 8 of 8 stuck on chaos"}, "15a client")
}

// votes wants the hands of each option, and what is right only if it is shown.
func (c *classroom) votes(when string, counts []int, shown bool) {
	c.t.Helper()
	var texts, not []string
	for _, n := range counts {
		texts = append(texts, fmt.Sprintf("<b>%d</b>", n))
	}
	if shown {
		texts = append(texts, "✓")
	} else {
		not = append(not, "✓")
	}
	c.sees(when, texts, not...)
}

// untilVote waits until the page's vote is in a state; "" means that it has gone.
func (c *classroom) untilVote(state string) {
	c.t.Helper()
	testend.Until(c.t, "the vote: "+state, func() bool {
		resp, err := http.Get(c.page)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body) // asked again
		if state == "" {
			return !strings.Contains(string(body), "class=\"vote\"")
		}
		return strings.Contains(string(body), state)
	})
}

// ownPrograms is a student with a program that fails, and is mended.
func (c *classroom) ownPrograms() {
	python, err := exec.LookPath("python3")
	if err != nil || testing.Short() {
		return // the others' checks are only told of, too
	}
	file := filepath.Join(c.t.TempDir(), "mine.py")
	const right = "import socket, sys\n" +
		"p = socket.create_connection((sys.argv[1], int(sys.argv[2])))\nwhile True:\n" +
		"    m = input('>>: ')\n    if m:\n        p.send(m.encode())\n" +
		"        print(p.recv(1024).decode())\n"
	for _, run := range []struct{ text, seen, not string }{
		{strings.Replace(right, "print(p", "(p", 1), "6 client: 1 of 1 stuck on typed", "of 31"},
		{right, "real", "6 client: 1"}} {
		if err := os.WriteFile(file, []byte(run.text), 0o600); err != nil {
			c.t.Fatal(err)
		}
		_, out, errOut := lab(c.t, "", "check", "6", "--client", "--lang", "en", "--class",
			c.address, "--name", "real", "--", python, "-S", "-B", file, "{host}", "{port}")
		if !strings.Contains(out, "reported") {
			c.t.Fatalf("%s\n%s", out, errOut)
		}
		c.sees("80 min", []string{run.seen}, run.not)
	}
	free, err := freeAddress("tcp")
	if err != nil {
		c.t.Fatal(err)
	}
	_, out, errOut := lab(c.t, "hello\n", "record", "--lang", "en", "--between", "127.0.0.1:0",
		free, "--", python, "-S", "-B", filepath.Join("peers", "echo_server.py"), "{address}",
		"--client", "--", python, "-S", "-B", file, "127.0.0.1", "{port}")
	if !strings.Contains(out, `"HELLO"`) {
		c.t.Errorf("the recorded run is\n%s\n%s", out, errOut)
	}
}

// floods sends what a hostile student sends, from one address, until it is stopped: reports and
// votes under ever new names, names of a megabyte, connections that say nothing, forms.
func floods(t *testing.T, address string) (stop func()) {
	if runtime.GOOS == "darwin" {
		return func() {} // it has no 127.0.0.66
	}
	done := make(chan struct{})
	var all sync.WaitGroup
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 66)}, Timeout: time.Second}
	texts := []string{
		`{"class":1,"name":"flood%d","lesson":"16","side":"client",` +
			`"failed":1,"case":"chaos"}` + "\n",
		`{"class":1,"lesson":"12","vote":1,"id":"%032x"}` + "\n",
		"", "{", "POST /vote HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n",
		`{"class":1,"name":"` + strings.Repeat("长", 1<<19),
	}
	for worker := range 4 {
		all.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				conn, err := d.DialContext(t.Context(), "tcp", address)
				if err != nil {
					continue
				}
				text := texts[(n+worker)%len(texts)]
				if strings.Contains(text, "%") {
					text = fmt.Sprintf(text, n)
				}
				conn.SetDeadline(time.Now().Add(100 * time.Millisecond))
				io.WriteString(conn, text)
				io.Copy(io.Discard, io.LimitReader(conn, 1<<16))
				conn.Close()
			}
		})
	}
	return sync.OnceFunc(func() { close(done); all.Wait() })
}

// openDescriptors is how many this process has, 0 where that is not known.
func openDescriptors(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(files)
}
