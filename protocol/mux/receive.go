package mux

import (
	"fmt"
	"time"

	"minissh/protocol"
)

// receive takes one frame from a link. It waits for nothing but the turn of a large request. An
// error ends the link: a *protocol.Violation, what the peer said, or ErrGoodbye.
func (s *Session) receive(l *link, f protocol.Frame) error {
	if f.Type == protocol.TypeOpen && f.Length > largeRequest {
		defer s.budget.largeTurn()()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Type.IsLink() {
		return s.receiveLink(l, f)
	}
	if s.ended != nil {
		return nil // read and dropped, so that a reset does not destroy our last words (FR7)
	}
	if !l.greeted && s.cfg.Role == Client {
		return unexpected(f, "before WELCOME")
	}
	if err := s.deliver(f); err != nil {
		return err
	}
	// Counted and delivered in one step: both under mu (SE4).
	s.received++
	l.counted = true
	if s.peerResend > 0 {
		s.unacked += int64(protocol.HeaderSize) + int64(f.Length)
		if s.unacked >= min(s.peerResend/4, ackMost) {
			l.ackDue = true
			s.work.Signal()
		} else if !l.ackTimed {
			l.ackTimed = true
			time.AfterFunc(ackDelay, func() {
				s.mu.Lock()
				defer s.mu.Unlock()
				l.ackTimed = false
				if s.unacked > 0 {
					l.ackDue = true
					s.work.Signal()
				}
			})
		}
	}
	return nil
}

func unexpected(f protocol.Frame, when string) error {
	return protocol.Violate(protocol.CodeUnexpectedFrame, "%v %s", f.Type, when)
}

func (s *Session) receiveLink(l *link, f protocol.Frame) error {
	switch f.Type {
	case protocol.TypeGoodbye, protocol.TypeError:
		var reason protocol.Reason
		if err := f.Decode(&reason); err != nil {
			return err
		}
		if f.Type == protocol.TypeGoodbye && reason.Code == "" {
			s.end(ErrGoodbye)
			return ErrGoodbye
		}
		said := &protocol.RemoteError{Reason: reason}
		if f.Type == protocol.TypeGoodbye || !answersHello(reason.Code) {
			s.end(said)
		}
		return said
	case protocol.TypeWelcome:
		if s.cfg.Role == Client && !l.greeted {
			return s.receiveWelcome(l, f)
		}
	case protocol.TypePing:
		return l.receivePing(f)
	case protocol.TypePong:
		l.receivePong(f)
		return nil
	case protocol.TypeAck:
		return s.acknowledged(f.Number())
	}
	return unexpected(f, "at this time")
}

// answersHello says whether a code ends a link and leaves its session alone (CO1). The client
// decides what it makes of that.
func answersHello(code protocol.Code) bool {
	switch code {
	case protocol.CodeStaleEpoch, protocol.CodeKeyNotAuthorized, protocol.CodeLoginTimeout,
		protocol.CodeTooManySessions, protocol.CodeTooManyFailures,
		protocol.CodeBadHello, protocol.CodeUnsupportedProtocol, protocol.CodeSessionUnknown:
		return true
	}
	return false
}

func (s *Session) receiveWelcome(l *link, f protocol.Frame) error {
	var w protocol.Welcome
	if err := f.Decode(&w); err != nil {
		return err
	}
	if err := w.Check(); err != nil {
		return err
	}
	if err := s.peerHas(l, uint64(w.Received)); err != nil {
		return err
	}
	// the wall's clock too: the other one stops while this machine sleeps
	since := max(time.Since(s.began), time.Now().Round(0).Sub(s.began.Round(0)))
	restarted := w.Uptime <= since.Milliseconds()
	if !s.welcomed && s.epoch > 1 && s.sent > 0 && w.Received == 0 && restarted {
		s.end(ErrRestarted) // it may have started, and forgotten, what we asked for (RE5)
		return ErrRestarted
	}
	s.welcomed, s.welcome = true, w
	l.trip = time.Since(l.helloed)
	s.peerResend, s.peerChannels = w.Resend, w.Channels
	l.greeted, l.flowing = true, true
	s.greetings++
	l.replies <- &w
	l.expect()
	s.work.Signal()
	return nil
}

// deliver gives a session frame to its channel, or makes one. The caller holds mu.
func (s *Session) deliver(f protocol.Frame) error {
	if f.Type == protocol.TypeOpen {
		return s.deliverOpen(f)
	}
	c := s.channels[f.Channel]
	if c == nil {
		return protocol.Violate(protocol.CodeUnknownChannel, "%v for channel %d", f.Type, f.Channel)
	}
	if c.closeReceived {
		return unexpected(f, "after CLOSE")
	}
	if f.Type.IsData() {
		return s.deliverData(c, f)
	}
	switch f.Type {
	case protocol.TypeWindow:
		return c.allow(f.Number())
	case protocol.TypeEOF:
		kind, err := f.Ended()
		if err != nil {
			return err
		}
		if c.ours == (kind == protocol.TypeStdin) || c.eofReceived[stream(kind)] || c.ours &&
			!c.opened {
			return unexpected(f, fmt.Sprintf("for %v", kind))
		}
		c.eofReceived[stream(kind)] = true
		c.queue(kind, nil, true)
	case protocol.TypeSignal:
		if c.ours {
			return unexpected(f, "from the acceptor")
		}
		return c.request(f, new(protocol.Signal))
	case protocol.TypeResize:
		if c.ours {
			return unexpected(f, "from the acceptor")
		}
		return c.resize(f)
	case protocol.TypeOpened:
		if !c.ours || c.opened {
			return unexpected(f, "a second time or from the opener")
		}
		c.opened = true
		return c.request(f, new(protocol.Opened))
	case protocol.TypeNotice:
		if !c.ours || !c.opened || c.exited {
			return unexpected(f, "at this time")
		}
		return c.request(f, new(protocol.Notice))
	case protocol.TypeExit:
		if !c.ours || !c.opened || c.exited || !c.eofReceived[1] || !c.eofReceived[2] {
			return unexpected(f, "before both EOF frames, or twice")
		}
		exit := new(protocol.Exit)
		if err := f.Decode(exit); err != nil {
			return err
		}
		c.exited = true
		c.queue(f.Type, exit, false)
	case protocol.TypeClose:
		reason := new(protocol.Reason)
		if err := f.Decode(reason); err != nil {
			return err
		}
		c.closeReceived = true
		close(c.gone)
		c.room.Broadcast() // nobody wants Write's data any more
		c.queue(f.Type, reason, false)
		s.retire(c)
	}
	return nil
}

func (s *Session) deliverOpen(f protocol.Frame) error {
	var open protocol.Open
	ours := f.Channel%2 == s.nextID%2
	switch {
	case ours || f.Channel <= s.lastPeerID:
		return protocol.Violate(protocol.CodeChannelReused, "OPEN for channel %d after %d",
			f.Channel, s.lastPeerID)
	case s.peerOpen >= s.cfg.Channels || s.cfg.Accept == nil:
		return protocol.Violate(protocol.CodeTooManyChannels, "more than %d channels at once",
			s.cfg.Channels)
	case s.peerOpens+int64(f.Length) > protocol.MaxOpens:
		return protocol.Violate(protocol.CodeTooManyChannels,
			"the OPENs of open channels hold more than %d bytes", protocol.MaxOpens)
	}
	if err := f.Decode(&open); err != nil {
		return err
	}
	c := s.newChannel(f.Channel, false)
	c.open = open
	s.lastPeerID = f.Channel
	c.openBytes = int64(f.Length)
	s.peerOpen++
	s.peerOpens += c.openBytes
	s.apps.Go(func() {
		s.cfg.Accept(c)
		c.abandon()
	})
	return nil
}

func (s *Session) deliverData(c *Channel, f protocol.Frame) error {
	n := uint64(f.Length)
	switch {
	case c.ours == (f.Type == protocol.TypeStdin):
		return unexpected(f, "from the wrong side")
	case c.eofReceived[stream(f.Type)]:
		return unexpected(f, "after its EOF")
	case c.ours && !c.opened:
		return unexpected(f, "before OPENED")
	case c.arrived+n > c.limit:
		return protocol.Violate(protocol.CodeWindowExceeded,
			"%d bytes on channel %d; the limit is %d", c.arrived+n, c.id, c.limit)
	}
	c.arrived += n
	c.peerBlocked = f.Flags&protocol.FlagBlocked != 0
	if c.closeSent {
		return nil
	}
	if c.sink != nil && n <= fewBytes && c.taking && c.inbox.empty() {
		done := c.sink(f.Type, f.Payload)
		s.consumed(c, done)
		if f.Payload = f.Payload[done:]; len(f.Payload) == 0 {
			return nil
		}
	}
	s.yield = c.taking && n <= fewBytes
	c.inbox.add(f)
	c.arrival.Broadcast()
	return nil
}

// allow takes a WINDOW frame (CH5).
func (c *Channel) allow(limit uint64) error {
	if limit <= c.limitOut {
		return protocol.Violate(protocol.CodeBadWindow, "%d on channel %d after %d", limit, c.id,
			c.limitOut)
	}
	c.limitOut = limit
	c.enlist()
	return nil
}

// queue puts an event after the data that came before it.
func (c *Channel) queue(kind protocol.Type, message any, eof bool) {
	c.inbox.mark(kind, message, eof)
	c.arrival.Broadcast()
}
