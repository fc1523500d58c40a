package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"minissh/cmd/minissh-lab/tape"
	"minissh/cmd/minissh-lab/tracer"
	"minissh/cmd/minissh-lab/web/taped"
)

// With strace, each send and each recv of both programs is seen, and the page guesses nothing.
func TestRecordWithStrace(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil || runtime.GOOS != "linux" {
		t.Skip("not run: needs strace")
	}
	if one, err := tracer.New(t.Context()); err != nil {
		t.Skip("not run: strace may not trace here")
	} else {
		one.Calls()
	}
	file := filepath.Join(t.TempDir(), "a.run")
	out := recordPython(t, file, "ls\nquit\n", []string{"ultimate_server.py"},
		[]string{"ultimate_client.py"}, "--strace")
	// recv(1024), twice; recv(4), recv(56), recv(1024)
	if !strings.Contains(out, "strace saw: → send: 1, recv: 2; ← send: 3, recv: 3") {
		t.Errorf("%s", out)
	}
	_, events, err := openRun(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range taped.New("", events, nil, false).Connections[0].Sides {
		if s.Guessed || !s.Seen {
			t.Errorf("%s: %+v", s.Name, s)
		}
		for _, e := range s.Events {
			if e.Kind == "recv" && e.Ask == 0 || e.At < 0 {
				t.Errorf("%s: %+v", s.Name, e)
			}
		}
	}
}

// Without strace, the lab says so and goes on.
func TestRecordWithoutStrace(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir())
	code, out, errOut := lab(t, "", "record", "--lang", "en", "--strace", "--between",
		"127.0.0.1:0", "127.0.0.1:1", "--", self, "-test.run=^$")
	if code != 0 || !strings.Contains(out, "sends and recvs are not seen") ||
		!strings.Contains(out, "server has ended (0)") {
		t.Errorf("code %d\n%s\n%s", code, out, errOut)
	}
}

// What is not all that was sent is not shown as if it were.
func TestPartOfTheCallsIsNotTrusted(t *testing.T) {
	tp := tape.New()
	n := tp.Connect()
	tp.Add(tape.Event{Conn: n, Kind: tape.Data, Way: tape.Up, Data: []byte("hello")})
	tp.AddCalls([]tape.Event{{Conn: n, At: time.Hour.Microseconds(), Kind: tape.Send,
		Way: tape.Up, Size: 4}, {Conn: n, At: time.Hour.Microseconds(), Kind: tape.Recv,
		Way: tape.Up, Size: 6, Ask: 1024}})
	// One that was made before the relay had accepted: no time on the page is negative.
	early := taped.New("", []tape.Event{{Conn: 1, At: 9, Kind: tape.Open},
		{Conn: 1, At: 12, Kind: tape.Data, Way: tape.Up, Data: []byte("x")},
		{Conn: 1, At: 5, Kind: tape.Send, Way: tape.Up, Size: 1}}, nil, false)
	if e := early.Connections[0].Sides[0].Events; len(e) != 1 || e[0].At != 0 {
		t.Errorf("%+v", e)
	}
	events, _ := tp.From(0)
	s := taped.New("", events, nil, false).Connections[0].Sides[0]
	if !s.Guessed || s.Seen || len(s.Events) != 1 || s.Events[0].To != 5 {
		t.Errorf("%+v", s)
	}
}
