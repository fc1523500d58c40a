package record

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"minissh/cmd/minissh-lab/chaos/probe"
	"minissh/cmd/minissh-lab/speak"
)

// glance is the pause between two looks at the sockets while nothing is due.
const glance = 200 * time.Microsecond

// patience ends a run in which bytes do not come that loopback should have carried.
const patience = 5 * time.Second

// maxEvents ends a run that would be longer than anyone steps through.
const maxEvents = 2000

// Run plays a Setting: first the program without boundaries, then the mended one
// (for the framing none: the same program with the other TCP_NODELAY).
func Run(ctx context.Context, s Setting) ([]*Trace, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	names := [2]string{"broken", "fixed"}
	framings, nodelay := [2]string{"none", s.Framing}, [2]bool{s.NoDelay, s.NoDelay}
	if s.Framing == "none" {
		names, nodelay = [2]string{"nagle", "nodelay"}, [2]bool{false, true}
	}
	if s.Framing == "put" {
		framings[0] = NaivePut
	}
	var traces []*Trace
	for i := range names {
		t, err := one(ctx, s, framings[i], nodelay[i])
		if err != nil {
			return nil, err
		}
		t.Name = names[i]
		traces = append(traces, t)
	}
	return traces, nil
}

// connection is one run. One goroutine owns it.
type connection struct {
	Setting
	*Trace
	ctx    context.Context
	a, b   *net.TCPConn // sender, receiver
	path   *path        // between them; nil: nothing
	start  time.Time
	sends  []planned
	reader *reader

	next     int           // of sends
	partial  int           // bytes of the next send that the system has taken
	blocked  bool          // that send waits for room
	called   time.Duration // when that send was called
	written  int           // bytes that the system has taken
	read     int           // bytes returned by recv
	ended    bool          // the sender has closed
	arrived  bool          // and its FIN has left for the receiver
	over     bool          // recv has returned nothing: the end
	sendDue  time.Duration // since start
	recvDue  time.Duration
	ackDue   time.Duration
	acksSent int
	acksGot  int

	known  bool // TCP_INFO tells about bytes
	seen   probe.Outgoing
	looked int64          // when, microseconds
	ready  int            // FIONREAD at the last look; -1 unknown
	first  probe.Outgoing // at the first look: the handshake counts in some numbers
	counts map[string]int
}

// planned is one send.
type planned struct {
	data []byte
	acks int // that must have come before it
}

func one(ctx context.Context, s Setting, framing string, nodelay bool) (*Trace, error) {
	a, b, way, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	defer b.Close()
	defer way.close()
	if err := a.SetNoDelay(nodelay); err != nil {
		return nil, err
	}
	if !nodelay {
		probe.DelayAcks(b) // Nagle waits for acks: as on a connection that has talked for a while
	}
	messages := s.Contents()
	width := 1
	for _, m := range messages {
		width = max(width, len(m))
	}
	c := &connection{
		Setting: s, ctx: ctx, a: a, b: b, path: way, counts: map[string]int{},
		reader: newReader(framing, s.Recv, width),
		Trace: &Trace{Framing: framing, NoDelay: nodelay, Segments: -1, Fields: []Field{},
			Sent: []Message{}, Got: []Message{}, Events: []Event{},
			Latency: s.Latency},
		recvDue: time.Duration(s.Delay) * time.Millisecond,
	}
	c.plan(encode(framing, messages))
	if err := c.play(); err != nil {
		return nil, err
	}
	c.Got = append(c.Got, c.reader.got...)
	c.Right = c.reader.right(messages)
	if c.known {
		c.Segments = c.seen.Segments
	}
	return c.Trace, nil
}

// plan lists the sends, the fields and the messages.
func (c *connection) plan(messages []framed) {
	at, acks := 0, 0
	for i, m := range messages {
		for k, data := range m.sends {
			if m.await && k == 1 {
				acks++
			}
			c.sends = append(c.sends, planned{data, acks})
			c.Bytes = append(c.Bytes, data...)
		}
		for _, f := range m.fields {
			f.From, f.To, f.Message = f.From+at, f.To+at, i
			if f.To > f.From {
				c.Fields = append(c.Fields, f)
			}
		}
		c.Sent = append(c.Sent, Message{From: at, To: at + m.size(),
			Text: speak.QuoteShort(m.text, 40), Size: len(m.text)})
		at += m.size()
	}
}

// play calls whoever is due, and looks at the sockets in between.
func (c *connection) play() error {
	c.start = time.Now()
	if err := c.look(); err != nil {
		return err
	}
	for quiet := time.Now(); ; {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		if len(c.Events) > maxEvents {
			return errors.New("the run has too many steps")
		}
		due, act := c.who()
		if act == nil && c.over {
			return nil
		}
		if act == nil && time.Since(quiet) > patience {
			return fmt.Errorf("%d of %d bytes did not come", c.written-c.read, c.written)
		}
		if wait := due - time.Since(c.start); act == nil || wait > 0 {
			if act != nil {
				quiet = time.Now()
			}
			if err := c.pause(max(glance, min(wait, glance))); err != nil {
				return err
			}
			if err := c.look(); err != nil {
				return err
			}
			continue
		}
		if err := act(); err != nil {
			return err
		}
		quiet = time.Now()
		if err := c.look(); err != nil {
			return err
		}
	}
}

// who is due next, and when: the sender, the path, the receiver, or nobody until something
// arrives.
func (c *connection) who() (due time.Duration, act func() error) {
	type turn struct {
		due time.Duration
		act func() error
	}
	if c.flying() > 0 {
		return 0, nil
	}
	var turns []turn // at the same moment the earlier in the list goes first
	switch {
	case c.next < len(c.sends) && c.sends[c.next].acks <= c.acksGot:
		turns = append(turns, turn{c.sendDue, c.send})
	case c.next == len(c.sends) && !c.ended && c.read == c.written: // a FIN pushes out what waits
		turns = append(turns, turn{c.sendDue, c.end})
	}
	if c.path != nil {
		if due, ok := c.path.due(); ok {
			turns = append(turns, turn{due, c.deliver})
		}
	}
	if c.acksSent < c.reader.acks { // the receiving program is about to answer, and nothing else
		turns = append(turns, turn{c.ackDue, c.sendAck})
	} else if c.canRecv() {
		turns = append(turns, turn{c.recvDue, c.recv})
	}
	for i, t := range turns {
		if i == 0 || t.due < due {
			due, act = t.due, t.act
		}
	}
	return due, act
}

// canRecv says whether recv would return now: something is there, or the end. Where the
// system does not tell, recv is tried.
func (c *connection) canRecv() bool {
	if c.over {
		return false
	}
	if c.ready < 0 {
		return c.given() > c.read || c.arrived
	}
	return c.ready > 0 || c.arrived && c.read == c.written
}

// given is how many bytes have begun the last stretch to the receiver.
func (c *connection) given() int {
	if c.path != nil {
		return c.path.given
	}
	return c.written
}

// flying is how many bytes have left and not arrived yet, at the receiver or at what is between.
// On loopback that lasts microseconds, and nobody is called meanwhile: whether they come in time is
// not left to chance.
func (c *connection) flying() int {
	if c.ready < 0 {
		return 0
	}
	there, last := c.read+c.ready, 0
	if c.path != nil {
		there, last = c.path.taken, c.path.given-c.read-c.ready
	}
	switch {
	case c.known:
		return c.seen.Bytes - c.seen.Resent - there + last
	case c.NoDelay():
		return c.written - there + last
	}
	return last // Nagle, on a system that does not tell what it holds back
}

// NoDelay is the sender's option in this run.
func (c *connection) NoDelay() bool { return c.Trace.NoDelay }
