package daemon

import (
	"sync"
	"time"

	"minissh/protocol"
	"minissh/protocol/mux"
)

// expireIdle ends a session by GOODBYE when no session frame has come or gone for IdleTimeout: signs of life do not
// count, and neither does what runs in silence. stop ends the watch, and waits for an end that is under way.
func (s *Server) expireIdle(session *mux.Session, who *peer) (stop func()) {
	most := s.opts.IdleTimeout
	if most <= 0 {
		return func() {}
	}
	w := &idleWatch{began: time.Now()}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(most, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.stopped {
			return
		}
		idle := time.Since(w.began)
		if last := session.Traffic().Last; last.After(w.began) {
			idle = time.Since(last)
		}
		if idle < most {
			w.timer.Reset(most - idle)
			return
		}
		s.log.Info("Session ended for "+logName(who.user)+" "+from(who.addr)+": idle", "idle", idle.Round(time.Second).String())
		session.Close(&protocol.Reason{Code: protocol.CodeIdleTimeout, Message: "nothing was sent either way for " + most.String()})
	})
	return func() {
		w.timer.Stop()
		w.mu.Lock()
		defer w.mu.Unlock()
		w.stopped = true
	}
}

// idleWatch is the watch over one session's link.
type idleWatch struct {
	began time.Time

	mu      sync.Mutex // held while the timer's function runs; guards the rest
	timer   *time.Timer
	stopped bool // the link is gone
}
