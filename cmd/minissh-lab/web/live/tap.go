package live

import (
	"net"
	"sync"
	"time"

	"minissh/cmd/minissh-lab/chaos/probe"
	"minissh/cmd/minissh-lab/web/record"
)

// maxWire is how many bytes of one direction are kept.
const maxWire = 256 << 10

// tap is one end of the TCP connection. What it sends is one direction.
type tap struct {
	*net.TCPConn
	out, in *flow
}

// flow is one direction, as bytes on the wire: TLS records.
type flow struct {
	mu     sync.Mutex // owns the rest
	start  time.Time
	wire   []byte
	events []record.Event // places are those of wire
	sends  int
	recvs  int
	read   int
	seen   probe.Outgoing
	known  bool
	looked int64
	buffer bool
	over   bool           // more than maxWire
	text   int            // where the first record of frames begins in wire
	frames []record.Event // places are those of the frames' own bytes
	plain  []byte         // the frames
}

// Write is a send call.
func (t *tap) Write(p []byte) (int, error) {
	f := t.out
	f.mu.Lock()
	defer f.mu.Unlock()
	f.look(t.TCPConn)
	n, err := t.TCPConn.Write(p)
	if len(f.wire)+n > maxWire {
		f.over = true
		return n, err
	}
	f.sends++
	f.events = append(f.events, record.Event{At: f.now(), Kind: record.KindSend, N: f.sends,
		From: len(f.wire), To: len(f.wire) + n})
	f.wire = append(f.wire, p[:n]...)
	f.look(t.TCPConn)
	return n, err
}

// look asks the kernel what has left. The caller holds mu.
func (f *flow) look(conn net.Conn) {
	out, ok := probe.Sent(conn)
	if ok && !f.over {
		f.known = true
		if out.Segments > f.seen.Segments {
			f.events = append(f.events, record.Event{
				At: f.now(), Kind: record.KindSegment, N: f.seen.Segments + 1,
				From: f.seen.Bytes - f.seen.Resent, To: out.Bytes - out.Resent,
				Count: out.Segments - f.seen.Segments, Since: f.looked, Held: out.Held,
			})
		}
		f.seen = out
	}
	f.looked = f.now()
}

// Read is a recv call. What waited for it is what it returned and what FIONREAD
// finds right after it.
func (t *tap) Read(p []byte) (int, error) {
	n, err := t.TCPConn.Read(p)
	f := t.in
	f.mu.Lock()
	defer f.mu.Unlock()
	if n <= 0 || f.over || f.read+n > len(f.wire) {
		return n, err
	}
	ready := -1
	if rest, ok := probe.Pending(t.TCPConn); ok {
		ready, f.buffer = n+rest, true
		f.events = append(f.events, record.Event{At: f.now(), Kind: record.KindBuffer, From: f.read,
			To: min(f.read+ready, len(f.wire))})
	}
	f.recvs++
	f.events = append(f.events, record.Event{At: f.now(), Kind: record.KindRecv, N: f.recvs,
		From: f.read, To: f.read + n, Ask: len(p), Ready: ready})
	f.read += n
	return n, err
}

func (f *flow) now() int64 { return time.Since(f.start).Microseconds() }
