package relay

import (
	"errors"
	"io"
	"net"
	"sync"

	"minissh/cmd/minissh-lab/chaos/probe"
	"minissh/cmd/minissh-lab/tape"
)

// link is one connection. Each direction has a goroutine of its own.
type link struct {
	n              int // on the tape
	tape           *tape.Tape
	client, server net.Conn

	mu    sync.Mutex
	ended map[tape.Way]bool // owned by mu: directions that have passed on their FIN
	gone  tape.Way          // owned by mu: whose sender takes nothing any more; "" for nobody
	over  bool              // owned by mu: both sockets are closed
}

// run passes bytes on until both directions have ended, or one is reset, and closes both sockets.
func (k *link) run() {
	var up sync.WaitGroup
	up.Go(func() { k.pump(k.client, k.server, tape.Up) })
	k.pump(k.server, k.client, tape.Down)
	up.Wait()
	k.close()
}

// close closes both sockets, once.
func (k *link) close() { k.end(func(c net.Conn) { c.Close() }, nil) }

// reset passes on a RST of who sends in this direction. Once both sockets are closed, what the
// other direction sees of it is not news.
func (k *link) reset(way tape.Way) {
	k.end(abort, func() { k.tape.Add(tape.Event{Conn: k.n, Kind: tape.Reset, Way: way}) })
}

func (k *link) end(each func(net.Conn), first func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over {
		return
	}
	k.over = true
	if first != nil {
		first()
	}
	each(k.client)
	each(k.server)
}

// pump passes on what src sends.
func (k *link) pump(src, dst net.Conn, way tape.Way) {
	buf := make([]byte, tape.MaxPiece)
	var seen counter
	for {
		n, err := src.Read(buf)
		if n > 0 {
			k.tape.Add(tape.Event{Conn: k.n, Kind: tape.Data, Way: way, Data: buf[:n],
				Segments: seen.segments(src, n)})
			if _, err := dst.Write(buf[:n]); err != nil {
				k.lose(other(way))
				return
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF) && !k.lost(way):
			k.finish(src, dst, way)
			return
		default:
			k.reset(way)
			return
		}
	}
}

// lose notes that whoever sends in this direction has gone: it answered our bytes with a RST. What
// it had sent before is still passed on: only then comes the RST, from the pump of that direction.
func (k *link) lose(way tape.Way) {
	k.mu.Lock()
	k.gone = way
	ended := k.ended[way]
	k.mu.Unlock()
	if ended {
		k.reset(way)
	}
}

func (k *link) lost(way tape.Way) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.gone == way
}

// finish passes on the FIN of src, and waits for a RST that may still follow it.
func (k *link) finish(src, dst net.Conn, way tape.Way) {
	k.tape.Add(tape.Event{Conn: k.n, Kind: tape.End, Way: way})
	if d, ok := dst.(interface{ CloseWrite() error }); ok {
		d.CloseWrite() // of a peer that has gone, the other direction tells
	}
	k.mu.Lock()
	k.ended[way] = true
	both, gone := k.ended[other(way)], k.gone == way
	k.mu.Unlock()
	switch {
	case both:
		k.close()
	case gone || resetAfterEnd(src):
		k.reset(way)
	}
}

func other(w tape.Way) tape.Way {
	if w == tape.Up {
		return tape.Down
	}
	return tape.Up
}

// counter counts the segments of one direction. One goroutine owns it.
type counter struct {
	read   int  // bytes
	seen   int  // segments, when all they held had been read
	behind bool // at the last read, more had come than was read
}

// segments is how many carried the n bytes that were just read from conn, 0 if that is not known.
func (c *counter) segments(conn net.Conn, n int) int {
	c.read += n
	segments, bytes, ok := probe.Received(conn)
	if !ok || bytes != c.read {
		c.behind = true
		return 0
	}
	k := segments - c.seen
	if c.behind || k > n { // or some came twice
		k = 0
	}
	c.seen, c.behind = segments, false
	return k
}
