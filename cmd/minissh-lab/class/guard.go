package class

import (
	"bufio"
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Limits of connections.
const (
	maxConns   = 256             // at a time
	maxOfOne   = 6               // at a time from one address, at least
	maxOwn     = 48              // at a time from this machine, whose users are several
	maxPage    = 32              // at a time at the projector's page
	patience   = 5 * time.Second // for a report to come, and for its answer to go
	afterFail  = 50 * time.Millisecond
	maxRequest = 4 << 10 // bytes of a page's request, and of what is voted with it
)

// guard counts the connections that are open.
type guard struct {
	mu   sync.Mutex
	all  int            // owned by mu
	from map[string]int // owned by mu
	most int            // at a time from one address
}

// enter lets a connection in; leave must be called when it has ended.
func (g *guard) enter(from string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	most := g.most
	if from == "" {
		most = maxOwn
	}
	if g.all >= maxConns || g.from[from] >= most {
		return false
	}
	g.all++
	g.from[from]++
	return true
}

func (g *guard) leave(from string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all--
	if g.from[from]--; g.from[from] == 0 {
		delete(g.from, from)
	}
}

// source is the address that a connection comes from, "" from this machine.
func source(conn net.Conn) string {
	from, _, err := net.SplitHostPort(conn.RemoteAddr().String())
	to, _, _ := net.SplitHostPort(conn.LocalAddr().String())
	if err != nil || from == to {
		return ""
	}
	return from
}

// visitor is a connection whose first bytes have been looked at.
type visitor struct {
	net.Conn
	r     *bufio.Reader
	from  string
	once  sync.Once
	left  func()
	unset func() bool
}

func (v *visitor) Read(b []byte) (int, error) { return v.r.Read(b) }

// Close lets the next connection in.
func (v *visitor) Close() error {
	err := v.Conn.Close()
	v.once.Do(func() { v.unset(); v.left() })
	return err
}

// accept hands each connection that is let in to serve, in a goroutine of its own, until ctx ends
// (nil) or l is closed; then it waits for them. From one address come perAddress students, whose
// browsers make two connections each.
func accept(ctx context.Context, l net.Listener, perAddress int, serve func(*visitor)) error {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	g := &guard{from: map[string]int{}, most: max(maxOfOne, 2*perAddress)}
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if errors.Is(err, net.ErrClosed) {
				return err
			}
			select { // such as too many open files: it must not spin
			case <-time.After(afterFail):
				continue
			case <-ctx.Done():
				return nil
			}
		}
		from := source(conn)
		if !g.enter(from) {
			conn.Close() // a full classroom knocks again
			continue
		}
		v := &visitor{Conn: conn, r: bufio.NewReaderSize(conn, maxLine), from: from,
			left: func() { g.leave(from) }}
		v.unset = context.AfterFunc(ctx, func() { conn.Close() })
		all.Go(func() { serve(v) })
	}
}

// handed is a listener of the connections that it is handed.
type handed struct {
	conns chan net.Conn
	ended chan struct{}
	once  sync.Once
	at    net.Addr
}

func newHanded(at net.Addr) *handed {
	return &handed{conns: make(chan net.Conn), ended: make(chan struct{}), at: at}
}

// Accept returns the next connection.
func (h *handed) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.ended:
		return nil, net.ErrClosed
	}
}

// hand gives a connection to whoever accepts.
func (h *handed) hand(c net.Conn) {
	select {
	case h.conns <- c:
	case <-h.ended:
		c.Close()
	}
}

// Close ends Accept.
func (h *handed) Close() error { h.once.Do(func() { close(h.ended) }); return nil }

// Addr is where the connections come from.
func (h *handed) Addr() net.Addr { return h.at }
