package transport

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"

	"minissh/protocol/nonblock"
)

// bufferSize holds four large frames in TLS records: what package mux writes at once.
const bufferSize = 272 << 10

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// ErrTooMuch ends a connection that sent more than ID8 allows before it was authorized.
var ErrTooMuch = errors.New("too many bytes before authorization")

// buffered is between TLS and the socket. crypto/tls reads and writes record by record (16 KiB);
// here many of them share one system call. It borrows its buffers only while bytes flow, so that an
// idle connection holds none.
type buffered struct {
	net.Conn
	raw net.Conn // the same, as it was given

	left atomic.Int64 // bytes that may still be read; negative: no limit

	turn *Turn // of a daemon's handshake; nil after it

	// The reading goroutine owns these.
	in       *[bufferSize]byte
	from, to int  // what of in has not been read yet
	busy     bool // the last read was filled: more is likely to wait

	mu     sync.Mutex // guards the rest
	corked bool
	out    *[bufferSize]byte
	filled int
}

func newBuffered(conn net.Conn, limit int64) *buffered {
	b := &buffered{Conn: nonblock.Conn(conn), raw: conn}
	b.left.Store(limit)
	return b
}

// Read returns buffered bytes first. While little arrives it reads straight into p; only after a
// read that was filled does it borrow a buffer.
func (b *buffered) Read(p []byte) (int, error) {
	if b.from < b.to {
		n := copy(p, b.in[b.from:b.to])
		if b.from += n; b.from == b.to {
			buffers.Put(b.in)
			b.in = nil
		}
		return n, nil
	}
	left := b.left.Load()
	if left == 0 {
		return 0, ErrTooMuch
	}
	if left > 0 {
		b.turn.give()
		n, err := b.Conn.Read(p[:min(int64(len(p)), left)])
		b.turn.take()
		b.left.CompareAndSwap(left, left-int64(n)) // fails only if the limit was lifted meanwhile
		return n, err
	}
	if !b.busy || len(p) >= bufferSize {
		n, err := b.Conn.Read(p)
		b.busy = n == len(p)
		return n, err
	}
	b.in = buffers.Get().(*[bufferSize]byte)
	n, err := b.Conn.Read(b.in[:])
	b.from, b.to = copy(p, b.in[:n]), n
	b.busy = n == bufferSize
	if b.from == b.to {
		buffers.Put(b.in)
		b.in = nil
	}
	return b.from, err
}

// Write keeps p while corked, and passes it on otherwise.
func (b *buffered) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.corked {
		return b.Conn.Write(p)
	}
	if b.out == nil {
		b.out = buffers.Get().(*[bufferSize]byte)
	}
	for rest := p; len(rest) > 0; {
		n := copy(b.out[b.filled:], rest)
		b.filled += n
		rest = rest[n:]
		if b.filled == bufferSize {
			if err := b.flush(); err != nil {
				return 0, err
			}
		}
	}
	return len(p), nil
}

// cork gathers writes until uncork.
func (b *buffered) cork() {
	b.mu.Lock()
	b.corked = true
	b.mu.Unlock()
}

func (b *buffered) uncork() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.corked = false
	err := b.flush()
	if b.out != nil {
		buffers.Put(b.out)
		b.out = nil
	}
	return err
}

func (b *buffered) flush() error {
	if b.filled == 0 {
		return nil
	}
	_, err := b.Conn.Write(b.out[:b.filled])
	b.filled = 0
	return err
}
