package mux

import (
	"sync"
	"time"

	"minissh/protocol"
)

// pieceSize is the most data that we put into one frame, in bytes: with its header it fills four
// TLS records, so that its last twelve bytes do not need a fifth.
const pieceSize = protocol.MaxPayload - protocol.HeaderSize

// batchSize holds four large frames and a few small ones, or one of the largest messages.
const batchSize = 4*protocol.MaxPayload + 4096

var batches = sync.Pool{New: func() any { return new(batch) }}

// batch is what goes out in one Write. Its frames may have to be kept after that (RE2).
type batch struct {
	room [batchSize]byte
	// Session.mu guards the rest.
	users int // the writer, and the kept frames together: whoever is the last returns it
}

// release returns the batch to the pool when nobody needs it any more. A peer that acknowledges
// what is still being written, which it cannot have received, must not make others see its bytes.
// The caller holds mu.
func (b *batch) release() {
	if b.users--; b.users == 0 {
		batches.Put(b)
	}
}

// writeLoop sends whatever is due, until the link stops. Channel.Write takes its place for a step
// if it can (see inline).
func (l *link) writeLoop() {
	defer l.s.crashing()
	defer close(l.finished)
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for l.writing || !l.stop && !l.due() {
			s.work.Wait()
		}
		if l.stop {
			return
		}
		l.step()
	}
}

// inline does one step of the writer in the goroutine that has something to send, if nobody else
// does: waking the writer's goroutine for each frame costs more than writing it. The caller holds
// mu.
func (s *Session) inline() bool {
	l := s.link
	if l == nil || l.writing || l.stop || !l.due() {
		return false
	}
	l.step()
	if l.stop || l.due() {
		s.work.Broadcast()
	}
	return true
}

// step gathers what is due into a batch and passes that on in one Write, so that a frame is never
// split between two. One goroutine at a time is in it, so that frames are numbered and written in
// one order. It borrows its buffer only while it has something to send. The caller holds mu, which
// is released while it writes.
func (l *link) step() {
	s := l.s
	l.writing = true
	b := batches.Get().(*batch)
	b.users = 1
	numbered, waiting := s.sent, s.kept.len()
	bytes := l.collect(b.room[:0])
	numbered = s.sent - numbered
	if more := s.kept.len() - waiting; more > 0 && s.retain(b, more) {
		b.users++
	}
	stall := writeStall
	if l.final != nil {
		stall = closeWait
	}
	s.mu.Unlock()
	var err error
	if len(bytes) > 0 { // nothing is left of a grant for a channel that has closed since
		err = l.write(bytes, stall)
	}
	s.mu.Lock()
	b.release()
	l.writing = false
	if l.stopped {
		s.work.Broadcast() // TellStop waits
	}
	s.out.Add(int64(len(bytes)))
	if numbered > 0 {
		s.active.Store(time.Now().UnixNano())
	}
	l.wear(len(bytes))
	if l.written += int64(len(bytes)); err == nil && l.written > s.linkMost() {
		err = errWorn
	}
	if err != nil {
		// The peer may have said why: the reader gets a little time to find it (FR8).
		l.stop, l.broken = true, err
		l.conn.SetReadDeadline(time.Now().Add(closeWait))
	}
}

func (l *link) write(batch []byte, stall time.Duration) error {
	if l.s.cfg.Crashed != nil {
		// here, since step's callers unlock mu while a panic passes, which is fatal
		defer l.s.crashing()
	}
	if trace := l.s.cfg.Trace; trace != nil {
		for rest := batch; len(rest) > 0; {
			h, _ := protocol.ParseHeader(rest)
			end := protocol.HeaderSize + int(h.Length)
			trace(Sent, protocol.Frame{Header: h, Payload: rest[protocol.HeaderSize:end]})
			rest = rest[end:]
		}
	}
	if stall != writeStall {
		l.setPatience(stall, nil)
	}
	if !l.patient {
		l.conn.SetWriteDeadline(time.Now().Add(stall))
	}
	_, err := l.conn.Write(batch)
	return err
}

// setPatience limits how long writes wait from now on, if the connection can do that by itself.
func (l *link) setPatience(stall time.Duration, more func() bool) bool {
	conn, ok := l.conn.(Patient)
	return ok && conn.SetPatience(stall, more)
}

// due says whether collect would find anything. The caller holds mu.
func (l *link) due() bool {
	s := l.s
	if len(l.first) > 0 || l.final != nil || l.pongDue || l.pingDue || l.ackDue {
		return true
	}
	if !l.flowing {
		return false
	}
	return l.resending() || s.mayNumber() && s.control.len()+s.grants.len()+s.ready.len() > 0
}

// collect appends to b what is to be sent next, as much as fits: first what belongs to the link,
// then frames that are sent again, then messages, grants, and data of one channel after the other.
// The caller holds mu.
func (l *link) collect(b []byte) []byte {
	s := l.s
	b = append(b, l.first...)
	l.first = nil
	if l.final != nil {
		l.stop = true
		return append(b, l.final...)
	}
	if l.pongDue {
		b = protocol.AppendNumber(b, protocol.TypePong, 0, l.pongNumber)
	}
	if l.pingDue {
		b = l.ping(b)
	}
	if l.ackDue {
		b = protocol.AppendNumber(b, protocol.TypeAck, 0, s.received)
		s.unacked = 0
	}
	l.pongDue, l.pingDue, l.ackDue = false, false, false
	if !l.flowing {
		return b
	}
	b, full := l.collectKept(b)
	for !full && s.mayNumber() && s.control.len() > 0 {
		if full = len(b)+len(s.control.at(0).frame) > cap(b); !full {
			b = s.collectControl(b)
		}
	}
	for !full && s.mayNumber() && s.grants.len() > 0 {
		if full = len(b)+protocol.HeaderSize+8 > cap(b); !full {
			c := s.grants.pop()
			c.grantDue = false
			if s.channels[c.id] == c && !c.closeSent {
				b = s.number(b, protocol.AppendNumber(b, protocol.TypeWindow, c.id, c.limit))
			}
		}
	}
	for !full && s.mayNumber() && s.ready.len() > 0 {
		b, full = s.collectData(b, *s.ready.at(0))
	}
	return b
}

// collectControl appends the first of the messages that wait.
func (s *Session) collectControl(b []byte) []byte {
	m := s.control.pop()
	b = s.number(b, append(b, m.frame...))
	switch m.kind {
	case protocol.TypeOpen:
		m.c.begun = true
	case protocol.TypeClose:
		m.c.closeGone = true
		s.retire(m.c)
	}
	return b
}

// collectData appends one data frame of c, the first in turn, unless it does not fit.
func (s *Session) collectData(b []byte, c *Channel) ([]byte, bool) {
	credit := c.limitOut - c.sentOut
	i := c.turn
	for tries := 0; len(c.out[i]) == 0 && tries < 2; tries++ {
		i = (i + 1) % len(c.out)
	}
	n := int(min(uint64(len(c.out[i])), pieceSize, credit))
	if n > 0 && len(b)+protocol.HeaderSize+n > cap(b) {
		return b, true
	}
	s.ready.pop()
	c.queued = false
	if n == 0 || c.failed || c.closeSent {
		return b, false
	}
	c.turn = (i + 1) % len(c.out)
	var flags uint8
	if uint64(n) == credit {
		flags = protocol.FlagBlocked
	}
	b = s.number(b, protocol.AppendFrame(b, protocol.TypeStdin+protocol.Type(i), flags, c.id,
		c.out[i][:n]))
	c.sentOut += uint64(n)
	if c.out[i] = c.out[i][n:]; len(c.out[i]) == 0 {
		c.room.Broadcast() // Write is done
	}
	c.lineUp()
	return b, false
}

// takeControl numbers and returns the messages that wait, for a link that is about to end. While
// frames are still being sent again it returns nothing: messages would overtake them. The caller
// holds mu.
func (s *Session) takeControl(l *link) []byte {
	var b []byte
	for l.flowing && !l.resending() && s.mayNumber() && s.control.len() > 0 {
		b = s.collectControl(b)
	}
	return b
}
