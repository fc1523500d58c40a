package main

import (
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"minissh/cmd/minissh-lab/tape"
	"minissh/cmd/minissh-lab/web"
	"minissh/protocol/testend"
)

// askPage gets the recorded run as the page of this link does.
func askPage(t *testing.T, link string) string {
	t.Helper()
	before, token, _ := strings.Cut(link, "#token=")
	token, ok := strings.CutSuffix(token, "&recorded=1&lang=en")
	if !ok {
		t.Fatalf("the link is %q", link)
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", before+"api/recorded", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(web.TokenHeader, token)
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
	return string(text)
}

// The page shows a run while it grows, and saved ones beside each other.
func TestRecordInTheWeb(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file := filepath.Join(t.TempDir(), "mine.run")
	at, printed, stop := startRecord(t, "--web", "--save", file, "--between", "127.0.0.1:0",
		l.Addr().String())
	link := "http://" + printed.until(t, "http://")
	if text := askPage(t, link); !strings.Contains(text, `"connections":[],`) ||
		!strings.Contains(text, `"grows":true`) {
		t.Errorf("before: %s", text)
	}
	client, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server := testend.Accept(t, l)
	io.WriteString(client, "ls")
	if _, err := io.ReadFull(server, make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	if text := askPage(t, link); !strings.Contains(text, `"bytes":"bHM="`) {
		t.Errorf("while it grows: %s", text)
	}
	if code := stop(); code != 0 {
		t.Errorf("code %d", code)
	}
	_, printed, stop = startRecord(t, "--web", "--open", file, "--beside", file)
	text := askPage(t, "http://"+printed.until(t, "http://"))
	if strings.Count(text, `"title":"\"mine\""`) != 2 || !strings.Contains(text, `"grows":false`) {
		t.Errorf("saved: %s", text)
	}
	if code := stop(); code != 0 {
		t.Errorf("code %d", code)
	}
}

// The page stays when the programs have ended, and has the whole run.
func TestPageOutlivesTheRun(t *testing.T) {
	tp := tape.New()
	r := recording{save: "a"}
	r.relay.Tape = tp
	n := tp.Connect()
	tp.Add(tape.Event{Conn: n, Kind: tape.Data, Way: tape.Up, Data: []byte("x")})
	runs, grows := r.growing()
	if !grows || len(runs[0].Connections) != 1 {
		t.Errorf("%v, %+v", grows, runs)
	}
	tp.Close()
	testend.Until(t, "it does not grow", func() bool { _, grows := r.growing(); return !grows })
	if runs, _ := r.growing(); len(runs[0].Connections[0].Sides[0].Bytes) != 1 {
		t.Errorf("%+v", runs)
	}
}
