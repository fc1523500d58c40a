package logbook

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// lines is a log that timers may write to.
type lines struct {
	mu   sync.Mutex // guards the rest
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// flood makes a source be refused so many times, and returns what is logged from now on.
func flood(times int, source string, tl *Tally, log *lines) string {
	from := len(log.String())
	for i := range times {
		tl.Refused(slog.LevelWarn, "Kind", source, fmt.Sprintf("from %s port %d", source, i),
			"Refused from "+source)
	}
	synctest.Wait()
	return log.String()[from:]
}

// A source fills thirty lines a minute, all together two hundred; the others are counted, and the
// count is told every ten seconds, with the last one's origin. Another kind has lines of its own.
func TestTally(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(lines)
		tl := NewTally(
			slog.New(slog.NewTextHandler(log,
				&slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
					if a.Key == slog.TimeKey {
						return slog.Attr{}
					}
					return a
				}})))
		count := func(n int, last string) string {
			return fmt.Sprintf("level=WARN msg=\"More of the same, without a line each\" "+
				"kind=Kind count=%d last=%q\n", n, last)
		}
		// after is what is logged within some time.
		after := func(d time.Duration) string {
			from := len(log.String())
			<-time.After(d)
			synctest.Wait()
			return log.String()[from:]
		}
		one := "level=WARN msg=\"Refused from a\"\n"
		if got := flood(1, "a", tl, log); got != one {
			t.Errorf("the first: %q", got)
		}
		if got := flood(3000, "a", tl, log); got != strings.Repeat(one, 29) {
			t.Errorf("3,000 more: %q", got)
		}
		if got := after(10*time.Second - 1); got != "" {
			t.Errorf("too early: %q", got)
		}
		if got := after(1); got != count(2971, "from a port 2999") {
			t.Errorf("after ten seconds: %q", got)
		}
		if got := after(time.Hour); got != "" {
			t.Errorf("nothing has come, and it tells %q", got)
		}
		if got := flood(1, "a", tl, log); got != one {
			t.Errorf("an hour later: %q", got)
		}
		lines := 1
		for i := range 5000 {
			lines += strings.Count(flood(1, fmt.Sprint("b", i), tl, log), "\n")
		}
		if lines != 200 {
			t.Errorf("5,000 sources fill %d lines", lines)
		}
		tl.Refused(slog.LevelInfo, "Other", "a", "", "Other")
		if got := log.String(); !strings.HasSuffix(got, "level=INFO msg=Other\n") {
			t.Error("another kind is not told at once")
		}
		// A flood without an end, over one minute: lines, and six counts.
		after(time.Minute)
		from := len(log.String())
		for range 60_000 {
			flood(1, "c", tl, log)
			<-time.After(time.Millisecond)
		}
		text := log.String()[from:]
		if lines, counts := strings.Count(text, "Refused from c"), strings.Count(text,
			"More of the same"); lines != 30 || counts != 5 {
			t.Errorf("a minute of it has %d lines and %d counts", lines, counts)
		}
		from = len(log.String())
		flood(40, "c", tl, log)
		tl.Close()
		if got := log.String()[from:]; !strings.HasSuffix(got, "last=\"from c port 39\"\n") {
			t.Errorf("the end tells %q", got)
		}
		if got := after(time.Minute); got != "" {
			t.Errorf("after the end: %q", got)
		}
	})
}

// One user fills 500 lines of a kind in a minute, and others' lines do not count with them.
func TestTallyOfUsers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(lines)
		tl := NewTally(slog.New(slog.NewTextHandler(log, nil)))
		for _, user := range []string{"mallory", "alice"} {
			for range 3000 {
				tl.Noted("Command ended", user, netip.AddrPort{}, "Command ended for "+user)
			}
			if lines := strings.Count(log.String(), "Command ended for "+user); lines != 500 {
				t.Errorf("%s has %d lines", user, lines)
			}
		}
		tl.Close()
		if text := log.String(); !strings.Contains(text,
			`kind="Command ended" count=5000 last="alice from unix socket"`) {
			t.Error(text[len(text)-200:])
		}
	})
}
