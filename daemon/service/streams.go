package service

import (
	"io"
	"sync/atomic"
	"time"

	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// forward carries one stream of output to the client, and tells of its end where the command lives
// on. When the client wants no more, it closes the stream, as a pipe breaks.
func (c *command) forward(kind protocol.Type, from process.Output) {
	defer from.Close()
	n, _ := c.ch.Copy(kind, &waiting{from, &c.waiting, c.answers}, from.Loud)
	c.out.Add(n)
	c.streams.Add(-1)
	soon := time.NewTimer(endsSoon)
	defer soon.Stop()
	select {
	case <-c.p.Done(): // run tells the end of everything in one piece
	case <-c.handing:
	case <-soon.C:
		c.ch.EOF(kind)
	}
}

// endsSoon is how long the end of a stream may wait for the command's, which mostly comes next.
const endsSoon = 2 * time.Millisecond

// waiting counts the readers that wait for output: what is not read because the client grants no
// credit is held by nobody (EX5).
type waiting struct {
	from  io.Reader
	count *atomic.Int32
	came  func() // may be nil
}

func (w *waiting) Read(p []byte) (int, error) {
	w.count.Add(1)
	n, err := w.from.Read(p)
	w.count.Add(-1)
	if w.came != nil {
		w.came()
	}
	return n, err
}

// quiet is the most bytes that a quiet stream gives at a time; more let expect more.
const quiet = 16 << 10

// feed carries STDIN to the command until the channel's end. What the command does not want is
// dropped.
func (c *command) feed() {
	loud := false
	if terminal, ok := c.p.Stdin.(mux.TryWriter); ok {
		c.ch.Sink(func(_ protocol.Type, p []byte) int {
			n := terminal.TryWrite(p)
			c.in.Add(int64(n))
			return n
		})
	}
	for {
		e, err := c.ch.Take()
		if e.EOF {
			c.p.Stdin.Close()
		}
		if len(e.Data) > 0 {
			c.in.Add(int64(len(e.Data)))
			// fails when the command has closed its end: then nothing is left to do
			c.p.Stdin.Write(e.Data)
		}
		if !loud && len(e.Data) > quiet {
			loud = true
			c.p.Stdin.Loud()
		}
		if err != nil {
			return
		}
	}
}
