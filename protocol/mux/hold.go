package mux

import (
	"cmp"
	"errors"
	"net"
	"time"

	"minissh/protocol"
)

// Times of RE4. After FIN or RST a session is kept for killedHold, if the client's system
// acknowledged within killedAnswer before.
const (
	killedHold   = 10 * time.Second
	killedAnswer = 10 * time.Second
)

// lost notes that a link is gone: the session ends, or waits for the next one (SE5, RE4).
func (s *Session) lost(l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link != l {
		return
	}
	if s.link = nil; s.counts(l) {
		s.lostBy, s.heard = l.cause, time.Unix(0, l.heard.Load())
	}
	s.changed()
	if s.ended != nil {
		return
	}
	if !s.resumable() {
		var remote *protocol.RemoteError
		if errors.As(l.cause, &remote) {
			s.end(l.cause)
		} else {
			s.end(&LinkLost{Cause: l.cause, Within: believed(l.stopNoted)})
		}
		return
	}
	if s.cfg.Role == Daemon && !errors.Is(l.cause, errReplaced) {
		now := time.Now()
		s.keep(&Waiting{Since: now, Until: now.Add(l.hold()), Why: l.cause})
	}
}

// hold is how long a daemon keeps the session of a link that is lost (RE4). A killed client gives
// FIN or RST, and so does a living one that has made a new link, which comes at once. But a NAT box
// sends RST for a laptop that sleeps. The caller holds mu.
func (l *link) hold() time.Duration {
	if fellSilent(l.cause) || errors.Is(l.cause, errWorn) || !l.answered {
		return l.s.hold
	}
	return min(l.s.hold, cmp.Or(l.s.cfg.Killed, killedHold))
}

// hasAnswered says whether the client's system acknowledged lately, and true if nobody knows. It
// must be asked while the connection is open.
func (l *link) hasAnswered() bool {
	conn, ok := l.conn.(Answering)
	return !ok || !conn.AnswersKnown() || conn.PeerAnswers(killedAnswer)
}

// Waiting is a daemon's session that has lost its link and waits for another one (RE4).
type Waiting struct {
	Since, Until time.Time
	Why          error // it was lost; or ErrSpared
	// Bytes is the memory that the session takes: frames that may be sent again, and data that the
	// applications have not taken. Without a link neither grows.
	Bytes int64
}

// keep ends a session that has lost its link after a time, unless another link comes. The caller
// holds mu.
func (s *Session) keep(w *Waiting) {
	w.Bytes = s.memory()
	s.waiting = w
	s.expiry = time.AfterFunc(time.Until(w.Until), func() { s.Expire(w, ErrExpired) })
	if s.cfg.Waits != nil {
		s.cfg.Waits(w)
	}
}

// Spare has a daemon's session wait for as long as was granted, since its client has shown that it
// was not killed: it has come, and was refused for a reason that may pass (RE4).
func (s *Session) Spare() {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.waiting
	if w == nil {
		return
	}
	if until := w.Since.Add(s.hold); until.After(w.Until) {
		s.waited(nil)
		s.keep(&Waiting{Since: w.Since, Until: until, Why: ErrSpared})
	}
}

// Expire ends a session that waits, as if the time of its hold were over: its daemon needs the
// memory, say. why is ErrExpired, or wraps it. False: that wait is over already.
func (s *Session) Expire(w *Waiting, why error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting != w {
		return false
	}
	s.end(why)
	return true
}

// waited notes that a session waits no longer, because of a link or its end. The caller holds mu.
func (s *Session) waited(ended error) {
	if s.waiting == nil {
		return
	}
	s.expiry.Stop()
	s.expiry, s.waiting = nil, nil
	if s.cfg.Comes != nil {
		s.cfg.Comes(ended)
	}
}

// frameCost is about what a kept frame costs beside its bytes.
const frameCost = 40

// memory is what a session without a link keeps, in bytes. The caller holds mu.
func (s *Session) memory() int64 {
	n := s.keptBytes + frameCost*int64(s.kept.len())
	for i := range s.control.len() {
		n += int64(len(s.control.at(i).frame))
	}
	for _, c := range s.channels {
		n += c.inbox.memory()
	}
	return n
}

// fellSilent distinguishes a link that was silent, or took nothing, from one that was closed or
// reset.
func fellSilent(cause error) bool {
	var timeout net.Error
	return errors.Is(cause, ErrSilent) || errors.As(cause, &timeout) && timeout.Timeout()
}
