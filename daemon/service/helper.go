package service

import (
	"sync/atomic"
	"time"

	"minissh/daemon/access"
	"minissh/daemon/logbook"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// helper is a helper process that works for one channel, and has an owner (RULES D7): watch ends it
// when it is late, and when nobody wants it any more. It works on a user's paths, which may hang;
// and the user's other processes may stop it.
type helper struct {
	*process.Process
	host    *Host
	who     *access.Client
	ch      *mux.Channel
	turn    func()        // ends the account's turn in starting helpers
	late    *time.Timer   // runs while somebody waits for the helper's own steps
	over    chan struct{} // closed by end
	watched chan struct{} // closed when watch has returned
	killed  bool          // by watch, which has returned
	needed  atomic.Bool   // also when its channel is gone
}

// startHelper starts a helper for a channel, by start, when it is the account's turn. Its first
// answer has HelperStart's time; the caller says answered then, and end in any case.
func (h *Host) startHelper(ch *mux.Channel, who *access.Client,
	start func() (*process.Process, error)) (*helper, *protocol.Reason) {
	turn, err := process.Turn(wanted(ch), who.Account)
	if err != nil {
		return nil, cancelled
	}
	p, err := start()
	if err != nil {
		turn()
		return nil, refusal(protocol.CodeStartFailed, err.Error())
	}
	started := &helper{
		Process: p, host: h, who: who, ch: ch, turn: turn,
		late: time.NewTimer(h.HelperStart), over: make(chan struct{}), watched: make(chan struct{}),
	}
	go started.watch()
	return started, nil
}

// answered says that the helper works now, and may take as long as the client likes.
func (h *helper) answered() {
	h.late.Stop()
	h.turn()
}

// letGo gives up a helper that goes on by itself: it is a job's keeper now.
func (h *helper) letGo() {
	h.late.Stop()
	h.turn()
	close(h.over)
	<-h.watched
	h.Close()
}

// shouldEnd says that the helper has nothing left to do but end.
func (h *helper) shouldEnd() { h.late.Reset(h.host.HelperGrace) }

// watch is the goroutine that owns the helper's end. When the channel is gone, the helper has
// HelperGrace to take what had come (FI10).
func (h *helper) watch() {
	defer close(h.watched)
	why := "it was late"
	select {
	case <-h.over:
		return
	case <-h.late.C:
	case <-h.ch.Gone():
		if h.needed.Load() {
			select {
			case <-h.over:
				return
			case <-h.late.C:
			}
			break
		}
		grace := time.NewTimer(h.host.HelperGrace)
		defer grace.Stop()
		select {
		case <-h.over:
			return
		case <-grace.C:
			why = "nobody wants it any more"
		}
	}
	h.killed = true
	args := []any{"pid", h.PID, "why", why}
	if left, _ := h.End(); len(left) > 0 {
		h.host.Log.Warn("Helper cannot be stopped for "+logbook.Name(h.who.User)+
			": it is left to itself", append(args, "left", left)...)
		return
	}
	h.host.Tally.Noted("Helper killed", h.who.User, h.who.Addr,
		"Helper killed for "+logbook.Name(h.who.User), args...)
}

// end waits until the helper has ended, by itself or not, and releases everything. It does not wait
// for a helper that cannot even be killed.
func (h *helper) end() {
	h.shouldEnd()
	select {
	case <-h.Done():
	case <-h.watched:
	}
	h.turn()
	close(h.over)
	<-h.watched
	h.Close()
}
