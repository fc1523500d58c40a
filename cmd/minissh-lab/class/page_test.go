package class

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"minissh/cmd/minissh-lab/speak"
)

// pageOf serves a board's page.
func pageOf(t *testing.T, b *Board) (address, path string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := NewProjector("192.0.2.7:8090", l.Addr(), true)
	end := ServePage(l, b.Page(speak.English, p))
	t.Cleanup(func() { end(); http.DefaultClient.CloseIdleConnections() })
	return l.Addr().String(), p.path()
}

func get(t *testing.T, address, host, path string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body), resp.Header
}

// Thirty students report at once, some of them with names that would like to be more than text.
func TestPageOfThirty(t *testing.T) {
	b, addr, told := serve(t)
	go func() { // told is bounded
		for {
			select {
			case <-told:
			case <-t.Context().Done():
				return
			}
		}
	}()
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			r := Report{Name: fmt.Sprintf("学生%d", i), Lesson: "16", Side: "client", Passed: 9}
			switch i % 10 {
			case 3:
				r.Name = fmt.Sprintf("<script>alert(%d)</script>", i)
			case 5:
				r.Passed, r.Failed, r.Case = 3, 1, "chaos"
			}
			if err := Send(t.Context(), addr, r); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	address, path := pageOf(t, b)
	code, body, header := get(t, address, address, path)
	if code != 200 || strings.Count(body, "<tr>") != 31 || strings.Contains(body, "<script") {
		t.Errorf("%d, %d rows\n%s", code, strings.Count(body, "<tr>"), body)
	}
	for _, want := range []string{"16 client: 3 of 30 stuck on chaos", "学生7",
		"✗ <small>chaos</small>",
		// A browser would break --class after its dashes, and a class types what it reads.
		`<span class="word">--class</span> <span class="word">192.0.2.7:8090</span>`} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing in\n%s", want, body)
		}
	}
	if !strings.HasPrefix(header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("headers %v", header)
	}
}

func TestPageIsForItsAddressAlone(t *testing.T) {
	address, path := pageOf(t, NewBoard(lessons, asked))
	_, port, _ := net.SplitHostPort(address)
	for host, want := range map[string]int{address: 200, "localhost:" + port: 200,
		"evil.example": 421, "evil.example:" + port: 421, "": 421} {
		if host == "" {
			host = "127.0.0.1"
		}
		if code, _, _ := get(t, address, host, path); code != want {
			t.Errorf("host %s: %d", host, code)
		}
	}
	for _, other := range []string{"/../board.go", "/", "/x/",
		"/" + strings.Repeat("0", 32) + "/"} {
		if code, _, _ := get(t, address, address, other); code == 200 {
			t.Errorf("%s is served", other)
		}
	}
	if code, body, _ := get(t, address, address, "/page.css"); code != 200 ||
		!strings.Contains(body, "color-scheme") {
		t.Errorf("no style: %d", code)
	}
}
