package daemon

import (
	"io"
	"sync"
	"sync/atomic"

	"minissh/protocol"
)

// Input is moved in small pieces until one is filled; only then is a large buffer borrowed, so that a quiet command holds little.
const (
	quiet = 4 << 10
	loud  = 4 * protocol.MaxPayload
)

var buffers = sync.Pool{New: func() any { return new([loud]byte) }}

func borrow() *[loud]byte    { return buffers.Get().(*[loud]byte) }
func giveBack(b *[loud]byte) { buffers.Put(b) }

// forward carries one stream of output to the client, then its EOF. When the client wants no more, it closes the stream, so that the
// command notices as it would on a broken pipe.
func (c *command) forward(kind protocol.Type, from io.ReadCloser) {
	defer from.Close()
	defer c.ch.EOF(kind)
	defer c.streams.Add(-1)
	n, _ := c.ch.Copy(kind, waiting{from, &c.waiting}, func() { makeLoud(from) })
	c.out.Add(n)
}

// waiting counts the readers that wait for output: what is not read because the client grants no credit is held by nobody (P6.5).
type waiting struct {
	from  io.Reader
	count *atomic.Int32
}

func (w waiting) Read(p []byte) (int, error) {
	w.count.Add(1)
	defer w.count.Add(-1)
	return w.from.Read(p)
}

// makeLoud tells a pipe of daemon/process that much will pass through it.
func makeLoud(pipe any) {
	if p, ok := pipe.(interface{ Loud() }); ok {
		p.Loud()
	}
}

// feed carries STDIN to the command until the channel's end. What the command does not want any more is read and dropped.
func (c *command) feed() {
	var small [quiet]byte
	var large *[loud]byte
	buf := small[:]
	for {
		e, err := c.ch.Next(buf)
		if e.EOF {
			c.p.Stdin.Close()
		}
		if e.N > 0 {
			c.in.Add(int64(e.N))
			c.p.Stdin.Write(buf[:e.N]) // fails when the command has closed its end: then nothing is left to do
		}
		switch {
		case e.N == quiet && large == nil:
			large = borrow()
			makeLoud(c.p.Stdin)
			buf = large[:]
		case e.N < quiet && large != nil:
			giveBack(large)
			large, buf = nil, small[:]
		}
		if err != nil {
			return
		}
	}
}
