package class

import (
	"crypto/subtle"
	_ "embed"
	"html/template"
	"net"
	"net/http"
	"strings"

	"golang.org/x/net/netutil"

	"minissh/cmd/minissh-lab/speak"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle []byte

var page = withTyped("board", pageText)

// withTyped is a page that can show a command as people type it: "typed" keeps each word in one
// line, where a browser would break --class after its dashes.
func withTyped(name, text string) *template.Template {
	typed := template.New("typed").Funcs(template.FuncMap{"words": strings.Fields})
	template.Must(typed.Parse(
		`{{range $i, $w := words .}}{{if $i}} {{end}}<span class="word">{{$w}}</span>{{end}}`))
	return template.Must(typed.New(name).Parse(text))
}

// Projector is the page for the projector.
type Projector struct {
	Where  string   // the address that students report to
	At     net.Addr // where the page is served
	Phones bool     // students reach their page at Where
	token  string
}

// NewProjector is a page with a link of its own, that only this machine's user knows.
func NewProjector(where string, at net.Addr, phones bool) *Projector {
	return &Projector{where, at, phones, NewID()}
}

// URL is the page's address. Whoever knows it can open and close votes.
func (p *Projector) URL() string { return "http://" + p.At.String() + p.path() }

func (p *Projector) path() string { return "/" + p.token + "/" }

// shown is what the page is made of. All of it but QR is text: the template quotes it.
type shown struct {
	Lang, Path        string
	Title, Type, Name string
	Where, Link       string // the address that students report to, and their page's
	Scan              string
	QR                template.HTML
	Vote              *shownVote
	Close, Show, Open string
	End, Empty        string
	Asked             []string // lessons that have a question
	Stuck             []string
	Lessons           []string
	Rows              []shownRow
}

type shownRow struct {
	Name  string
	Cells [][]shownCell // for each lesson
}

type shownCell struct {
	Mark string // S or C
	OK   bool
	Case string // the first case that failed
}

// shownVote is a vote on a page.
type shownVote struct {
	Lesson, State, Text, Note string
	About                     string
	Code                      []string
	Open, Shown               bool
	Mine                      int // an option's index, -1 for none
	Options                   []shownOption
}

type shownOption struct {
	Number, Count int
	Max           int // the votes of all options
	Text          string
	Right         bool // it is shown to be right
}

// Page shows the board to a browser, for the projector: it stores nothing, runs no script, and
// looks again every two seconds. It answers only to the address that it is served at and to its own
// link.
func (b *Board) Page(lang speak.Lang, p *Projector) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{token}/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		page.Execute(w, b.show(lang, p)) // the browser has gone: nobody is told
	})
	then := func(do func(*http.Request)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
			do(r)
			http.Redirect(w, r, p.path(), http.StatusSeeOther)
		}
	}
	mux.HandleFunc("POST /{token}/open",
		then(func(r *http.Request) { b.OpenVote(r.FormValue("lesson")) }))
	mux.HandleFunc("POST /{token}/close", then(func(*http.Request) { b.CloseVote(false) }))
	mux.HandleFunc("POST /{token}/show", then(func(*http.Request) { b.CloseVote(true) }))
	mux.HandleFunc("POST /{token}/end", then(func(*http.Request) { b.EndVote() }))
	mux.HandleFunc("GET /page.css", style)
	_, port, _ := net.SplitHostPort(p.At.String())
	return guarded(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if r.URL.Path != "/page.css" &&
			subtle.ConstantTimeCompare([]byte(token), []byte(p.token)) != 1 {
			http.Error(w, lang.Text("这不是投影页的链接：完整的链接在老师的终端里",
				"not the link to this page: the teacher's terminal has it"), http.StatusNotFound)
			return
		}
		mux.ServeHTTP(w, r)
	}), func(host string) bool {
		return host == p.At.String() || host == net.JoinHostPort("localhost", port)
	}, p.At.String())
}

// ServePage serves the projector's page on l until end is called. It takes few connections at a
// time: another user of this machine must not use up the board's descriptors.
func ServePage(l net.Listener, page http.Handler) (end func()) {
	s := newServer(page)
	served := make(chan struct{})
	go func() { s.Serve(netutil.LimitListener(l, maxPage)); close(served) }()
	return func() { s.Close(); <-served }
}

// show is a vote for a page.
func (p Poll) show(lang speak.Lang) *shownVote {
	v := &shownVote{Lesson: p.Lesson, State: p.state(lang), Text: p.Text, About: p.About,
		Code: p.Code, Open: p.Open, Shown: p.Shown, Mine: -1}
	switch {
	case p.Open:
		v.Note = lang.Text("点一个答案；投票结束之前可以改。",
			"Tap one; until the vote is closed you can change it.")
	case !p.Shown:
		v.Note = lang.Text("投票结束了，看投影。", "The vote is closed: look at the board.")
	}
	for i, text := range p.Options {
		v.Options = append(v.Options, shownOption{i + 1, p.Counts[i], max(p.Votes, 1), text,
			p.Shown && i == p.Right})
	}
	return v
}

func (b *Board) show(lang speak.Lang, p *Projector) shown {
	s := shown{Where: p.Where, Lang: htmlLang(lang), Path: p.path(),
		Title: lang.Text("老师的看板", "The class"), Name: lang.Text("名字", "Name"),
		Type:  lang.Text("报到：", "Report with:"),
		Open:  lang.Text("开始投票，选一课：", "Open a vote on lesson:"),
		Close: lang.Text("结束投票", "Close the vote"),
		Show:  lang.Text("揭晓", "Show the answer"),
		End:   lang.Text("收起", "Remove the vote"),
		Empty: lang.Text("还没有人报到。", "Nobody has reported yet.")}
	if p.Phones {
		s.Link = "http://" + p.Where + "/"
		s.Scan = lang.Text("用手机投票：", "Vote on a phone:")
		s.QR = qrPicture(s.Link, s.Link)
	}
	if poll, ok := b.Poll(); ok {
		s.Vote = poll.show(lang)
	}
	for _, q := range b.questions {
		s.Asked = append(s.Asked, q.Lesson)
	}
	if stuck := strings.TrimSpace(b.Stuck(lang)); stuck != "" {
		s.Stuck = strings.Split(stuck, "\n")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	students, lessons := b.tried()
	s.Lessons = lessons
	for _, student := range students {
		row := shownRow{Name: b.label(student)}
		for _, l := range lessons {
			var cells []shownCell
			for _, side := range sides {
				if r, known := b.rows[key{student, l, side.name}]; known {
					cells = append(cells, shownCell{side.ok, r.OK(), r.Case})
				}
			}
			row.Cells = append(row.Cells, cells)
		}
		s.Rows = append(s.Rows, row)
	}
	return s
}
