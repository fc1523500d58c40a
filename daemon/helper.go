package daemon

import (
	"time"

	"minissh/daemon/process"
	"minissh/protocol/mux"
)

// helper is a helper process that works for one channel, and has an owner (RULES D7): watch ends it
// when it is late, and when nobody wants it any more. What it touches are a user's paths, which may
// hang; and the user's other processes may stop it.
type helper struct {
	*process.Process
	s       *Server
	who     *peer
	ch      *mux.Channel
	late    *time.Timer   // runs while somebody waits for the helper's own steps
	over    chan struct{} // closed by end
	watched chan struct{} // closed when watch has returned
}

// startHelper starts a helper for a channel. Its first answer has HelperStart's time; the caller
// says answered then, and end in any case.
func (s *Server) startHelper(ch *mux.Channel, who *peer, verb string) (*helper, error) {
	p, err := process.StartSelf(who.account, verb)
	if err != nil {
		return nil, err
	}
	h := &helper{
		Process: p, s: s, who: who, ch: ch,
		late: time.NewTimer(s.opts.HelperStart), over: make(chan struct{}), watched: make(chan struct{}),
	}
	go h.watch()
	return h, nil
}

// answered says that the helper works now: how long that takes is for the client to say, who can
// end it at any time.
func (h *helper) answered() { h.late.Stop() }

// shouldEnd says that nothing is left to do but to end.
func (h *helper) shouldEnd() { h.late.Reset(h.s.opts.HelperGrace) }

// watch is the goroutine that owns the helper's end. When the channel is gone the helper may still
// take what had come (FI10), for HelperGrace's time.
func (h *helper) watch() {
	defer close(h.watched)
	why := "it was late"
	select {
	case <-h.over:
		return
	case <-h.late.C:
	case <-h.ch.Gone():
		grace := time.NewTimer(h.s.opts.HelperGrace)
		defer grace.Stop()
		select {
		case <-h.over:
			return
		case <-grace.C:
			why = "nobody wants it any more"
		}
	}
	args := []any{"pid", h.PID, "why", why}
	if left, _ := h.End(); len(left) > 0 {
		h.s.log.Warn("Helper cannot be stopped for "+logName(h.who.user)+": it is left to itself", append(args, "left", left)...)
		return
	}
	h.s.tally.noted("Helper killed", h.who, "Helper killed for "+logName(h.who.user), args...)
}

// end waits until the helper has ended, by itself or not, and gives everything back. One that cannot
// even be killed is not waited for.
func (h *helper) end() {
	h.shouldEnd()
	select {
	case <-h.Done():
	case <-h.watched:
	}
	close(h.over)
	<-h.watched
	h.Close()
}
