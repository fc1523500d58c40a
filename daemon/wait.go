package daemon

import (
	"errors"
	"log/slog"
	"time"

	"minissh/daemon/access"
	"minissh/daemon/audit"
	"minissh/daemon/control"
	"minissh/daemon/logbook"
	"minissh/protocol/mux"
	"minissh/protocol/transport"
)

// wait is what a daemon does about a session that has lost its link and waits for its client (RE4):
// it says so in the log, and counts the memory that the session keeps. The session's lock guards
// its fields.
type wait struct {
	s     *Server
	place *access.Place
	visit *control.Visit
	user  string
	over  func()       // gives back what is counted
	last  *mux.Waiting // the wait that began last
}

// givenUp is why a session does not wait as long as it could: for the log.
type givenUp struct{ why string }

func (g *givenUp) Error() string { return g.why }
func (g *givenUp) Unwrap() error { return mux.ErrExpired }

// linkLines is the kind of all lines about links that come and go: whoever makes the log long by
// them has one kind's share of it.
const linkLines = "Link"

// begins is called with the session's lock held.
func (w *wait) begins(session *mux.Session, waiting *mux.Waiting) {
	addr := w.visit.From()
	what := "Link lost "
	if waiting.Why == mux.ErrSpared {
		what = "Session waits on "
	}
	w.s.opts.Audit.Note("link lost", w.audited(), "reason", waiting.Why.Error(), "held_until",
		waiting.Until.Format(time.RFC3339))
	w.s.tally.Noted(linkLines, w.user, addr, what+logbook.From(addr), "user", w.user,
		"reason", waiting.Why.Error(), "held_until", waiting.Until.Format(time.RFC3339),
		"bytes", waiting.Bytes)
	w.last = waiting
	var tooMuch []func()
	w.over, tooMuch = w.place.Hold(waiting.Bytes, func(why string) bool {
		return session.Expire(waiting, &givenUp{why})
	})
	for _, end := range tooMuch {
		w.s.conns.Go(end) // for the session's lock
	}
	if w.s.isStopping() { // nobody can come back
		w.s.conns.Go(func() { session.Close(stoppingReason()) })
	}
}

// ends is called with the session's lock held.
func (w *wait) ends(ended error) {
	w.over()
	addr := w.visit.From()
	why, early := errors.AsType[*givenUp](ended)
	if ended != nil {
		w.s.opts.Audit.Note("session ended", w.audited(), "reason", ended.Error())
	}
	switch {
	case early:
		w.s.tally.Refused(slog.LevelWarn, "Session given up", w.user, w.user,
			"Session given up for "+logbook.Name(w.user)+" "+logbook.From(addr)+": "+why.Error(),
			"bytes", w.last.Bytes, "since", w.last.Since.Format(time.RFC3339))
	case errors.Is(ended, mux.ErrExpired):
		w.s.tally.Noted(linkLines, w.user, addr, "Session expired "+logbook.From(addr),
			"user", w.user, "reason", "its client did not come back")
	}
}

// audited is the client as it is known.
func (w *wait) audited() *audit.Who {
	who := w.visit.First.Audited(true)
	who.Addr = w.visit.From()
	return who
}

// newLink is a connection that is about to become the link of a session, perhaps not the first one.
type newLink struct {
	*transport.Conn
	a     *arrival
	visit *control.Visit
}

// BecomesLink implements mux.Noticing.
func (l newLink) BecomesLink() {
	if l.visit.Arrives(l.a.who) > 1 {
		l.a.who.Session = l.visit.Number()
		l.a.s.opts.Audit.Note("resumed", l.a.who.Audited(true))
		l.a.s.tally.Noted(linkLines, l.a.who.User, l.a.addr, "Resumed "+logbook.From(l.a.addr),
			"user", l.a.who.User)
	}
}
