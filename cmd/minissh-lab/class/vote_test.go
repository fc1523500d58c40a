package class

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"minissh/cmd/minissh-lab/speak"
)

// Rule 5: one vote for each id, a later one in place of it, none before the teacher opens it or
// after it is closed; what is right is not told before it is shown.
func TestVotes(t *testing.T) {
	b, addr, _ := serve(t)
	if _, err := Ask(t.Context(), addr); !errors.Is(err, ErrNoVote) {
		t.Errorf("without a vote: %v", err)
	}
	if err := SendVote(t.Context(), addr, "12", 1, NewID()); !errors.Is(err, ErrNoVote) {
		t.Errorf("without a vote: %v", err)
	}
	if b.OpenVote("99") || b.OpenVote("6") || !b.OpenVote("12") {
		t.Error("only questions are voted on")
	}
	if l, err := Ask(t.Context(), addr); err != nil || l != "12" {
		t.Errorf("asked: %q, %v", l, err)
	}
	var all sync.WaitGroup
	var ids [30]string
	for i := range ids {
		ids[i] = NewID()
		all.Go(func() {
			for _, option := range []int{3, i%3 + 1} { // the second one counts
				if err := SendVote(t.Context(), addr, "12", option, ids[i]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for _, c := range []struct {
		lesson string
		option int
		id     string
	}{{"16", 1, ids[0]}, {"12", -1, ids[0]}, {"12", 4, ids[0]}, {"12", 1, "../x"},
		{"12", 1, strings.Repeat("0", MaxID+1)}} {
		if SendVote(t.Context(), addr, c.lesson, c.option, c.id) == nil {
			t.Errorf("%+v is counted", c)
		}
	}
	address, path := pageOf(t, b)
	for _, step := range []struct {
		do    func()
		shown bool
	}{{func() {}, false}, {func() { b.CloseVote(false) }, false},
		{func() { b.CloseVote(true) }, true}} {
		step.do()
		p, _ := b.Poll()
		if !slices.Equal(p.Counts, []int{10, 10, 10}) || p.Votes != 30 {
			t.Errorf("votes %v", p)
		}
		_, board, _ := get(t, address, address, path)
		_, phone, _ := get(t, addr, addr, "/")
		for name, text := range map[string]string{"terminal": b.Hands(speak.English, 0),
			"board": board, "phone": phone} {
			if strings.Contains(text, "✓") != step.shown {
				t.Errorf("%s, what is right is shown: %v\n%s", name, !step.shown, text)
			}
			if !strings.Contains(text, "the rest of ls") || strings.Contains(text, "<b>byte") {
				t.Errorf("%s:\n%s", name, text)
			}
		}
	}
	if err := SendVote(t.Context(), addr, "12", 1, ids[0]); !errors.Is(err, ErrNoVote) {
		t.Errorf("after the end: %v", err)
	}
}

// Rules 2 and 3: one machine brings a few students and votes; the same name from two machines is
// two students.
func TestOneAddressDoesNotCrowdOutAClass(t *testing.T) {
	b := NewBoard(lessons, asked)
	b.OpenVote("12")
	refused, full := 0, 0
	for i := range 10_000 {
		_, err := b.Add(Report{Class: 1, Name: fmt.Sprint("x", i), Lesson: "6", Side: "client",
			Passed: 1}, "192.0.2.66")
		if err != nil {
			full++
		}
		if b.vote("12", 1, fmt.Sprintf("%x", i+1), "192.0.2.66") != nil {
			refused++
		}
	}
	if full != 9992 || refused != 9992 {
		t.Errorf("refused: %d students, %d votes", full, refused)
	}
	for i := range 30 {
		from := fmt.Sprint("192.0.2.", i)
		if err := b.vote("12", 2, "", from); err != nil {
			t.Error(err)
		}
		r, err := b.Add(Report{Class: 1, Name: "小明", Lesson: "16", Side: "client", Failed: i % 2,
			Passed: 1, Case: "chaos"}, from)
		if want := fmt.Sprintf("小明 (%d)", i+1); err != nil || i > 0 && r.Name != want {
			t.Errorf("%+v, %v", r, err)
		}
	}
	if p, _ := b.Poll(); !slices.Equal(p.Counts, []int{8, 30, 0}) {
		t.Errorf("votes %v", p.Counts)
	}
	if got := b.Stuck(speak.English); got != "16 client: 15 of 30 stuck on chaos\n" {
		t.Errorf("stuck: %q", got)
	}
	for i := range MaxReports + 2 {
		_, err := b.Add(Report{Class: 1, Name: "eager", Lesson: "6", Side: "client", Passed: 1}, "")
		if (err != nil) != (i >= MaxReports) {
			t.Fatalf("report %d: %v", i, err)
		}
	}
}

// from dials from another address of the loopback.
func from(t *testing.T, ip string) *net.Dialer {
	t.Helper()
	if runtime.GOOS == "darwin" {
		t.Skip("not run: needs all of 127.0.0.0/8")
	}
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}, Timeout: patience}
}

// Somebody who opens connections and says nothing keeps nobody else out: neither a student, nor
// another user of the board's own machine.
func TestSilentConnectionsKeepNobodyOut(t *testing.T) {
	_, addr, _ := serve(t)
	stranger, own := from(t, "127.0.0.66"), &net.Dialer{}
	for _, d := range []*net.Dialer{stranger, own} {
		for range maxConns + 50 {
			c, err := d.DialContext(t.Context(), "tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
		}
	}
	c, err := from(t, "127.0.0.67").DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, `{"class":1,"ask":true}`+"\n")
	if answer, err := io.ReadAll(c); err != nil || string(answer) != "no: there is no vote\n" {
		t.Errorf("%q, %v", answer, err)
	}
}

// phone is a browser with cookies.
func phone(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: tr}
}

func TestPhonesVote(t *testing.T) {
	b, addr, _ := serve(t)
	b.OpenVote("12")
	for i := range 30 {
		c := phone(t)
		for _, option := range []string{"3", fmt.Sprint(i%2 + 1)} {
			resp, err := c.PostForm("http://"+addr+"/vote",
				url.Values{"lesson": {"12"}, "option": {option}})
			if err != nil {
				t.Fatal(err)
			}
			page, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != 200 || !strings.Contains(string(page),
				"value=\""+option+"\"\n aria-pressed=\"true\"") {
				t.Fatalf("%d\n%s", resp.StatusCode, page)
			}
		}
	}
	if p, _ := b.Poll(); !slices.Equal(p.Counts, []int{15, 15, 0}) {
		t.Errorf("votes %v", p.Counts)
	}
}

// Rule 6.
func TestStudentsPageTakesAVoteAndNothingElse(t *testing.T) {
	b, addr, _ := serve(t)
	b.OpenVote("12")
	vote := "lesson=12&option=1"
	for _, c := range []struct {
		what, method, path, host, body string
		header                         http.Header
		want                           int
	}{
		{"its own form", "POST", "/vote", addr, vote, http.Header{"Origin": {"http://" + addr}}, 303},
		{"another page's", "POST", "/vote", addr, vote, http.Header{"Origin": {"http://evil.example"}}, 403},
		{"a page without an origin", "POST", "/vote", addr, vote, http.Header{"Origin": {"null"}}, 403},
		{"another site", "POST", "/vote", addr, vote, http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		{"a name (DNS rebinding)", "GET", "/", "evil.example:8090", "", nil, 421},
		{"an address", "GET", "/", "192.0.2.1:8090", "", nil, 200},
		{"the teacher's", "POST", "/open", addr, "lesson=16", nil, 404},
		{"the teacher's", "POST", "/x/show", addr, "", nil, 404},
		{"a long form", "POST", "/vote", addr, vote + "&x=" + strings.Repeat("x", 1<<20), nil, 400},
		{"no number", "POST", "/vote", addr, "lesson=12&option=<script>", nil, 400},
		{"another lesson", "POST", "/vote", addr, "lesson=<script>&option=1", nil, 400},
		{"another method", "PUT", "/vote", addr, vote, nil, 405},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, "http://"+addr+c.path,
			strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = c.host
		r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
		for name, v := range c.header {
			r.Header[name] = v
		}
		tr := &http.Transport{DisableKeepAlives: true}
		resp, err := tr.RoundTrip(r)
		if c.what == "a long form" && err != nil {
			continue // it may see a reset before the answer
		}
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != c.want || strings.Contains(string(body), "<script>") &&
			!strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %d %s\n%s", c.what, resp.StatusCode, resp.Header, body)
		}
	}
	if p, _ := b.Poll(); p.Votes != 1 || p.Lesson != "12" || !p.Open {
		t.Errorf("after it: %+v", p)
	}
}

// A body that does not come ends with its connection.
func TestSlowFormEnds(t *testing.T) {
	t.Parallel()
	_, addr, _ := serve(t)
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST /vote HTTP/1.1\r\nHost: %s\r\nContent-Type: "+
		"application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\nl", addr)
	c.SetReadDeadline(time.Now().Add(4 * patience))
	if text, err := io.ReadAll(c); err != nil || strings.Contains(string(text), " 303 ") {
		t.Errorf("%q, %v", text, err)
	}
}

// The teacher's forms are the page's alone.
func TestTeachersForms(t *testing.T) {
	b := NewBoard(lessons, asked)
	address, path := pageOf(t, b)
	post := func(path, form, origin string) int {
		r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+address+path,
			strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", origin)
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	own := "http://" + address
	if post(path+"open", "lesson=12", "http://evil.example") != 403 ||
		post("/open", "lesson=12", own) != 404 {
		t.Error("a vote is opened from elsewhere")
	}
	if _, ok := b.Poll(); ok {
		t.Error("there is a vote")
	}
	if post(path+"open", "lesson=12", own) != 303 {
		t.Error("no vote is opened")
	}
	if p, _ := b.Poll(); !p.Open || p.Lesson != "12" {
		t.Errorf("%+v", p)
	}
	post(path+"close", "", own)
	if p, _ := b.Poll(); p.Open || p.Shown {
		t.Errorf("%+v", p)
	}
	post(path+"show", "", own)
	if p, _ := b.Poll(); !p.Shown {
		t.Errorf("%+v", p)
	}
}
