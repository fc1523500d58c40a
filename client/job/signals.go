package job

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"minissh/client/atexit"
	"minissh/client/dial"
	"minissh/client/run"
	"minissh/protocol"
)

// catcher takes INT and TERM while a job without a terminal is shown. The first INT is the job's,
// and the next signal detaches; so does the first of whoever only looks, or has no link, and TERM,
// which is for us alone. One more ends this process.
type catcher struct {
	visit *visit
	c     chan os.Signal
	stop  chan struct{}

	mu    sync.Mutex // guards the rest
	count int
	code  int         // 128+n of the signal that detached us
	hangs *time.Timer // ends this process, if the daemon does not answer
}

func (v *visit) signals() *catcher {
	s := &catcher{visit: v, c: make(chan os.Signal, 4), stop: make(chan struct{})}
	signal.Notify(s.c, os.Interrupt, syscall.SIGTERM)
	v.conn.Watch(func(loss *dial.Loss) { v.conn.Announce(loss) })
	go func() {
		for {
			select {
			case sig := <-s.c:
				s.take(sig)
			case <-s.stop:
				return
			}
		}
	}()
	return s
}

func (s *catcher) release() {
	signal.Stop(s.c)
	close(s.stop)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hangs != nil {
		s.hangs.Stop()
	}
}

// detached is the exit code if a signal detached us, else 0.
func (s *catcher) detached() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.code
}

func (s *catcher) take(sig os.Signal) {
	v := s.visit
	looks := v.Collect || v.Watch || v.conn.Lost() != nil
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	switch {
	case s.code != 0:
		atexit.Exit(s.code)
	case !looks && s.count == 1 && sig == os.Interrupt:
		run.Escalate(v.ch, 1, run.NameOf(sig))
	default:
		s.code = atexit.Code(sig)
		code := s.code
		v.conn.Messages.Error(v.goesOn())
		s.hangs = time.AfterFunc(run.Farewell, func() { atexit.Exit(code) })
		go v.ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
	}
}
