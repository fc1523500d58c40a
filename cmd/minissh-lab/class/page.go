package class

import (
	_ "embed"
	"html/template"
	"net"
	"net/http"
	"strings"

	"minissh/cmd/minissh-lab/speak"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle []byte

var page = template.Must(template.New("board").Parse(pageText))

// shown is what the page is made of. All of it is text: the template quotes it.
type shown struct {
	Lang                     string
	Title, Empty, Type, Name string
	Where                    string // the address that students report to
	Stuck                    []string
	Lessons                  []string
	Rows                     []shownRow
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

// Page shows the board to a browser, for the projector: it asks for nothing, stores nothing, runs
// no script, and looks again every two seconds. It answers only to the address that it is served
// at, so that no other page reads it through the browser (DNS rebinding). where is the address that
// students report to.
func (b *Board) Page(lang speak.Lang, where string, at net.Addr) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		page.Execute(w, b.show(lang, where)) // the browser has gone: nobody is told
	})
	mux.HandleFunc("GET /page.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		w.Write(pageStyle)
	})
	_, port, _ := net.SplitHostPort(at.String())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy",
			"default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if r.Host != at.String() && r.Host != net.JoinHostPort("localhost", port) {
			http.Error(w, "this page has another address: http://"+at.String()+"/",
				http.StatusMisdirectedRequest)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (b *Board) show(lang speak.Lang, where string) shown {
	names, lessons := b.tried()
	s := shown{Where: where, Lessons: lessons, Lang: "zh",
		Title: lang.Text("老师的看板", "the class"), Name: lang.Text("名字", "name"),
		Empty: lang.Text("还没有人报到。每个学生：", "nobody has reported yet. Every student:"),
		Type:  lang.Text("报到：", "report with:")}
	if lang == speak.English {
		s.Lang = "en"
	}
	if stuck := strings.TrimSpace(b.Stuck(lang)); stuck != "" {
		s.Stuck = strings.Split(stuck, "\n")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range names {
		row := shownRow{Name: name}
		for _, l := range lessons {
			var cells []shownCell
			for _, side := range []struct{ name, mark string }{{"server", "S"}, {"client", "C"}} {
				if r, known := b.rows[key{name, l, side.name}]; known {
					cells = append(cells, shownCell{side.mark, r.OK(), r.Case})
				}
			}
			row.Cells = append(row.Cells, cells)
		}
		s.Rows = append(s.Rows, row)
	}
	return s
}
