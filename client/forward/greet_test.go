package forward

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"minissh/client/dial"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
)

// Silent SOCKS clients on the other side hold half of the channels for long, and no more; one that
// has said what it wants stays.
func TestGreeting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &greeting{most: 4}
		ended := make(chan int, 10)
		var leave []func() bool
		for i := range 10 {
			leave = append(leave, g.enter(func() { ended <- i }))
		}
		if !leave[0]() || !leave[9]() {
			t.Error("one that is in time is too late")
		}
		at := func(after time.Duration, want int) {
			t.Helper()
			<-time.After(after)
			synctest.Wait()
			if len(ended) != want {
				t.Errorf("after %v more: %d have been ended, not %d", after, len(ended), want)
			}
		}
		at(hurried-1, 0)
		at(1, 5)
		if leave[1]() {
			t.Error("one whose time is over is in time")
		}
		at(greetTime-hurried-1, 5)
		at(1, 8)
		if g.enter(func() {})(); len(g.slow) != 3 {
			t.Errorf("%d are kept", len(g.slow))
		}
	})
}

// A daemon that allows a million channels does not get as many connections from here.
func TestChannels(t *testing.T) {
	for said, want := range map[int]int{1: 16, 64: 64, 1 << 40: 1024} {
		f := &Forwards{conn: &dial.Connection{Welcome: &protocol.Welcome{Channels: said}}}
		if got := f.channels(); got != want {
			t.Errorf("%d allowed: %d", said, got)
		}
	}
}

// Whoever makes each connection fail in another way does not fill the screen.
func TestToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said strings.Builder
		o := &options.Options{LogLevel: options.LevelInfo}
		f := &Forwards{told: map[string]time.Time{},
			conn: &dial.Connection{Options: o, Messages: report.New(&said, o)}}
		for i := range 1000 {
			f.tell(fmt.Sprintf("target %d", i))
			f.tell("target 0")
		}
		if lines := strings.Count(said.String(), "\n"); lines != mostTold ||
			!strings.Contains(said.String(), "target 0\n") || len(f.told) > mostTold {
			t.Errorf("%d lines, %d kept:\n%.2000s", lines, len(f.told), said.String())
		}
		<-time.After(quietFor + 1)
		if f.tell("later"); !strings.HasSuffix(said.String(), "later\n") {
			t.Errorf("nothing is told any more")
		}
	})
}
