package record

import (
	"context"
	"io"
	"net"
	"time"

	"minissh/cmd/minissh-lab/chaos/probe"
)

// path is what a latency is simulated with: a relay of the lab between the two ends, which holds
// back all that it takes. Both ends talk to it over loopback, so TCP's own acknowledgements come
// from the relay, at once: they say nothing about the latency, and are not recorded.
//
// What it takes is due by the schedule, not by the clock: two sends of one moment arrive in one.
type path struct {
	latency   time.Duration
	near, far *net.TCPConn // the relay's ends: the sender's peer, the receiver's
	held      []parcel     // in the order in which they are due: all have the same latency
	taken     int          // bytes that the relay has taken from the sender
	given     int          // bytes that it has passed on
	prompt    []mark
}

// parcel is what the path holds back.
type parcel struct {
	due  time.Duration // since the start of the run
	data []byte
	kind string        // KindSend, KindAck or KindClose
	sent time.Duration // KindAck: when it began
}

// mark says until which byte a send's bytes left at its own moment.
type mark struct {
	to int
	at time.Duration
}

// connect opens what a run needs; the path is nil when there is no latency.
func (s Setting) connect(ctx context.Context) (a, b *net.TCPConn, way *path, err error) {
	if s.Latency == 0 {
		a, b, err = pair(ctx, s.Buffers)
		return a, b, nil, err
	}
	way = &path{latency: time.Duration(s.Latency) * time.Millisecond}
	if a, way.near, err = Pair(ctx); err != nil {
		return nil, nil, nil, err
	}
	if way.far, b, err = Pair(ctx); err != nil {
		a.Close()
		way.near.Close()
		return nil, nil, nil, err
	}
	return a, b, way, nil
}

// Pair is the two ends of a loopback connection. A stranger's connection that comes
// in between is not taken for ours.
func Pair(ctx context.Context) (a, b *net.TCPConn, err error) { return pair(ctx, 0) }

// pair is Pair with the sender's send buffer and the receiver's receive buffer of a size, which
// must be known before the connection is there. 0: the system's own.
func pair(ctx context.Context, buffers int) (a, b *net.TCPConn, err error) {
	listen := net.ListenConfig{Control: receiveBuffer(buffers)}
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	dial := net.Dialer{Control: sendBuffer(buffers)}
	out, err := dial.DialContext(ctx, "tcp", l.Addr().String())
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

func (p *path) close() {
	if p != nil {
		p.near.Close()
		p.far.Close()
	}
}

// due is when the next parcel goes on.
func (p *path) due() (time.Duration, bool) {
	if len(p.held) == 0 {
		return 0, false
	}
	return p.held[0].due, true
}

// hold takes a parcel that began its way at a moment.
func (p *path) hold(at time.Duration, kind string, data []byte) {
	due := at + p.latency
	if n := len(p.held); n > 0 { // nothing overtakes
		due = max(due, p.held[n-1].due)
	}
	p.held = append(p.held, parcel{due: due, data: data, kind: kind, sent: at})
}

// take takes what has come from the sender.
func (p *path) take(now time.Duration) error {
	n, ok := probe.Pending(p.near)
	buf, limit := make([]byte, n), patience
	if !ok {
		buf, limit = make([]byte, MaxMessage), glance // nobody says whether something is there
	}
	if len(buf) == 0 {
		return nil
	}
	p.near.SetReadDeadline(time.Now().Add(limit))
	n, err := p.near.Read(buf)
	if n == 0 {
		if ok && err != io.EOF {
			return err
		}
		return nil
	}
	p.taken += n
	for len(p.prompt) > 0 {
		if m := p.prompt[0]; m.to >= p.taken {
			now = m.at
			break
		}
		p.prompt = p.prompt[1:]
	}
	p.hold(now, KindSend, buf[:n])
	return nil
}

// deliver passes the next parcel on.
func (c *connection) deliver() error {
	p := c.path
	next := p.held[0]
	p.held = p.held[1:]
	c.recvDue = max(c.recvDue, next.due) // what is due at the same moment comes before the recv
	switch next.kind {
	case KindAck:
		p.near.SetWriteDeadline(time.Now().Add(patience))
		if _, err := p.near.Write(next.data); err != nil {
			return err
		}
		return c.takeAck(next.sent, next.due)
	case KindClose:
		c.arrived = true
		return p.far.CloseWrite()
	}
	p.far.SetWriteDeadline(time.Now().Add(patience))
	n, err := p.far.Write(next.data)
	p.given += n
	return err
}
