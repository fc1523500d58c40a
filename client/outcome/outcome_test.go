//go:build unix

package outcome_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"minissh/client/dial"
	"minissh/client/fakedaemon"
	"minissh/client/outcome"
	"minissh/client/report"
	"minissh/client/run"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

func TestMain(m *testing.M) { testend.Main(m) }

// recorded runs a command against a daemon, and returns what the file says of it.
func recorded(t *testing.T, f *fakedaemon.Fake, change func(*dial.Dialer)) (outcome.Record,
	string) {
	t.Helper()
	d, _ := f.Dialer(t)
	if change != nil {
		change(d)
	}
	path := filepath.Join(t.TempDir(), "outcome.json")
	os.WriteFile(path, bytes.Repeat([]byte("old "), 1000), 0o600)
	file, err := outcome.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(path); len(text) > 0 {
		t.Errorf("it is not emptied before the command: %q", text)
	}
	var out, errs bytes.Buffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		run.Command(context.Background(), d, run.Streams{Stdin: strings.NewReader("input"),
			Stdout: &out, Stderr: &errs, Result: file.Watch(d)}, nil)
	}()
	select {
	case <-done:
	case <-time.After(fakedaemon.Patience):
		t.Fatal("the client hangs")
	}
	for range 2 { // written once
		if err := file.Write(nil); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var r outcome.Record
	if err := json.Unmarshal(text, &r); err != nil || bytes.Count(text, []byte("\n")) != 1 {
		t.Fatalf("%s: %v", text, err)
	}
	return r, string(text)
}

// Of a command that has ended all is told.
func TestEnded(t *testing.T) {
	f := fakedaemon.New(t, func(g *fakedaemon.Guest) {
		g.Begin()
		g.Until(protocol.TypeEOF)
		g.Data(protocol.TypeStdout, "out")
		g.Data(protocol.TypeStderr, "error")
		g.End(`{"how":"exited","code":3,"duration_ms":1500,"user_ms":2,"system_ms":3,` +
			`"max_rss_kib":4}`)
	})
	before := time.Now()
	r, text := recorded(t, f, nil)
	started, err := time.Parse(time.RFC3339, r.Started)
	if err != nil || started.Before(before) || started.After(time.Now()) {
		t.Errorf("started %q: %v", r.Started, err)
	}
	if r.Code == nil || *r.Code != 3 {
		t.Errorf("code: %s", text)
	}
	r.Code, r.Started = nil, ""
	if r != (outcome.Record{Host: "fake", User: "tester", HostKey: keys.Fingerprint(f.Host.Public),
		How: "exited", Duration: 1500, UserTime: 2, System: 3, MaxRSS: 4, In: 5, Out: 3, Err: 5}) {
		t.Error(text)
	}
}

// Each kind of end has its words.
func TestClasses(t *testing.T) {
	exits := func(exit string) *fakedaemon.Fake { return fakedaemon.New(t, fakedaemon.Exits(exit)) }
	says := func(f func(*fakedaemon.Guest)) *fakedaemon.Fake { return fakedaemon.New(t, f) }
	closed := func(payload string) *fakedaemon.Fake {
		return says(func(g *fakedaemon.Guest) {
			g.Welcome()
			g.Until(protocol.TypeOpen)
			g.Say(protocol.TypeClose, 1, payload)
			g.Drain()
		})
	}
	for name, test := range map[string]struct {
		f             *fakedaemon.Fake
		change        func(*dial.Dialer)
		class         report.Class
		how, signal   string
		hostKey, done bool // known; started
	}{
		"a signal": {exits(`{"how":"signalled","signal":"TERM"}`), nil, "", "signalled", "TERM",
			true, true},
		"a deadline": {exits(`{"how":"deadline","signal":"HUP"}`), nil, report.ClassDeadline,
			"deadline", "HUP", true, true},
		"no outcome": {exits(`{"how":"exited"}`), nil, report.ClassInternal, "exited", "", true, true},
		"it was not started": {closed(`{"code":"start_failed","message":"x"}`), nil,
			report.ClassRefused, "", "", true, true},
		"it may not": {closed(`{"code":"service_refused","message":"x"}`), nil,
			report.ClassRefused, "", "", true, true},
		"given up": {closed(`{"code":"internal","message":"x"}`), nil,
			report.ClassInternal, "", "", true, true},
		"the link is lost": {says(func(g *fakedaemon.Guest) { g.Begin() }), nil,
			report.ClassLost, "", "", true, true},
		"the daemon is stopped": {says(func(g *fakedaemon.Guest) {
			g.Begin()
			g.Say(protocol.TypeGoodbye, 0, `{"code":"shutting_down","message":"x"}`)
			g.Drain()
		}), nil, report.ClassLost, "", "", true, true},
		"no key": {says(fakedaemon.Refuse(`{"code":"key_not_authorized","message":"x"}`)), nil,
			report.ClassAuth, "", "", true, false},
		"no key here": {exits(`{}`), func(d *dial.Dialer) { d.Options.IdentityFiles = nil },
			report.ClassAuth, "", "", false, false},
		"too many": {says(fakedaemon.Refuse(`{"code":"too_many_sessions","message":"x"}`)), nil,
			report.ClassRefused, "", "", true, false},
		"an unknown host": {exits(`{}`), fakedaemon.Forget, report.ClassHostKey, "", "", false, false},
		"nobody": {exits(`{}`), func(d *dial.Dialer) { d.Options.Port = 1 },
			report.ClassUnreachable, "", "", false, false},
		"no such name": {exits(`{}`), func(d *dial.Dialer) { d.Options.HostName = "nowhere.invalid" },
			report.ClassUnreachable, "", "", false, false},
		"too long": {exits(`{}`), func(d *dial.Dialer) {
			d.Options.Command = []string{strings.Repeat("x", protocol.MaxLength+1)}
		}, report.ClassUsage, "", "", true, false},
	} {
		r, text := recorded(t, test.f, test.change)
		if r.Failure != test.class || r.How != test.how || r.Signal != test.signal ||
			(r.HostKey != "") != test.hostKey || (r.Started != "") != test.done ||
			(test.class != "" && test.class != report.ClassDeadline) != (r.Message != "") {
			t.Errorf("%s: %s", name, text)
		}
		fakedaemon.Plain(t, text)
	}
}

// What is not a regular file is refused, without waiting and untouched, and so is what cannot be
// made.
func TestWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	pipe, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "link")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("not run: needs mkfifo: ", err)
	}
	os.Symlink(pipe, link)
	for _, path := range []string{pipe, link, dir, "/dev/null", filepath.Join(dir, "no", "file")} {
		_, err := outcome.Create(path)
		if err == nil || report.Hint(err) == "" || report.ClassOf(err, false) != report.ClassUsage {
			t.Errorf("%s: %v", path, err)
		}
	}
	if file, err := outcome.Create(""); file != nil || err != nil || file.Write(nil) != nil ||
		file.Watch(nil) != nil {
		t.Errorf("%v, %v", file, err)
	}
}

// Each link that was lost counts, whatever came of the session.
func TestLostLinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		links, seen := make(chan *fakedaemon.Link, 8), make(seen, 8)
		net := fakedaemon.NewNetwork(t, func(ch *mux.Channel) {
			fakedaemon.Begin(ch, "")
			for range 2 {
				ch.Write(protocol.TypeStdout, []byte("x"))
				<-seen // over this link
				(<-links).Close()
			}
			ch.Write(protocol.TypeStdout, []byte("x"))
			<-seen
			fakedaemon.Exited(ch, 0)
		})
		net.Link = func(_ int, l *fakedaemon.Link) error { links <- l; return nil }
		net.Dialer.Options.Command = []string{"x"}
		path := filepath.Join(t.TempDir(), "outcome.json")
		file, err := outcome.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if code := run.Command(t.Context(), net.Dialer, run.Streams{Stdout: seen,
			Stderr: io.Discard, Result: file.Watch(net.Dialer)}, nil); code != 0 {
			t.Errorf("exit code %d: %s", code, net.Said)
		}
		file.Write(nil)
		text, _ := os.ReadFile(path)
		if !strings.Contains(string(text), `"links_lost":2}`) {
			t.Errorf("%s", text)
		}
	})
}

// seen tells of writes.
type seen chan struct{}

func (s seen) Write(p []byte) (int, error) {
	s <- struct{}{}
	return len(p), nil
}
