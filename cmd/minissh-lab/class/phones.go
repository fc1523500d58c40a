package class

import (
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"

	"minissh/cmd/minissh-lab/speak"
)

//go:embed phones.html
var phonesText string

var phones = withTyped("phones", phonesText)

// quiet is where a server's own log goes: strangers write it.
var quiet = log.New(io.Discard, "", 0)

// cookie holds a browser's id.
const cookie = "minissh-lab-class"

// forPhone is what the students' page is made of.
type forPhone struct {
	Lang, Title string
	Where       string // the board's address
	Vote        *shownVote
	Wait        string
	Join        []string // how to take part, a line each
}

// Phones is the students' page: the vote, and how to take part. where is the board's address.
func (b *Board) Phones(lang speak.Lang, where string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		id := browserID(w, r)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		phones.Execute(w, b.forPhone(lang, where, id)) // a browser that has gone is not told
	})
	mux.HandleFunc("POST /vote", func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
		option, err := strconv.Atoi(r.FormValue("option"))
		if err == nil {
			err = b.vote(r.FormValue("lesson"), option, browserID(w, r), addressOf(r))
		}
		if err != nil {
			http.Error(w, lang.Text("这一票没有算进去：", "not counted: ")+err.Error(),
				http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /page.css", style)
	return guarded(mux, func(host string) bool {
		name, _, err := net.SplitHostPort(host)
		if err != nil {
			name = strings.Trim(host, "[]") // port 80
		}
		return net.ParseIP(name) != nil || name == "localhost"
	}, where)
}

// browserID is the id in a browser's cookie, or a new one that it is given.
func browserID(w http.ResponseWriter, r *http.Request) string {
	if c, err := r.Cookie(cookie); err == nil && c.Value != "" {
		if id, err := cleanID(c.Value, ""); err == nil {
			return id
		}
	}
	id := NewID()
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: id, Path: "/", HttpOnly: true,
		SameSite: http.SameSiteStrictMode})
	return id
}

// NewID is a random id.
func NewID() string {
	var b [MaxID / 2]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// addressOf is the address of whoever asks, "" for this machine.
func addressOf(r *http.Request) string {
	from, _, _ := net.SplitHostPort(r.RemoteAddr)
	if at, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if to, _, _ := net.SplitHostPort(at.String()); to == from {
			return ""
		}
	}
	return from
}

// guarded answers only to the hosts that it may have, and takes no form from another page. Nothing
// is loaded from elsewhere, nothing is framed, no script runs.
func guarded(next http.Handler, mine func(host string) bool, address string) http.Handler {
	own := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; "+
			"form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin") // with less a form has no origin to be known by
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		switch {
		case !mine(r.Host):
			http.Error(w, "this page has another address: http://"+address+"/",
				http.StatusMisdirectedRequest)
		case own.Check(r) != nil:
			http.Error(w, "this form is not ours", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Write(pageStyle)
}

func (b *Board) forPhone(lang speak.Lang, where, id string) forPhone {
	f := forPhone{Lang: htmlLang(lang), Where: where, Title: lang.Text("粘包课堂", "The class"),
		Wait: lang.Text("还没有投票。老师一开始，这里就会出现题目。",
			"There is no vote yet. It appears here when the teacher opens one."),
		Join: []string{
			lang.Text("上课：", "The lesson:"), "minissh-lab lesson 12",
			lang.Text("在终端里投票：", "Vote from a terminal:"),
			"minissh-lab vote --class " + where,
			lang.Text("检查自己的程序，结果报到老师的看板上（Windows 用 python）：",
				"Check your program, and report to the board (on Windows, type python):"),
			"minissh-lab check 15a --client --class " + where + " --name … -- python3 my_client.py",
		}}
	if p, ok := b.Poll(); ok {
		f.Vote = p.show(lang)
		f.Vote.Mine = b.chosen(id)
	}
	return f
}

func htmlLang(lang speak.Lang) string {
	if lang == speak.English {
		return "en"
	}
	return "zh"
}
