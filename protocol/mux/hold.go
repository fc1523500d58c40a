package mux

import (
	"cmp"
	"errors"
	"net"
	"time"
)

// Times of RE4. After FIN or RST a session is kept for killedHold, if the client's system
// acknowledged within killedAnswer before.
const (
	killedHold   = 10 * time.Second
	killedAnswer = 10 * time.Second
)

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

// keep ends a session that has lost its link after a time, unless another link comes. The caller
// holds mu.
func (s *Session) keep(hold time.Duration) {
	var timer *time.Timer
	timer = time.AfterFunc(hold, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.expiry == timer { // no link has come since
			s.end(ErrExpired)
		}
	})
	s.expiry = timer
}

// fellSilent distinguishes a link that was silent, or took nothing, from one that was closed or
// reset.
func fellSilent(cause error) bool {
	var timeout net.Error
	return errors.Is(cause, ErrSilent) || errors.As(cause, &timeout) && timeout.Timeout()
}
