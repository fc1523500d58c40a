package mux

import (
	"errors"
	"io"
	"math"
	"sync"

	"minissh/protocol"
)

// Event is one thing that a channel received.
type Event struct {
	Type    protocol.Type
	Data    []byte // Take's: data bytes, if Type is data and EOF is not set
	N       int    // Next's: how many of them were copied
	EOF     bool   // data of this Type has ended
	Message any    // *protocol.Opened, *Signal, *Notice, *Exit or *Reason (of CLOSE), by Type
}

// ErrChannelClosed answers calls on a channel after its own or its peer's CLOSE.
var ErrChannelClosed = errors.New("the channel is closed")

// Channel is one thing being done in a session. Its methods may be called from several goroutines, but Next from one only.
type Channel struct {
	s    *Session
	id   uint32
	ours bool // we opened it
	open protocol.Open

	requests chan Event         // OPENED, SIGNAL, NOTICE, as they come
	resizes  chan protocol.Size // the last RESIZE that nobody has taken yet
	gone     chan struct{}      // closed when the peer's CLOSE came or the session ended

	// Session.mu guards the rest.
	arrival sync.Cond // Next and Take wait here
	taking  bool      // one of them does
	sink    func(protocol.Type, []byte) int
	room    sync.Cond // Write and Send wait here

	limitOut, sentOut uint64    // credit we were given, data bytes sent (P5.5)
	out               [3][]byte // what Write callers wait to have sent, by data type
	turn              int       // which of out goes first
	queued            bool      // stands in Session.ready
	eofSent           [3]bool
	waiting           int // frames of ours in Session.control

	inbox          inbox
	lent           block  // what holds the bytes of the last Take
	window         int64  // bytes; what we let the peer be ahead of our application
	limit, arrived uint64 // credit we gave, data bytes received
	consumed       uint64 // data bytes the application took
	grantDue       bool   // stands in Session.grants
	peerBlocked    bool   // the last data frame used up our credit
	eofReceived    [3]bool
	opened, exited bool // acceptor: sent; opener: received
	closeSent      bool // our CLOSE is in Session.control
	closeGone      bool // it has been numbered
	closeReceived  bool
	failed         bool // the session ended
}

func stream(t protocol.Type) int { return int(t - protocol.TypeStdin) }

func (s *Session) newChannel(id uint32, ours bool) *Channel {
	c := &Channel{
		s: s, id: id, ours: ours, requests: make(chan Event, protocol.MaxRequests), resizes: make(chan protocol.Size, 1), gone: make(chan struct{}),
		limitOut: protocol.InitialWindow, limit: protocol.InitialWindow, window: protocol.InitialWindow,
	}
	c.arrival.L, c.room.L = &s.mu, &s.mu
	s.channels[id] = c
	return c
}

// Open asks the peer for a service. It does not wait for an answer, nor for a link: before Connect the request is queued and
// travels with HELLO. The error is the session's end, or says that the peer allows no more channels.
func (s *Session) Open(open *protocol.Open) (*Channel, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return nil, s.ended
	}
	if s.ourOpen >= s.peerChannels {
		return nil, protocol.Violate(protocol.CodeTooManyChannels, "the other side allows %d channels at once", s.peerChannels)
	}
	if s.nextID > math.MaxUint32-2 {
		return nil, errors.New("this session has used up its channel numbers: connect again")
	}
	frame, err := protocol.AppendMessage(nil, protocol.TypeOpen, s.nextID, open)
	if err != nil {
		return nil, err
	}
	c := s.newChannel(s.nextID, true)
	c.open = *open
	s.nextID += 2
	s.ourOpen++
	s.enqueue(c, protocol.TypeOpen, frame)
	return c, nil
}

// ID is the channel's number, for logs and traces.
func (c *Channel) ID() uint32 { return c.id }

// Request is what the opener asked for.
func (c *Channel) Request() *protocol.Open { return &c.open }

// Requests gives OPENED, SIGNAL and NOTICE frames as they come, ahead of data that waits. It is never closed: watch Gone beside it.
func (c *Channel) Requests() <-chan Event { return c.requests }

// Resizes gives the last RESIZE that came and was not taken yet (P5.10). It is never closed: watch Gone beside it.
func (c *Channel) Resizes() <-chan protocol.Size { return c.resizes }

// Gone is closed when the peer has sent CLOSE or the session has ended: nobody is interested in this channel any more.
func (c *Channel) Gone() <-chan struct{} { return c.gone }

// SessionEnded says whether the channel is gone because its session is.
func (c *Channel) SessionEnded() bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.failed
}

// Take waits for the next event in the order in which things were sent. Its data is lent until the next Take or Next. It returns io.EOF after
// CLOSE, and the session's end if that comes first. Data that had arrived before the end is still given.
func (c *Channel) Take() (Event, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	event, from, err := c.await(protocol.MaxPayload)
	c.lent = from
	return event, err
}

// Sink shows where small data may go at once while Take or Next waits with nothing left to take: to wake them for a single key costs more than to write it.
// put takes what it can without waiting, and returns how many bytes; the rest waits as ever. It is called by the goroutine that reads the link, holding what guards
// the session, so it must not call back.
func (c *Channel) Sink(put func(kind protocol.Type, p []byte) int) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.sink = put
}

// Next is Take, but copies the data into p (not empty).
func (c *Channel) Next(p []byte) (Event, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	event, from, err := c.await(len(p))
	event.N, event.Data = copy(p, event.Data), nil
	from.giveBack()
	return event, err
}

// await waits for the next event, with at most so many bytes of data, and takes back what was lent. The caller holds mu.
func (c *Channel) await(most int) (Event, block, error) {
	c.lent.giveBack()
	for c.inbox.empty() {
		if c.closeReceived { // first: what happened to the session afterwards is not this channel's affair
			return Event{}, block{}, io.EOF
		}
		if c.failed {
			return Event{}, block{}, c.s.ended
		}
		c.taking = true
		c.arrival.Wait()
		c.taking = false
	}
	event, from := c.inbox.take(most)
	if n := len(event.Data); n > 0 {
		c.s.consumed(c, n)
	}
	return event, from, nil
}

// Write sends all of p as data of the given type and returns when it has been handed to the link's writer: it waits for
// credit, and for a link. One Write for each type at a time.
func (c *Channel) Write(kind protocol.Type, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	i := stream(kind)
	if err := c.writable(); err != nil {
		return 0, err
	}
	if c.eofSent[i] || c.out[i] != nil {
		return 0, errors.New("a Write of this type is under way, or its EOF was sent")
	}
	c.out[i] = p
	c.stand()
	for len(c.out[i]) > 0 {
		if err := c.writable(); err != nil {
			n := len(p) - len(c.out[i])
			c.out[i] = nil
			return n, err
		}
		if !c.s.inline() {
			c.room.Wait()
		}
	}
	c.out[i] = nil
	return len(p), nil
}

// Offer is Write for what can go out at once: p fits a frame, there is credit for all of it, and nothing else is being sent or waits to be. It says whether p was sent; else
// nothing of it was. A connection that takes nothing still holds it up, so that whoever must not wait offers little.
func (c *Channel) Offer(kind protocol.Type, p []byte) bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	i, l := stream(kind), c.s.link
	if l == nil || l.writing || l.stop || l.due() || c.writable() != nil || c.eofSent[i] || c.out[i] != nil {
		return false
	}
	if n := uint64(len(p)); n > pieceSize || n > c.limitOut-c.sentOut {
		return false
	}
	c.out[i] = p
	c.stand()
	c.s.inline()
	sent := len(c.out[i]) == 0
	c.out[i] = nil
	return sent
}

// Writer is Write for one type, as an io.Writer.
func (c *Channel) Writer(kind protocol.Type) io.Writer {
	return writerFunc(func(p []byte) (int, error) { return c.Write(kind, p) })
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// EOF ends the data of one type. A second one does nothing.
func (c *Channel) EOF(kind protocol.Type) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if err := c.sendable(); err != nil || c.eofSent[stream(kind)] {
		return err
	}
	if c.out[stream(kind)] != nil { // EOF would overtake what it still has to send
		return errors.New("EOF while a Write of the same type is under way")
	}
	c.eofSent[stream(kind)] = true
	c.s.enqueue(c, protocol.TypeEOF, protocol.AppendFrame(nil, protocol.TypeEOF, 0, c.id, []byte{byte(kind)}))
	return nil
}

// Send sends an OPENED, SIGNAL, RESIZE, NOTICE or EXIT message. It does not wait, but for SIGNAL, RESIZE and NOTICE of which many wait to be sent
// already: the peer could make us queue without end otherwise. A NOTICE that comes too late, after EXIT, is dropped.
func (c *Channel) Send(kind protocol.Type, message any) error {
	frame, err := protocol.AppendMessage(nil, kind, c.id, message)
	if err != nil {
		return err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if kind == protocol.TypeSignal || kind == protocol.TypeResize || kind == protocol.TypeNotice {
		for c.waiting >= protocol.MaxRequests && c.writable() == nil {
			c.room.Wait()
		}
		if c.waiting >= protocol.MaxRequests {
			return c.writable()
		}
	}
	if err := c.sendable(); err != nil {
		return err
	}
	switch kind {
	case protocol.TypeNotice:
		if c.exited {
			return nil
		}
	case protocol.TypeOpened:
		c.opened = true
	case protocol.TypeExit:
		c.exited = true
	}
	c.s.enqueue(c, kind, frame)
	return nil
}

// Close sends CLOSE with a reason (nil: all went well). What arrives later is dropped, but for EXIT and CLOSE, which Next still gives. It is idempotent.
func (c *Channel) Close(reason *protocol.Reason) error {
	if reason == nil {
		reason = &protocol.Reason{}
	}
	frame, err := protocol.AppendMessage(nil, protocol.TypeClose, c.id, reason)
	if err != nil {
		return err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.failed || c.closeSent {
		return nil
	}
	c.closeSent = true
	c.s.enqueue(c, protocol.TypeClose, frame)
	c.room.Broadcast() // Writes under way fail
	return nil
}

// sendable says whether anything may still be sent. The caller holds mu.
func (c *Channel) sendable() error {
	switch {
	case c.failed:
		return c.s.ended
	case c.closeSent, c.closeReceived && c.ours:
		return ErrChannelClosed
	}
	return nil
}

// writable is sendable for data: nobody wants any after the peer's CLOSE. The caller holds mu.
func (c *Channel) writable() error {
	if err := c.sendable(); err != nil {
		return err
	}
	if c.closeReceived {
		return ErrChannelClosed
	}
	return nil
}

// enlist has the writer send the channel's data, if it has data and credit. The caller holds mu.
func (c *Channel) enlist() {
	if c.stand() {
		c.s.work.Signal()
	}
}

// stand puts the channel among those that the writer serves in turn. The caller holds mu.
func (c *Channel) stand() bool {
	if c.queued || c.sentOut >= c.limitOut || len(c.out[0])+len(c.out[1])+len(c.out[2]) == 0 {
		return false
	}
	c.queued = true
	c.s.ready.push(c)
	return true
}

// fail wakes everyone who waits on the channel. The caller holds mu and has set Session.ended.
func (c *Channel) fail() {
	if !c.failed {
		c.failed = true
		if !c.closeReceived {
			close(c.gone)
		}
	}
	c.arrival.Broadcast()
	c.room.Broadcast()
}

// retire forgets a channel that both ends have closed (P5.2). Our CLOSE counts when it goes to the link's writer, not earlier: a
// peer that opens channels and reads nothing would make us queue answers without end. The caller holds mu.
func (s *Session) retire(c *Channel) {
	if !c.closeGone || !c.closeReceived {
		return
	}
	s.returnWindow(c)
	delete(s.channels, c.id)
	if c.ours {
		s.ourOpen--
	} else {
		s.peerOpen--
	}
}

// outgoing is an encoded session frame, other than data, on its way to the writer.
type outgoing struct {
	frame []byte
	kind  protocol.Type
	c     *Channel
}

// enqueue gives a session frame, other than data, to the writer. The caller holds mu.
func (s *Session) enqueue(c *Channel, kind protocol.Type, frame []byte) {
	c.waiting++
	s.control.push(outgoing{frame, kind, c})
	s.work.Signal()
}
