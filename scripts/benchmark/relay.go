//go:build linux

package main

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// lineHolds is how many bytes may be under way in one direction: more than 1 GB/s for the 100
	// ms of a round trip, so that the relay is never what holds a stream back.
	lineHolds = 320 << 20
	// readSize is one read; blockSize is what reads share, so that small ones do not each hold a
	// large buffer.
	readSize, blockSize = 64 << 10, 1 << 20
)

// relay forwards TCP connections to one daemon as a long wire would: every byte, and every end,
// arrives delay later. The client's own connect is not delayed, but the daemon learns of it delay
// later, as if by the handshake's last packet: a time measured through a relay is a time after
// TCP's own round trip.
type relay struct {
	listener net.Listener
	target   string
	delay    time.Duration
	ended    chan struct{}
	mu       sync.Mutex // guards conns and closed
	conns    map[net.Conn]struct{}
	closed   bool
	wg       sync.WaitGroup
}

func listenRelay(target string, delay time.Duration) (*relay, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{listener: listener, target: target, delay: delay, ended: make(chan struct{}),
		conns: map[net.Conn]struct{}{}}
	r.wg.Go(r.accept)
	return r, nil
}

func (r *relay) address() string { return r.listener.Addr().String() }

// close ends all connections and waits for them.
func (r *relay) close() {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.ended)
		r.listener.Close()
		for c := range r.conns {
			c.Close()
		}
	}
	r.mu.Unlock()
	r.wg.Wait()
}

// own takes charge of a connection, or closes it when the relay has ended.
func (r *relay) own(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		c.Close()
		return false
	}
	r.conns[c] = struct{}{}
	return true
}

func (r *relay) drop(c net.Conn) {
	c.Close()
	r.mu.Lock()
	delete(r.conns, c)
	r.mu.Unlock()
}

func (r *relay) accept() {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		if r.own(near) {
			r.wg.Go(func() { r.forward(near) })
		}
	}
}

// forward carries one connection until both directions have ended. net sets TCP_NODELAY on both
// sides.
func (r *relay) forward(near net.Conn) {
	defer r.drop(near)
	up := newLine(near, r.delay)
	r.wg.Go(up.fill)
	defer up.stop()
	handshake := time.NewTimer(r.delay)
	defer handshake.Stop()
	select {
	case <-handshake.C:
	case <-r.ended:
		return
	}
	far, err := net.Dial("tcp", r.target)
	if err != nil || !r.own(far) {
		return
	}
	defer r.drop(far)
	down := newLine(far, r.delay)
	r.wg.Go(down.fill)
	defer down.stop()
	var pair sync.WaitGroup
	for l, to := range map[*line]net.Conn{up: far, down: near} {
		pair.Go(func() {
			if err := l.drain(to); err != nil { // neither end hears the other any longer
				near.Close()
				far.Close()
			}
		})
	}
	pair.Wait()
}

// line is one direction of a wire: a queue in which bytes wait until they are due.
// fill and drain run in a goroutine each; mu guards all that changes.
type line struct {
	from    io.Reader
	delay   time.Duration
	mu      sync.Mutex
	changed *sync.Cond
	queue   []parcel
	held    int // bytes in queue
	stopped bool
}

// parcel is what one read brought, and when it leaves the wire; data is nil for the end of the
// stream.
type parcel struct {
	due  time.Time
	data []byte
	err  error // with data nil: nil for a clean end
}

func newLine(from io.Reader, delay time.Duration) *line {
	l := &line{from: from, delay: delay}
	l.changed = sync.NewCond(&l.mu)
	return l
}

// fill reads until the stream ends or the line is stopped; it waits while the line holds lineHolds
// bytes.
func (l *line) fill() {
	var block []byte
	for {
		if len(block) < readSize {
			block = make([]byte, blockSize)
		}
		n, err := l.from.Read(block[:readSize])
		if n > 0 && !l.put(parcel{due: time.Now().Add(l.delay), data: block[:n]}) {
			return
		}
		block = block[n:]
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			l.put(parcel{due: time.Now().Add(l.delay), err: err})
			return
		}
	}
}

// put queues p and reports false once the line is stopped.
func (l *line) put(p parcel) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.held >= lineHolds && !l.stopped {
		l.changed.Wait()
	}
	l.queue = append(l.queue, p)
	l.held += len(p.data)
	l.changed.Broadcast()
	return !l.stopped
}

// stop lets fill and drain end.
func (l *line) stop() {
	l.mu.Lock()
	l.stopped = true
	l.changed.Broadcast()
	l.mu.Unlock()
}

// drain writes what is due and passes the end of the stream on. It returns an error when the stream
// broke on either side.
func (l *line) drain(to io.Writer) error {
	for {
		l.mu.Lock()
		for len(l.queue) == 0 && !l.stopped {
			l.changed.Wait()
		}
		if l.stopped {
			l.mu.Unlock()
			return net.ErrClosed
		}
		batch := l.queue
		l.queue = nil
		l.mu.Unlock()
		for _, p := range batch {
			if wait := time.Until(p.due); wait > 0 {
				time.Sleep(wait)
			}
			if p.data == nil {
				if half, ok := to.(interface{ CloseWrite() error }); ok && p.err == nil {
					return half.CloseWrite()
				}
				return p.err
			}
			if _, err := to.Write(p.data); err != nil {
				return err
			}
			l.mu.Lock()
			l.held -= len(p.data)
			l.changed.Broadcast()
			l.mu.Unlock()
		}
	}
}
