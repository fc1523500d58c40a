package prompt

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"minissh/client/editor"
	"minissh/client/fakedaemon"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

// Ctrl-C gives up a line whose link is lost. One that was never sent is taken back; the daemon
// learns of another when the link is back. The prompt goes on, over the same session.
func TestLinesWithoutLink(t *testing.T) {
	var down atomic.Bool
	began, cancelled := make(chan string, 10), make(chan bool, 10)
	net := fakedaemon.NewNetwork(t, func(ch *mux.Channel) {
		line := string(ch.Request().Command)
		began <- line
		fakedaemon.Begin(ch, "")
		if line == "sleep" {
			<-ch.Gone()
			cancelled <- !ch.SessionEnded()
		}
		fakedaemon.Exited(ch, 3)
	})
	net.Link = func(int, *fakedaemon.Link) error {
		if down.Load() {
			return errors.New("the network is down")
		}
		return nil
	}
	conn, err := net.Dialer.Dial(t.Context(), func(*mux.Session) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Session.Close(nil)
	r := &runner{conn: conn, notes: make(chan string, 1)}
	r.watchLink()
	result := make(chan error, 1)
	begin := func(ctx context.Context, line string) {
		go func() {
			_, err := r.Run(ctx, line, io.Discard, io.Discard)
			result <- err
		}()
	}
	givenUp := func(words string) {
		t.Helper()
		var line *editor.LineError
		if err := <-result; !errors.As(err, &line) || !strings.Contains(err.Error(), words) {
			t.Errorf("%v", err)
		}
	}
	cut := func(line string) {
		t.Helper()
		if <-began != line {
			t.Error("another line began")
		}
		down.Store(true)
		for _, l := range net.Links() {
			l.Close()
		}
		testend.Until(t, "the client notices", func() bool { return conn.Lost() != nil })
	}

	begin(t.Context(), "sleep")
	cut("sleep")
	r.Interrupt(1)
	givenUp("given up; fake learns that when the link is back. If it does not come back, the " +
		"line is stopped at the latest when the session has been without one for ")
	begin(t.Context(), "rm")
	testend.Until(t, "the line waits", r.running)
	r.Interrupt(1)
	givenUp("the line was not sent")
	ctx, end := context.WithCancel(t.Context())
	begin(ctx, "rm also")
	end()
	givenUp("the line was not sent")
	if note := <-r.notes; !strings.HasPrefix(note, "link to fake lost ") {
		t.Errorf("%q", note)
	}

	down.Store(false)
	conn.Hurry()
	begin(t.Context(), "true")
	if err := <-result; err != nil {
		t.Error(err)
	}
	if !<-cancelled || <-began != "true" {
		t.Error("what was given up went on, or what was not sent began")
	}
	if note := <-r.notes; note != "" {
		t.Errorf("%q", note)
	}
	if loss := conn.Lost(); loss != nil {
		t.Errorf("%v after %v", loss, time.Since(loss.Since))
	}
}

// A message is for a line that runs: it would be in the middle of one that is edited.
func TestLinkAnnounced(t *testing.T) {
	for _, c := range []struct{ runs, down, told, says bool }{
		{true, true, false, true},
		{true, false, true, true},
		{true, false, false, false},
		{false, true, false, false},
		{false, false, true, false}, // the line was given up
	} {
		r := &runner{}
		if c.runs {
			r.ch = new(mux.Channel)
		}
		r.down.Store(c.down)
		if r.announces(c.told) != c.says {
			t.Errorf("%+v", c)
		}
	}
}
