package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"minissh/cmd/minissh-lab/lesson"
	"minissh/cmd/minissh-lab/web/record"
	"minissh/protocol/testend"
)

// TestMain looks for goroutines of this package that outlive the tests.
func TestMain(m *testing.M) { testend.Main(m, endBrowser) }

// startLab serves on a free port until the test ends.
func startLab(t testing.TB) *Lab {
	t.Helper()
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveLab(t, l)
	return l
}

// serveLab serves until the test ends.
func serveLab(t testing.TB, l *Lab) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- l.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := testend.Next(t, "Serve ends", served); err != nil {
			t.Error(err)
		}
	})
}

func (l *Lab) host() string { return l.listener.Addr().String() }

// request is one to the lab, as the page would send it; change spoils it.
func (l *Lab) request(t testing.TB, method, path, body string, change func(*http.Request)) (
	status int, answer string) {
	t.Helper()
	status, answer, _ = l.requestHeader(t, method, path, body, change)
	return status, answer
}

func (l *Lab) requestHeader(t testing.TB, method, path, body string, change func(*http.Request)) (
	int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+l.host()+path,
		strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(TokenHeader, l.token)
	r.Header.Set("Origin", "http://"+l.host())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if change != nil {
		change(r)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text), resp.Header
}

const helloWorld = `{"messages":[5,5],"recv":1024,"gap":0,"delay":0,"nodelay":true,"framing":"simple","text":"letters"}`

func TestOnlyThisMachine(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:0",
		"[::ffff:192.0.2.1]:0", "*:0"} {
		if l, err := Listen(address); !errors.Is(err, ErrNotLoopback) {
			t.Errorf("%s: %v", address, err)
			if err == nil {
				l.listener.Close()
			}
		}
	}
	for _, address := range []string{"127.0.0.1:0", "127.8.8.8:0", "localhost:0", "[::1]:0"} {
		l, err := Listen(address)
		if err != nil {
			if runtime.GOOS == "linux" && address != "[::1]:0" {
				t.Errorf("%s: %v", address, err)
			}
			continue
		}
		l.listener.Close()
	}
}

func TestPageIsServedAndLockedDown(t *testing.T) {
	l := startLab(t)
	for path, kind := range map[string]string{"/": "text/html", "/app.js": "text/javascript",
		"/base.css": "text/css", "/icon.svg": "image/svg+xml"} {
		status, text, h := l.requestHeader(t, "GET", path, "",
			func(r *http.Request) { r.Header.Del(TokenHeader) })
		if status != 200 || !strings.HasPrefix(h.Get("Content-Type"), kind) || text == "" {
			t.Errorf("%s: %d %s", path, status, h.Get("Content-Type"))
		}
		if h.Get("Content-Security-Policy") != policy ||
			h.Get("X-Content-Type-Options") != "nosniff" ||
			h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: headers %v", path, h)
		}
		if strings.Contains(text, l.token) {
			t.Errorf("%s holds the token", path)
		}
		for _, foreign := range []string{"http://", "https://", "//cdn", "<script>", " style=\"",
			" onclick"} {
			if path != "/icon.svg" && strings.Contains(text, foreign) {
				t.Errorf("%s holds %s", path, foreign)
			}
		}
	}
	for _, path := range []string{"/nothing", "/static/app.js", "/../lab.go", "/lab.go", "/api/",
		"/api/run"} {
		if status, _ := l.request(t, "GET", path, "", nil); status == 200 {
			t.Errorf("GET %s is answered", path)
		}
	}
}

// What a request must show; each of these is refused before anything runs.
func TestStrangersAreRefused(t *testing.T) {
	l := startLab(t)
	set := func(k, v string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(k, v) }
	}
	_, port, _ := net.SplitHostPort(l.host())
	for name, c := range map[string]struct {
		change func(*http.Request)
		want   int
		code   string
	}{
		"no token":       {func(r *http.Request) { r.Header.Del(TokenHeader) }, 401, "token"},
		"another token":  {set(TokenHeader, newToken()), 401, "token"},
		"half the token": {set(TokenHeader, l.token[:11]), 401, "token"},
		"rebound name": {func(r *http.Request) { r.Host = "attacker.example:" + port }, 421,
			"host"},
		"rebound, no port": {func(r *http.Request) { r.Host = "127.0.0.1" }, 421, "host"},
		"another port":     {func(r *http.Request) { r.Host = "127.0.0.1:1" }, 421, "host"},
		"foreign origin":   {set("Origin", "https://attacker.example"), 403, "origin"},
		"another port's":   {set("Origin", "http://127.0.0.1:1"), 403, "origin"},
		"sandboxed origin": {set("Origin", "null"), 403, "origin"},
		"cross-site":       {set("Sec-Fetch-Site", "cross-site"), 403, "site"},
		"same-site":        {set("Sec-Fetch-Site", "same-site"), 403, "site"},
		"a form's type":    {set("Content-Type", "text/plain"), 415, "body"},
		"urlencoded":       {set("Content-Type", "application/x-www-form-urlencoded"), 415, "body"},
	} {
		status, text := l.request(t, "POST", "/api/run", helloWorld, c.change)
		if status != c.want || !strings.Contains(text, `"code":"`+c.code+`"`) ||
			strings.Contains(text, "sides") {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if status, text := l.request(t, "POST", "/api/run", helloWorld, nil); status != 200 ||
		!strings.Contains(text, `"sides"`) {
		t.Errorf("the page itself: %d %s", status, text)
	}
	if status, _ := l.request(t, "POST", "/api/run", helloWorld, func(r *http.Request) {
		r.Host = "localhost:" + port
		r.Header.Set("Origin", "http://localhost:"+port)
	}); status != 200 {
		t.Errorf("by the name localhost: %d", status)
	}
	// Following a link from another site to the page is what links are for; a frame is not.
	follow := func(dest string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Del("Origin")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Mode", "navigate")
			r.Header.Set("Sec-Fetch-Dest", dest)
		}
	}
	if status, _ := l.request(t, "GET", "/", "", follow("document")); status != 200 {
		t.Errorf("a link from elsewhere: %d", status)
	}
	for path, dest := range map[string]string{"/": "iframe", "/app.js": "document",
		"/api/start": "document"} {
		if status, _ := l.request(t, "GET", path, "", follow(dest)); status != 403 {
			t.Errorf("%s as %s from elsewhere: %d", path, dest, status)
		}
	}
}

func TestBodiesAreBounded(t *testing.T) {
	l := startLab(t)
	for name, body := range map[string]string{
		"not JSON":      `messages=5`,
		"unknown key":   strings.Replace(helloWorld, "{", `{"command":"id",`, 1),
		"two objects":   helloWorld + helloWorld,
		"large":         strings.Replace(helloWorld, "letters", strings.Repeat("x", 8192), 1),
		"padded":        strings.Repeat(" ", maxBody) + helloWorld,
		"too many":      strings.Replace(helloWorld, "[5,5]", "["+strings.Repeat("1,", 20)+"1]", 1),
		"negative":      strings.Replace(helloWorld, "[5,5]", "[-1]", 1),
		"huge message":  strings.Replace(helloWorld, "[5,5]", "[2147483647]", 1),
		"huge number":   strings.Replace(helloWorld, "1024", "99999999999999999999", 1),
		"long wait":     strings.Replace(helloWorld, `"delay":0`, `"delay":100000`, 1),
		"other framing": strings.Replace(helloWorld, "simple", "../../x", 1),
	} {
		if status, text := l.request(t, "POST", "/api/run", body, nil); status != 400 {
			t.Errorf("%s: %d %.200s", name, status, text)
		}
	}
	for _, body := range []string{`{"command":"id"}`, `{"command":""}`, `{"command":"ls; id"}`,
		`{"line":"id"}`, `{"command":["ls"]}`, `{}`} {
		if status, text := l.request(t, "POST", "/api/live", body, nil); status != 400 {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
}

// Runs beyond the limit are told to come again; none waits in a queue.
func TestRunsAtATimeAreBounded(t *testing.T) {
	l := startLab(t)
	for range maxRuns {
		l.runs <- struct{}{}
	}
	if status, text := l.request(t, "POST", "/api/run", helloWorld, nil); status != 429 ||
		!strings.Contains(text, "busy") {
		t.Errorf("%d %s", status, text)
	}
	testend.Next(t, "a run", l.runs)
	if status, _ := l.request(t, "POST", "/api/run", helloWorld, nil); status != 200 {
		t.Errorf("%d when a place is free", status)
	}
	for range maxRuns - 1 {
		testend.Next(t, "a run", l.runs)
	}
}

// A browser that leaves ends its run.
func TestALeavingBrowserEndsItsRun(t *testing.T) {
	l := startLab(t)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "POST", "http://"+l.host()+"/api/run",
		strings.NewReader(strings.Replace(helloWorld, `"delay":0`, `"delay":1000`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(TokenHeader, l.token)
	r.Header.Set("Content-Type", "application/json")
	done := make(chan error, 1)
	go func() {
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err == nil {
			resp.Body.Close()
		}
		done <- err
	}()
	testend.Until(t, "it runs", func() bool { return len(l.runs) > 0 })
	cancel()
	if err := testend.Next(t, "the request ends", done); err == nil {
		t.Error("answered in spite of it")
	}
	testend.Until(t, "the run has ended", func() bool { return len(l.runs) == 0 })
}

// Thirty students, each with a lab of their own, run at once.
func TestAClassOfThirty(t *testing.T) {
	var class sync.WaitGroup
	tokens := make(chan string, 30)
	for range 30 {
		l := startLab(t)
		class.Go(func() {
			tokens <- l.token
			status, text := l.request(t, "POST", "/api/run", helloWorld, nil)
			var got struct{ Sides []*record.Trace }
			if err := json.Unmarshal([]byte(text), &got); status != 200 || err != nil ||
				len(got.Sides) != 2 || !got.Sides[1].Right || got.Sides[0].Right {
				t.Errorf("%d %.300s", status, text)
			}
		})
	}
	class.Wait()
	close(tokens)
	seen := map[string]bool{}
	for token := range tokens {
		if seen[token] || len(token) < 22 {
			t.Errorf("token %q", token)
		}
		seen[token] = true
	}
}

// Nothing of a run is kept: a thousand of them leave the heap as it was.
func TestRunsAreNotKept(t *testing.T) {
	l := startLab(t)
	h := l.guard(l.handler())
	once := func(n int) {
		for range n {
			r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+l.host()+"/api/run",
				strings.NewReader(helloWorld))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set(TokenHeader, l.token)
			r.Header.Set("Content-Type", "application/json")
			w := &answerWriter{header: http.Header{}}
			h.ServeHTTP(w, r)
			if w.status != 0 || !bytes.Contains(w.body.Bytes(), []byte(`"sides"`)) {
				t.Fatalf("%d %s", w.status, w.body.String())
			}
		}
	}
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	once(50)
	before := heap()
	once(1000)
	if after := heap(); after > before+512<<10 {
		t.Errorf("the heap grew from %d to %d bytes over 1000 runs", before, after)
	}
}

type answerWriter struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *answerWriter) Header() http.Header         { return w.header }
func (w *answerWriter) WriteHeader(status int)      { w.status = status }
func (w *answerWriter) Write(b []byte) (int, error) { return w.body.Write(b) }

func TestEveryPresetRuns(t *testing.T) {
	for _, p := range Presets() {
		if err := p.Setting.Check(); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		if lesson.Find(p.Name) == nil && p.View == "" || p.Zh == "" || p.En == "" {
			t.Errorf("%s is not a lesson, or lacks words", p.Name)
		}
		if _, err := record.Run(t.Context(), p.Setting); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}

func TestLinks(t *testing.T) {
	for in, want := range map[string]string{
		"13a": "13a", "": "", "own": "own", "live=ls": "live=ls", "at=13a": "13a",
		"m=5,5&r=1024&f=none":                   "f=none&m=5,5&r=1024",
		"m=5&l=100&b=0":                         "b=0&l=100&m=5",
		Link("16"):                              "16",
		"http://127.0.0.1:7480/":                "",
		"http://127.0.0.1:9/#token=abc&at=12":   "12",
		"http://localhost:7480/#m=0,5&f=simple": "f=simple&m=0,5",
	} {
		if at, ok := At(in); !ok || at != want {
			t.Errorf("At(%q) = %q, %v; want %q", in, at, ok, want)
		}
	}
	for _, in := range []string{"99", "rm -rf", "x=1", "m=5&m=6", "at=99",
		"m=" + strings.Repeat("1,", 100)} {
		if at, ok := At(in); ok {
			t.Errorf("At(%q) = %q", in, at)
		}
	}
	l := startLab(t)
	if u := l.URL("13a"); u != "http://"+l.host()+"/#token="+l.token+"&at=13a" {
		t.Error(u)
	}
	if u := Link("13a"); strings.Contains(u, "token") || u != "http://127.0.0.1:7480/#at=13a" {
		t.Error(u)
	}
}
