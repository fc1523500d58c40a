package web

import (
	"fmt"
	"net"
	"net/http"
	"testing"

	"minissh/cmd/minissh-lab/class"
	"minissh/cmd/minissh-lab/speak"
)

// The class's pages, in the browser: the projector's with results of five lessons, and the vote on
// it and on a phone, are not cut off in any language.
func TestClassPagesAreNotCutOff(t *testing.T) {
	lessons := []string{"12", "15a", "16", "17-18", "26"}
	question := class.Question{Lesson: "12",
		Text:  "What does the second recv of the client print?",
		About: "Two commands, one recv(1024) for each.",
		Options: []string{"what pwd answers", "nothing: what is left of the first answer is lost",
			"what is left of the first answer"},
		Code:  []string{"phone.send(b'big')", "print(phone.recv(1024))  # 3000 bytes 输出"},
		Right: 2}
	for i, lang := range []speak.Lang{speak.Chinese, speak.English} {
		board := class.NewBoard(lessons, []class.Question{question})
		for n := range 40 {
			r := class.Report{Class: 1, Name: fmt.Sprintf("学生 %d of a long name", n%4),
				Lesson: lessons[n%len(lessons)], Side: []string{"server", "client"}[n/20],
				Failed: 1, Case: "cut-in-length"}
			if _, err := board.Add(r, ""); err != nil {
				t.Fatal(err)
			}
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		p := class.NewProjector("192.168.100.200:8090", l.Addr(), true)
		t.Cleanup(class.ServePage(l, board.Page(lang, p)))
		phones := servePhones(t, board, lang)
		look := func(what string, width, height int64, url string) {
			tag := []string{"zh-CN", "en-US"}[i]
			as := look{width, height, (i == 0) == (width == 1280), tag, true}
			openTab(t, nil, as, url).fits(as, what)
		}
		look("class", 1280, 720, p.URL())
		look("class", 1920, 1080, p.URL())
		board.OpenVote("12")
		look("phone vote", 390, 844, phones)
		board.CloseVote(true)
		look("phone shown", 390, 844, phones)
	}
}

// servePhones serves the students' page.
func servePhones(t *testing.T, b *class.Board, lang speak.Lang) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var page http.Handler = b.Phones(lang, l.Addr().String())
	t.Cleanup(class.ServePage(l, page))
	return "http://" + l.Addr().String() + "/"
}
