package mux

import "minissh/protocol"

// kept is a session frame that the peer may not have received.
type kept struct {
	frame []byte
	// the batch that this frame is the last one of, released with it; nil: another's, or none
	of *batch
}

// number counts the frame by which after is longer than before as sent, and keeps it until the peer
// has it (SE4, RE2). For a peer that said resend 0 nothing is kept: it need not acknowledge. It is
// called when the frame goes to the link's writer, never before. The caller holds mu, and sees to
// it that the frame's bytes stay as they are.
func (s *Session) number(before, after []byte) []byte {
	s.sent++
	if s.resumable() {
		frame := after[len(before):]
		s.kept.push(kept{frame: frame})
		s.keptBytes += int64(len(frame))
		s.link.expect()
	}
	return after
}

// retain sees to it that the last n kept frames, which are parts of b, stay as they are. If they
// fill most of b, so does b itself, and true is returned: the frames need not be copied. The caller
// holds mu.
func (s *Session) retain(b *batch, n int) bool {
	var size int
	first := s.kept.len() - n
	for i := first; i < s.kept.len(); i++ {
		size += len(s.kept.at(i).frame)
	}
	if size >= batchSize/2 {
		s.kept.at(s.kept.len() - 1).of = b
		return true
	}
	whole := make([]byte, 0, size)
	for i := first; i < s.kept.len(); i++ {
		k := s.kept.at(i)
		at := len(whole)
		whole = append(whole, k.frame...)
		k.frame = whole[at:]
	}
	return false
}

// keptStep is how much room for kept frames is taken from Config.Kept at a time, in bytes.
const keptStep = 1 << 20

// mayNumber is false while the kept frames fill our resend buffer (RE2), or as much of it as there
// is memory for. The peer acknowledges all the same, and soon (RE1), so that this session goes on
// without others. The caller holds mu.
func (s *Session) mayNumber() bool {
	if !s.resumable() || s.keptBytes < s.keptRoom {
		return true
	}
	more := min(keptStep, s.cfg.Resend-s.keptRoom)
	if more <= 0 || s.cfg.Kept != nil && !s.cfg.Kept.take(more) {
		return false
	}
	s.keptRoom += more
	return true
}

// returnRoom gives back room for kept frames that is not needed now. The caller holds mu.
func (s *Session) returnRoom() {
	first := min(s.cfg.Resend, protocol.MinResend)
	for s.keptRoom > first && (s.keptBytes == 0 || s.keptRoom-s.keptBytes > 2*keptStep) {
		less := min(keptStep, s.keptRoom-first)
		s.keptRoom -= less
		if s.cfg.Kept != nil {
			s.cfg.Kept.give(less)
		}
	}
}

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
		frame := s.kept.at(int(l.resendNext - s.acked - 1)).frame
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
			k := s.kept.pop()
			s.keptBytes -= int64(len(k.frame))
			if k.of != nil {
				k.of.release()
			}
		}
		s.acked++
	}
	s.returnRoom()
}
