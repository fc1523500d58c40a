package mux

import (
	"encoding/binary"
	"time"

	"minissh/protocol"
)

// Read takes every byte as a sign of life (SE6). It notes when the byte came before the next Read:
// an application waits for what has come, and reading the clock takes time.
func (l *link) Read(p []byte) (int, error) {
	if l.brought {
		now := time.Now().UnixNano()
		if l.heard.Store(now); l.counted {
			l.s.active.Store(now)
		}
		if l.doubtful.Load() {
			l.trust()
		}
	}
	n, err := l.conn.Read(p)
	if l.brought, l.counted = n > 0, false; l.brought {
		l.s.in.Add(int64(n))
		l.wear(n)
	}
	return n, err
}

// keepAlive sends PING after 15 seconds of silence and gives up the link after 45, unless the
// client is only suspended (SE6). A client asks sooner, once, on a link that was not idle (RE7).
func (l *link) keepAlive() {
	defer l.s.crashing()
	l.s.mu.Lock()
	late := time.Since(l.again) > l.s.pingAfter()
	l.s.mu.Unlock()
	if late { // we were stopped ourselves: what came meanwhile has not been read yet
		l.heard.Store(time.Now().Add(-l.s.pingAfter()).UnixNano())
	}
	silent := l.silence()
	if silent >= l.s.deadAfter() && !l.suspended() {
		l.close(endOfSilence(silent))
		return
	}
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if l.stop {
		return
	}
	wait := l.s.pingAfter()
	ask, look := l.ask()
	switch {
	case silent < ask:
		wait = min(ask-silent, look)
	case silent < l.s.deadAfter(): // two in all: more would fill a suspended client's socket
		l.pingDue, l.asked = true, l.s.active.Load()
		l.s.work.Signal()
		wait = min(wait, l.s.deadAfter()-silent)
	default:
		wait = max(0, min(wait, believed(l.told.Load())-silent))
	}
	l.again = time.Now().Add(wait)
	l.timer.Reset(wait)
}

// ask is the silence after which PING is sent, and how often to look whether it still is that
// long. The caller holds mu.
func (l *link) ask() (silence, look time.Duration) {
	silence = l.s.pingAfter()
	if l.s.cfg.Role != Client || l.s.cfg.Resend == 0 {
		return silence, silence
	}
	look = min(askAfter, silence)
	if l.s.active.Load() != l.asked {
		silence = look
	}
	return silence, look
}

// silence is how long nothing has come.
func (l *link) silence() time.Duration { return time.Since(time.Unix(0, l.heard.Load())) }

// endOfSilence is ErrSilent, and says so if it was not 45 seconds: the user may have chosen another
// time, and a silent peer whose system acknowledges is believed in for longer.
func endOfSilence(silent time.Duration) error {
	if deadAfter <= silent && silent < 2*deadAfter {
		return ErrSilent
	}
	return &silence{silent}
}

type silence struct{ time.Duration }

func (e *silence) Error() string {
	return "nothing was heard for " + protocol.InWords(e.Duration)
}

func (e *silence) Unwrap() error { return ErrSilent }

// believed is how long a silent client counts as stopped while its system acknowledges (RE6).
func believed(told bool) time.Duration {
	if told {
		return stoppedMost
	}
	return untoldMost
}

// suspended says that a client is silent but its system is not: a person may have stopped it, and
// continue it later. A relay acknowledges too, so this is believed for a limited time only. A
// daemon that is silent hangs, whatever its system says.
func (l *link) suspended() bool {
	conn, ok := l.conn.(Answering)
	return ok && l.s.cfg.Role == Daemon && l.silence() < believed(l.told.Load()) &&
		conn.PeerAnswers(l.s.deadAfter())
}

// TellStop tells the daemon that the user is about to stop this process, or that it goes on (RE6).
// Before a stop it waits a moment until the message is on its way.
func (s *Session) TellStop(stopping bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.link
	if l == nil || s.ended != nil {
		return
	}
	l.stopped, l.goesOn, l.pingDue = stopping, 0, true
	if s.inline() || !stopping {
		s.work.Signal()
		return
	}
	over := false
	timer := time.AfterFunc(tellWait, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		over = true
		s.work.Broadcast()
	})
	defer timer.Stop()
	for (l.pingDue || l.writing) && !l.stop && !over {
		s.work.Signal() // the writer waits on the same condition
		s.work.Wait()
	}
}

// ping appends a PING. The caller holds mu.
func (l *link) ping(b []byte) []byte {
	l.pinged = true
	l.expect()
	number := uint64(time.Now().UnixNano()) >> 1
	var flags uint8
	switch {
	case l.stopped:
		flags, l.stopNoted = protocol.FlagSuspended, true
	case l.stopNoted && l.goesOn == 0:
		l.goesOn = number
	}
	return protocol.AppendFrame(b, protocol.TypePing, flags, 0,
		binary.BigEndian.AppendUint64(nil, number))
}

// receivePing queues a PONG. The caller holds mu.
func (l *link) receivePing(f protocol.Frame) error {
	if f.Flags != 0 && l.s.cfg.Role == Client {
		return protocol.Violate(protocol.CodeBadFrame, "PING of a daemon that says it is suspended")
	}
	l.told.Store(f.Flags != 0)
	l.pongDue, l.pongNumber = true, f.Number()
	l.s.work.Signal()
	return nil
}

// receivePong notes what the daemon must have heard by now. The caller holds mu.
func (l *link) receivePong(f protocol.Frame) {
	if l.goesOn != 0 && f.Number() >= l.goesOn {
		l.stopNoted, l.goesOn = false, 0
	}
	if took := time.Duration(time.Now().UnixNano() - int64(f.Number()<<1)); l.pinged && took > 0 {
		l.trip = min(took, l.s.deadAfter())
	}
	l.pinged = false
	if _, look := l.ask(); !l.stop && look < l.s.pingAfter() {
		l.again = time.Now().Add(look)
		l.timer.Reset(look) // PING was sent, so keepAlive would let more time pass
	}
}
