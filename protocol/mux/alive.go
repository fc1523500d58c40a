package mux

import "time"

// Read takes every byte for a sign of life (P7.11). When it came is noted ahead of the next Read: what has come is waited for, and asking the time takes
// some.
func (l *link) Read(p []byte) (int, error) {
	if l.brought {
		now := time.Now().UnixNano()
		if l.heard.Store(now); l.counted {
			l.s.active.Store(now)
		}
	}
	n, err := l.conn.Read(p)
	if l.brought, l.counted = n > 0, false; l.brought {
		l.s.in.Add(int64(n))
	}
	return n, err
}

// keepAlive sends PING after 15 seconds of silence and gives the link up after 45, unless the client is just suspended (P7.11).
func (l *link) keepAlive() {
	defer l.s.crashing()
	l.s.mu.Lock()
	late := time.Since(l.again) > pingAfter
	l.s.mu.Unlock()
	if late { // we were stopped ourselves: what came meanwhile has not been read yet
		l.heard.Store(time.Now().Add(-pingAfter).UnixNano())
	}
	silence := time.Since(time.Unix(0, l.heard.Load()))
	if silence >= deadAfter && !l.suspended() {
		l.close(ErrSilent)
		return
	}
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if l.stop {
		return
	}
	wait := pingAfter
	switch {
	case silence < pingAfter:
		wait -= silence
	case silence < deadAfter: // two in all: more would fill a suspended client's socket
		l.pingDue = true
		l.s.work.Signal()
		wait = min(pingAfter, deadAfter-silence)
	}
	l.again = time.Now().Add(wait)
	l.timer.Reset(wait)
}

// suspended says that a client is silent whose system is not: a person has stopped it, and goes on later. A daemon that is silent hangs, whatever its
// system says.
func (l *link) suspended() bool {
	conn, ok := l.conn.(interface{ PeerAnswers(time.Duration) bool })
	return ok && l.s.cfg.Role == Daemon && conn.PeerAnswers(deadAfter)
}
