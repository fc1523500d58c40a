package fanout

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"minissh/client/atexit"
	"minissh/protocol"
)

// confirmWithin is how long the ends of all commands are waited for, once the user wants them. A
// daemon gives a command 5 s after the first request, and must tell of its death (CH9, EX7).
const confirmWithin = 15 * time.Second

// catcher takes signals. On a terminal the first Ctrl-C tells what runs where, the second stops all
// and waits until each host has confirmed it, the third leaves. Where nobody reads that, and with
// TERM and HUP, the first stops all.
type catcher struct {
	f      *fleet
	c      chan os.Signal
	stop   chan struct{}
	ready  sync.WaitGroup
	forget func()

	mu    sync.Mutex // guards the rest
	count int
	code  int // 128+n, once all are to stop
}

func (f *fleet) catch() *catcher {
	s := &catcher{f: f, c: make(chan os.Signal, 4), stop: make(chan struct{})}
	if !isTerminal(f.Stderr) {
		s.count = 1
	}
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(sig) {
			signal.Notify(s.c, sig)
		}
	}
	signal.Notify(s.c, syscall.SIGPIPE) // whoever writes learns of it
	s.forget = atexit.Do(f.leaving)
	s.ready.Go(func() {
		for {
			select {
			case sig := <-s.c:
				if sig != syscall.SIGPIPE {
					s.take(sig)
				}
			case <-s.stop:
				return
			}
		}
	})
	return s
}

// release takes no more signals, and returns the code of those that came; 0: none ended anything.
func (s *catcher) release() int {
	s.forget()
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
	if sig != os.Interrupt {
		s.count = max(s.count, 2)
	}
	switch {
	case s.code != 0:
		atexit.Exit(s.code) // leaving has the last word
	case s.count == 1:
		f.tellRunning()
		f.screen.say("Ctrl-C once more stops all of it")
		return
	}
	s.code = atexit.Code(sig)
	f.stopAll("you stopped it")
	f.screen.say("stopping all; Ctrl-C leaves without waiting")
	code := s.code
	time.AfterFunc(confirmWithin, func() {
		names := f.unfinished()
		if len(names) == 0 {
			return
		}
		f.screen.say("after %s not confirmed to have ended: %s",
			protocol.ExactlyInWords(confirmWithin), folded(names))
		f.giveUp()
		time.AfterFunc(time.Second, func() {
			if !f.served.Load() { // who reads our output may hold us up
				atexit.Exit(code)
			}
		})
	})
}

// leaving is for an end of this process while commands run: they are asked to end, and what has not
// confirmed that in a moment is told. It waits for nobody.
func (f *fleet) leaving() {
	if f.served.Load() {
		return
	}
	f.quits.Store(true)
	f.stopAll("you stopped it")
	for range 8 {
		if len(f.unfinished()) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	if names := f.unfinished(); len(names) > 0 && !f.Quiet {
		os.Stderr.WriteString("\nminissh: asked to end, and not confirmed to have ended: " +
			folded(names) + "\n")
	}
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

// stopAll begins nothing more, and asks for the end of all that runs.
func (f *fleet) stopAll(why string) {
	f.halt(why)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopping() {
		return
	}
	close(f.ending)
	for _, h := range f.hosts {
		if h.state == stateRunning {
			stop(h.ch)
		}
	}
	f.cancel() // logins, and Do
}

// stopping says whether all are to end.
func (f *fleet) stopping() bool {
	select {
	case <-f.ending:
		return true
	default:
		return false
	}
}

// giveUp ends the sessions of the commands whose end was not confirmed.
func (f *fleet) giveUp() {
	for _, h := range f.hosts {
		if conn := h.conn.Load(); conn != nil {
			go conn.Session.Close(nil)
		}
	}
}
