package record

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"minissh/cmd/minissh-lab/chaos/probe"
	"minissh/cmd/minissh-lab/dialect"
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
	start  time.Time
	sends  []planned
	reader *reader

	next     int // of sends
	written  int // bytes given to send
	read     int // bytes returned by recv
	ended    bool
	over     bool          // recv has returned nothing: the end
	sendDue  time.Duration // since start
	recvDue  time.Duration
	ackDue   time.Duration
	acksSent int
	acksGot  int

	known  bool // TCP_INFO tells about bytes
	seen   probe.Outgoing
	looked int64 // when, microseconds
	ready  int   // FIONREAD at the last look; -1 unknown
	counts map[string]int
}

// planned is one send.
type planned struct {
	data []byte
	acks int // that must have come before it
}

func one(ctx context.Context, s Setting, framing string, nodelay bool) (*Trace, error) {
	a, b, err := Pair(ctx)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	defer b.Close()
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
		Setting: s, ctx: ctx, a: a, b: b, counts: map[string]int{},
		reader: newReader(framing, s.Recv, width),
		Trace: &Trace{Framing: framing, NoDelay: nodelay, Segments: -1, Fields: []Field{},
			Sent: []Message{}, Got: []Message{}, Events: []Event{}},
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

// Pair is the two ends of a loopback connection. A stranger's connection that comes
// in between is not taken for ours.
func Pair(ctx context.Context) (a, b *net.TCPConn, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	if err != nil {
		return nil, nil, err
	}
	l.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	for {
		in, err := l.Accept()
		if err != nil {
			out.Close()
			return nil, nil, err
		}
		if in.RemoteAddr().String() == out.LocalAddr().String() {
			return out.(*net.TCPConn), in.(*net.TCPConn), nil
		}
		in.Close()
	}
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
	c.look()
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
			c.look()
			continue
		}
		if err := act(); err != nil {
			return err
		}
		quiet = time.Now()
		c.look()
	}
}

// who is due next, and when: the sender, the receiver, or nobody until something
// arrives.
func (c *connection) who() (due time.Duration, act func() error) {
	type turn struct {
		due time.Duration
		act func() error
	}
	if c.flying() > 0 {
		return 0, nil
	}
	var turns []turn
	if c.acksSent < c.reader.acks { // the receiving program is about to answer, and nothing else
		turns = append(turns, turn{c.ackDue, c.sendAck})
	} else if c.canRecv() {
		turns = append(turns, turn{c.recvDue, c.recv})
	}
	switch {
	case c.next < len(c.sends) && c.sends[c.next].acks <= c.acksGot:
		turns = append([]turn{{c.sendDue, c.send}}, turns...) // at the same moment it goes first
	case c.next == len(c.sends) && !c.ended && c.read == c.written: // a FIN pushes out what waits
		turns = append([]turn{{c.sendDue, c.end}}, turns...)
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
		return c.written > c.read || c.ended
	}
	return c.ready > 0 || c.ended && c.read == c.written
}

// flying is how many bytes have left and not arrived yet. On loopback that lasts
// microseconds, and nobody is called meanwhile: whether they come in time is not left to chance.
func (c *connection) flying() int {
	switch {
	case c.ready < 0:
		return 0
	case c.known:
		return c.seen.Bytes - c.seen.Resent - c.read - c.ready
	case c.NoDelay():
		return c.written - c.read - c.ready
	}
	return 0 // Nagle, on a system that does not tell what it holds back
}

// NoDelay is the sender's option in this run.
func (c *connection) NoDelay() bool { return c.Trace.NoDelay }

func (c *connection) send() error {
	p := c.sends[c.next]
	c.a.SetWriteDeadline(time.Now().Add(patience))
	if _, err := c.a.Write(p.data); err != nil { // no bytes: send(b'') is called, too
		return err
	}
	e := Event{Kind: KindSend, From: c.written, To: c.written + len(p.data)}
	c.next++
	c.written += len(p.data)
	c.sendDue += time.Duration(c.Gap) * time.Millisecond
	c.add(e)
	return nil
}

func (c *connection) end() error {
	if err := c.a.CloseWrite(); err != nil {
		return err
	}
	c.ended = true
	c.add(Event{Kind: KindClose, From: c.written, To: c.written})
	return nil
}

func (c *connection) recv() error {
	ask := c.reader.ask()
	buf := make([]byte, ask)
	limit := patience
	if c.ready < 0 {
		limit = 5 * time.Millisecond // nobody says whether something is there: a try
	}
	c.b.SetReadDeadline(time.Now().Add(limit))
	n, err := c.b.Read(buf)
	if c.ready < 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	c.add(Event{Kind: KindRecv, From: c.read, To: c.read + n, Ask: ask, Ready: c.ready})
	c.read += n
	if n == 0 {
		c.over = true
		return nil
	}
	acks := c.reader.acks
	for range c.reader.feed(buf[:n]) {
		m := c.reader.got[c.counts[KindMessage]]
		c.add(Event{Kind: KindMessage, From: m.From, To: m.To})
	}
	if c.reader.acks > acks {
		c.ackDue = time.Since(c.start)
		if c.acksSent > 0 || c.recvDue == 0 { // the first recv has waited already
			c.ackDue += time.Duration(c.Delay) * time.Millisecond
		}
	}
	c.recvDue = 0 // from now on it reads whenever something is there
	return nil
}

// sendAck is the handshake: the receiving program answers, the sender receives it.
func (c *connection) sendAck() error {
	c.b.SetWriteDeadline(time.Now().Add(patience))
	if _, err := c.b.Write([]byte(dialect.AckText)); err != nil {
		return err
	}
	c.acksSent++
	c.a.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(c.a, make([]byte, len(dialect.AckText))); err != nil {
		return err
	}
	c.acksGot++
	c.add(Event{Kind: KindAck, From: c.read, To: c.read})
	c.sendDue = max(c.sendDue, time.Since(c.start))
	return nil
}

// look asks the kernel what has changed: segments that left, bytes that wait.
func (c *connection) look() {
	now := c.now()
	if out, ok := probe.Sent(c.a); ok {
		c.known = true
		if out.Segments > c.seen.Segments {
			from, to := c.seen.Bytes-c.seen.Resent, out.Bytes-out.Resent
			c.add(Event{
				Kind: KindSegment, N: c.seen.Segments + 1, From: from, To: to,
				Count: out.Segments - c.seen.Segments, Since: c.looked, Held: out.Held,
			})
		}
		c.seen = out
	}
	before := c.ready
	n, ok := probe.Pending(c.b)
	if !ok {
		c.ready = -1
	} else {
		c.ready, c.Buffer = n, true
		if n > before && c.start != (time.Time{}) {
			c.add(Event{Kind: KindBuffer, From: c.read, To: c.read + n})
		}
	}
	c.looked = now
}

// add writes an event down.
func (c *connection) add(e Event) {
	c.counts[e.Kind]++
	e.At = c.now()
	if e.N == 0 {
		e.N = c.counts[e.Kind]
	}
	if e.Kind == KindSend {
		if out, ok := probe.Sent(c.a); ok { // else it is not known, and 0
			e.Held = out.Held
		}
	}
	c.Events = append(c.Events, e)
}

func (c *connection) now() int64 { return time.Since(c.start).Microseconds() }

func (c *connection) pause(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}
