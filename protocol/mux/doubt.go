package mux

import (
	"errors"
	"time"
)

// leastPatience is how long a link is silent at least, while something is due, before a client
// doubts it (RE7).
const leastPatience = time.Second

// LinkState is what a client's session has for a link.
type LinkState struct {
	Up       bool      // there is a link
	Doubtful bool      // it is silent although something is due (RE7), or it must be replaced (SE8)
	Heard    time.Time // when the last byte came, over this link or one before
	Cause    error     // why the last link was lost; nil if none was, or there is one now
	// Believed is how long a silent link is kept (SE6).
	Believed time.Duration
}

// LinkState is the state of the session's link now.
func (s *Session) LinkState() LinkState {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := LinkState{Up: s.link != nil, Heard: s.heard, Believed: s.deadAfter()}
	if !errors.Is(s.lostBy, errReplaced) { // a doubtful link is replaced because it is silent
		state.Cause = s.lostBy
	}
	if l := s.link; l != nil {
		state.Cause = nil // not that of a link before it
		if s.counts(l) {
			state.Heard = time.Unix(0, l.heard.Load())
		}
		state.Doubtful = l.doubtful.Load() || l.worn.Load()
	}
	return state
}

// Greeted is how many links a client's session has been let in on.
func (s *Session) Greeted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.greetings
}

// counts says whether a link tells something of the session: a client's does from its WELCOME on.
// One that was only tried does not make the daemon hold the session any longer. The caller holds
// mu.
func (s *Session) counts(l *link) bool { return l.greeted || !s.welcomed || s.cfg.Role == Daemon }

// LinkChanges has something to receive when LinkState may have changed since the last receive.
func (s *Session) LinkChanges() <-chan struct{} { return s.changes }

// changed lets whoever receives from LinkChanges look again.
func (s *Session) changed() {
	select {
	case s.changes <- struct{}{}:
	default: // somebody will look anyway
	}
}

// Probe asks the peer for a sign of life. A client's link that gives none becomes doubtful.
func (s *Session) Probe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.link; l != nil {
		l.pingDue = true
		s.work.Signal()
	}
}

// Abandon ends the session on this side alone: nobody tries for another link. The peer is not told.
func (s *Session) Abandon(why error) {
	s.mu.Lock()
	l := s.link
	s.end(why)
	s.mu.Unlock()
	if l != nil {
		l.close(why)
	}
}

// awaits says that a working link would bring something soon: the ACK of what was sent, or a PONG.
// The caller holds mu.
func (l *link) awaits() bool { return l.pinged || l.s.peerResend > 0 && l.s.acked < l.s.sent }

// expect has a client doubt the link if nothing comes from now on, though something is due. The
// caller holds mu.
func (l *link) expect() {
	doubts := l.s.cfg.Role == Client && l.s.cfg.Resend > 0
	if !doubts || l.expecting || !l.greeted || !l.awaits() {
		return
	}
	l.expecting, l.since = true, time.Now()
	if l.doubts == nil {
		l.doubts = time.AfterFunc(l.patience(), l.doubt)
	} else {
		l.doubts.Reset(l.patience())
	}
}

// patience is how long a link that works may be silent while something is due (RE7).
func (l *link) patience() time.Duration { return max(leastPatience, 2*l.trip) }

// doubt looks whether the link has been silent for too long.
func (l *link) doubt() {
	defer l.s.crashing()
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	l.expecting = false
	if l.stop || !l.awaits() {
		return
	}
	last := l.since
	if heard := time.Unix(0, l.heard.Load()); heard.After(last) {
		last = heard
	}
	if left := l.patience() - time.Since(last); left > 0 {
		l.expecting = true
		l.doubts.Reset(left)
		return
	}
	l.doubtful.Store(true)
	l.pingDue = true
	l.s.work.Signal()
	l.s.changed()
}

// trust is called when something has come over a doubtful link.
func (l *link) trust() {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	l.doubtful.Store(false)
	l.s.changed()
	l.expect()
}

// wear notes that a link has carried nearly as much as one TLS connection may (SE8): the client
// then replaces it.
func (l *link) wear(bytes int) {
	most := l.s.linkMost()
	if l.carried.Add(int64(bytes)) > most-most/16 && !l.worn.Swap(true) {
		l.s.changed()
	}
}

// linkMost is the most that one link carries each way, in bytes.
func (s *Session) linkMost() int64 {
	if s.cfg.LinkMost > 0 {
		return s.cfg.LinkMost
	}
	return linkMost
}

// pingAfter and deadAfter are the times of SE6, or the client's own.
func (s *Session) pingAfter() time.Duration {
	if s.cfg.PingAfter > 0 {
		return s.cfg.PingAfter
	}
	return pingAfter
}

func (s *Session) deadAfter() time.Duration {
	if s.cfg.Patience > 0 {
		return s.cfg.Patience
	}
	return deadAfter
}
