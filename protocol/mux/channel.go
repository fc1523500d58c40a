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

// Channel is one thing being done in a session. Its methods may be called from several goroutines,
// but Next from one only.
type Channel struct {
	s    *Session
	id   uint32
	ours bool // we opened it
	open protocol.Open

	requests chan Event         // OPENED, SIGNAL, NOTICE, as they come
	resizes  chan protocol.Size // the last RESIZE, until the application takes it
	gone     chan struct{}      // closed when the peer's CLOSE came or the session ended

	// Session.mu guards the rest.
	arrival sync.Cond // Next and Take wait here
	taking  bool      // one of them does
	sink    func(protocol.Type, []byte) int
	room    sync.Cond // Write and Send wait here

	limitOut, sentOut uint64    // credit we were given, data bytes sent (CH5)
	out               [3][]byte // what Write callers wait to have sent, by data type
	turn              int       // which of out goes first
	queued            bool      // is in Session.ready
	eofSent           [3]bool
	openBytes         int64 // of its OPEN's payload
	ignores           bool  // SIGNAL and RESIZE are dropped
	// the last ones put into requests; the application may have taken some
	waiting []request

	inbox          inbox
	lent           block  // what holds the bytes of the last Take
	window         int64  // bytes; what we let the peer be ahead of our application
	limit, arrived uint64 // credit we gave, data bytes received
	consumed       uint64 // data bytes the application took
	grantDue       bool   // is in Session.grants
	peerBlocked    bool   // the last data frame used up our credit
	eofReceived    [3]bool
	begun          bool // opener: OPEN has been given to a link
	opened, exited bool // acceptor: sent; opener: received
	closeSent      bool // our CLOSE is in Session.control
	closeGone      bool // it has been numbered
	closeReceived  bool
	failed         bool // the session ended
}

func stream(t protocol.Type) int { return int(t - protocol.TypeStdin) }

func (s *Session) newChannel(id uint32, ours bool) *Channel {
	requests := protocol.MaxRequests
	if ours {
		requests++ // OPENED, which comes first
	}
	c := &Channel{
		s: s, id: id, ours: ours, requests: make(chan Event, requests),
		resizes: make(chan protocol.Size, 1), gone: make(chan struct{}),
		limitOut: protocol.InitialWindow, limit: protocol.InitialWindow,
		window: protocol.InitialWindow,
	}
	c.arrival.L, c.room.L = &s.mu, &s.mu
	s.channels[id] = c
	return c
}

// Open asks the peer for a service. It waits neither for an answer nor for a link: before Connect
// the request is queued and travels with HELLO. The error is the session's end, or says that the
// peer allows no more channels.
func (s *Session) Open(open *protocol.Open) (*Channel, error) { return s.openChannel(open, false) }

// OpenWaiting is Open for one channel of many: while the peer allows no more, it waits until one of
// ours has ended. A channel counts until our own CLOSE has gone out, which Close does not wait for.
func (s *Session) OpenWaiting(open *protocol.Open) (*Channel, error) {
	return s.openChannel(open, true)
}

func (s *Session) openChannel(open *protocol.Open, wait bool) (*Channel, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for wait && s.ended == nil && s.ourOpen >= s.peerChannels {
		s.places.Wait()
	}
	if s.ended != nil {
		return nil, s.ended
	}
	if s.ourOpen >= s.peerChannels {
		return nil, protocol.Violate(protocol.CodeTooManyChannels,
			"the other side allows %d channels at once", s.peerChannels)
	}
	if s.nextID > math.MaxUint32-2 {
		return nil, errors.New("this session has used up its channel numbers: connect again")
	}
	frame, err := protocol.AppendMessage(nil, protocol.TypeOpen, s.nextID, open)
	if err != nil {
		return nil, err
	}
	size := int64(len(frame) - protocol.HeaderSize)
	if s.ourOpens+size > protocol.MaxOpens {
		return nil, protocol.Violate(protocol.CodeTooManyChannels,
			"the requests of open channels may hold %d bytes together", protocol.MaxOpens)
	}
	c := s.newChannel(s.nextID, true)
	c.open = *open
	s.nextID += 2
	c.openBytes = size
	s.ourOpen++
	s.ourOpens += size
	s.enqueue(c, request{kind: protocol.TypeOpen}, frame)
	return c, nil
}

// ID is the channel's number, for logs and traces.
func (c *Channel) ID() uint32 { return c.id }

// Session is what the channel belongs to.
func (c *Channel) Session() *Session { return c.s }

// Request is what the opener asked for.
func (c *Channel) Request() *protocol.Open { return &c.open }

// Requests delivers OPENED, SIGNAL and NOTICE frames as they come, before data that waits; equal
// ones that wait become one. It is never closed: watch Gone too.
func (c *Channel) Requests() <-chan Event { return c.requests }

// Began says what is known of the request of a channel that we opened: whether it was sent at all,
// and whether OPENED has come (RE8).
func (c *Channel) Began() (sent, opened bool) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.begun, c.opened
}

// Sent is how many bytes of data have been given to a link.
func (c *Channel) Sent() uint64 {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.sentOut
}

// Withdraw takes back the request of a channel that we opened, with all that follows it, and says
// whether it did: it cannot once the request was sent. The channel has ended then, as if the peer
// had closed it.
func (c *Channel) Withdraw() bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.begun || !c.ours || c.failed {
		return false
	}
	for range c.s.control.len() {
		if waits := c.s.control.pop(); waits.c != c {
			c.s.control.push(waits)
		}
	}
	if !c.closeReceived {
		close(c.gone)
	}
	c.closeSent, c.closeGone, c.closeReceived = true, true, true
	c.s.retire(c)
	c.arrival.Broadcast()
	c.room.Broadcast()
	return true
}

// Resizes delivers the last RESIZE that has not been taken yet (CH10). It is never closed: watch
// Gone too.
func (c *Channel) Resizes() <-chan protocol.Size { return c.resizes }

// Gone is closed when the peer has sent CLOSE or the session has ended: nobody needs this channel
// any more.
func (c *Channel) Gone() <-chan struct{} { return c.gone }

// SessionEnded says whether the channel is gone because its session is.
func (c *Channel) SessionEnded() bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.failed
}

// Take waits for the next event, in the order of sending. Its data is lent until the next Take or
// Next. It returns io.EOF after CLOSE, or the session's end if that comes first. Data that arrived
// before the end still comes.
func (c *Channel) Take() (Event, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	event, from, err := c.await(protocol.MaxPayload)
	c.lent = from
	return event, err
}

// Sink says where small data may go at once while Take or Next waits and has nothing left to take:
// to wake them for a single key costs more than to write it. put takes what it can without waiting,
// and returns how many bytes; the rest waits as usual. The goroutine that reads the link calls it
// and holds the session's lock, so it must not call back.
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

// await waits for the next event, with at most so many bytes of data, and takes back what was lent.
// The caller holds mu.
func (c *Channel) await(most int) (Event, block, error) {
	c.lent.giveBack()
	for c.inbox.empty() {
		// first: what happened to the session afterwards does not concern this channel
		if c.closeReceived {
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

// enlist makes the writer send the channel's data, if it has data and credit. The caller holds mu.
func (c *Channel) enlist() {
	if c.lineUp() {
		c.s.work.Signal()
	}
}

// lineUp puts the channel among those that the writer serves in turn. The caller holds mu.
func (c *Channel) lineUp() bool {
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

// retire forgets a channel that both ends have closed (CH2). Our CLOSE counts when it goes to the
// link's writer, not before: otherwise a peer that opens channels and reads nothing would make us
// queue answers without limit. The caller holds mu.
func (s *Session) retire(c *Channel) {
	if !c.closeGone || !c.closeReceived {
		return
	}
	s.returnWindow(c)
	delete(s.channels, c.id)
	if c.ours {
		s.ourOpen--
		s.places.Signal()
		s.ourOpens -= c.openBytes
	} else {
		s.peerOpen--
		s.peerOpens -= c.openBytes
	}
}

// abandon lets go of what a channel holds for an application that has closed it and gone. The
// channel itself is known until the peer has closed it too, which may be never.
func (c *Channel) abandon() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if !c.closeSent && !c.failed {
		return // whoever got it reads on
	}
	c.open = protocol.Open{}
	c.lent.giveBack()
	for c.inbox.blocks.len() > 0 {
		b := c.inbox.blocks.pop()
		b.giveBack()
	}
	c.inbox = inbox{}
	c.s.returnWindow(c)
}

// outgoing is an encoded session frame, other than data, on its way to the writer.
type outgoing struct {
	request
	frame []byte
	c     *Channel
}

// enqueue gives a session frame, other than data, to the writer. The caller holds mu.
func (s *Session) enqueue(c *Channel, is request, frame []byte) {
	s.control.push(outgoing{is, frame, c})
	s.work.Signal()
}
