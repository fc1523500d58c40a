package mux

import (
	"bytes"

	"minissh/protocol"
)

// number counts the frame by which after is longer than before as sent, and keeps it until the peer
// has it (SE4, RE2). For a peer that said resend 0 nothing is kept: it need not acknowledge. It is
// called when the frame goes to the link's writer, never before. The caller holds mu.
func (s *Session) number(before, after []byte) []byte {
	s.sent++
	if s.resumable() {
		frame := bytes.Clone(after[len(before):])
		s.kept.push(frame)
		s.keptBytes += int64(len(frame))
		s.link.expect()
	}
	return after
}

// mayNumber is false while the kept frames fill our resend buffer (RE2). The caller holds mu.
func (s *Session) mayNumber() bool { return !s.resumable() || s.keptBytes < s.cfg.Resend }

// resending says whether frames still have to be sent again. The caller holds mu.
func (l *link) resending() bool { return l.resendNext <= l.resendTo && l.resendTo > l.s.acked }

// collectKept appends frames that the peer has not received over an earlier link (RE3).
func (l *link) collectKept(b []byte) (_ []byte, full bool) {
	s := l.s
	for {
		l.resendNext = max(l.resendNext, s.acked+1)
		if l.resendNext > l.resendTo {
			return b, false
		}
		frame := *s.kept.at(int(l.resendNext - s.acked - 1))
		if len(b)+len(frame) > cap(b) {
			return b, true
		}
		b = append(b, frame...)
		l.resendNext++
	}
}

// peerHas takes the peer's received count at the beginning of a link: frames up to it are
// forgotten, later ones are sent again (RE3). The caller holds mu.
func (s *Session) peerHas(l *link, count uint64) error {
	if count < s.acked || count > s.sent || (s.cfg.Resend == 0 && count != s.acked) {
		return protocol.Violate(protocol.CodeResumeMismatch,
			"%d frames received, but %d were acknowledged and %d sent", count, s.acked, s.sent)
	}
	s.forget(count)
	if s.cfg.Resend > 0 && !l.flowing {
		l.resendNext, l.resendTo = count+1, s.sent
	}
	return nil
}

// acknowledged takes an ACK (RE1). The caller holds mu.
func (s *Session) acknowledged(count uint64) error {
	if s.cfg.Resend == 0 || count < s.acked || count > s.sent {
		return protocol.Violate(protocol.CodeBadAck, "%d frames acknowledged, after %d of %d",
			count, s.acked, s.sent)
	}
	s.forget(count)
	s.work.Signal()
	return nil
}

func (s *Session) forget(count uint64) {
	for s.acked < count {
		if s.kept.len() > 0 {
			s.keptBytes -= int64(len(s.kept.pop()))
		}
		s.acked++
	}
}
