package fanout

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"minissh/client/atexit"
	"minissh/client/nodeset"
	"minissh/client/terminal"
	"minissh/protocol"
)

// confirmWithin is how long the ends of all commands are waited for, once the user wants them. A
// daemon gives a command 5 s after the first request, and must tell of its death (CH9, EX7).
const confirmWithin = 15 * time.Second

// catcher takes INT and TERM. On a terminal the first Ctrl-C tells what runs where, the second
// stops all and waits until each host has confirmed it, the third leaves. Where nobody reads that,
// and with TERM, the first stops all.
type catcher struct {
	f     *fleet
	c     chan os.Signal
	stop  chan struct{}
	ready sync.WaitGroup

	mu    sync.Mutex // guards the rest
	count int
	code  int // 128+n, once all are to stop
}

func (f *fleet) catch() *catcher {
	s := &catcher{f: f, c: make(chan os.Signal, 4), stop: make(chan struct{})}
	if !isTerminal(f.Stderr) {
		s.count = 1
	}
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		if !signal.Ignored(sig) {
			signal.Notify(s.c, sig)
		}
	}
	s.ready.Go(func() {
		for {
			select {
			case sig := <-s.c:
				s.take(sig)
			case <-s.stop:
				return
			}
		}
	})
	return s
}

// release takes no more signals, and returns the code of those that came; 0: none ended anything.
func (s *catcher) release() int {
	signal.Stop(s.c)
	close(s.stop)
	s.ready.Wait()
	return s.code
}

func (s *catcher) take(sig os.Signal) {
	f := s.f
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	if sig == syscall.SIGTERM {
		s.count = max(s.count, 2)
	}
	running := terminal.Printable(nodeset.Of(f.unfinished()...).Fold())
	switch {
	case s.code != 0:
		f.screen.end()
		f.screen.say("not confirmed to have ended: %s", running)
		atexit.Exit(s.code)
	case s.count == 1:
		f.tellRunning()
		f.screen.say("Ctrl-C once more stops all of it")
		return
	}
	s.code = atexit.Code(sig)
	f.screen.say("stopping all; Ctrl-C leaves without waiting")
	f.stopAll()
	code := s.code
	time.AfterFunc(confirmWithin, func() {
		names := f.unfinished()
		if len(names) == 0 {
			return
		}
		f.screen.end()
		f.screen.say("after %s not confirmed to have ended: %s",
			protocol.ExactlyInWords(confirmWithin),
			terminal.Printable(nodeset.Of(names...).Fold()))
		f.giveUp()
		time.AfterFunc(time.Second, func() { atexit.Exit(code) })
	})
}

// unfinished are the hosts that have begun and not ended.
func (f *fleet) unfinished() (names []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, h := range f.hosts {
		if h.state != stateWaiting && h.state != stateEnded {
			names = append(names, h.name)
		}
	}
	return names
}

// tellRunning tells what runs where, and since when.
func (f *fleet) tellRunning() {
	f.mu.Lock()
	names := map[string][]string{}
	var oldest time.Time
	for _, h := range f.hosts {
		what := map[state]string{stateWaiting: "waiting for their turn",
			stateConnecting: "connecting", stateAsking: "waiting for your answer",
			stateRunning: "running"}[h.state]
		if h.state == stateRunning {
			if h.conn.Lost() != nil {
				what = "running without a link"
			}
			if oldest.IsZero() || h.began.Before(oldest) {
				oldest = h.began
			}
		}
		names[what] = append(names[what], h.name)
	}
	f.mu.Unlock()
	for _, what := range []string{"running", "running without a link", "connecting",
		"waiting for your answer", "waiting for their turn"} {
		all := names[what]
		if len(all) == 0 {
			continue
		}
		since := ""
		if what == "running" {
			since = " for " + protocol.InWords(time.Since(oldest))
		}
		f.screen.say("%d %s%s: %s", len(all), what, since,
			terminal.Printable(nodeset.Of(all...).Fold()))
	}
}

// stopAll begins nothing more, and asks for the end of all that runs.
func (f *fleet) stopAll() {
	f.halt("you stopped it")
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = true
	for _, h := range f.hosts {
		if h.state == stateRunning {
			h.stop()
		}
	}
	f.cancel() // logins
}

// giveUp ends the sessions of the commands whose end was not confirmed.
func (f *fleet) giveUp() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, h := range f.hosts {
		if h.state == stateRunning {
			go h.conn.Session.Close(nil)
		}
	}
}
