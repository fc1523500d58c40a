package mux

import (
	"io"
	"sync"
	"time"

	"minissh/protocol"
)

// A stream is read in small pieces until one is full; only then is a large buffer borrowed, so that
// a quiet stream holds little.
const (
	quietRead = 4 << 10
	loudRead  = 4 * pieceSize
	// loudMost is how many streams of a session may hold a large buffer at once: a peer that reads
	// nothing keeps them all.
	loudMost = 8
	// breath is how long a loud stream is left alone after a read that found little. A reader that
	// is quicker than the program at the other end of a pipe would wake for every page that is
	// written, and make a frame of each.
	breath = 50 * time.Microsecond
)

var reads = sync.Pool{New: func() any { return new([loudRead]byte) }}

// Copy sends what it reads as data of the given type until the reader's end, and returns how much
// it sent. It sends no EOF. loud, which may be nil, is called whenever much is expected. The error
// is Write's, or the reader's unless that is io.EOF.
func (c *Channel) Copy(kind protocol.Type, from io.Reader, loud func()) (sent int64, err error) {
	var small [quietRead]byte
	for {
		n, err := from.Read(small[:])
		more, failed := c.pass(kind, small[:n], err)
		sent += more
		if failed == nil && n == quietRead {
			more, failed = c.copyLoud(kind, from, loud)
			sent += more
		}
		if failed == io.EOF {
			return sent, nil
		}
		if failed != nil {
			return sent, failed
		}
	}
}

// copyLoud copies while much comes; it returns nil when the stream is quiet again.
func (c *Channel) copyLoud(kind protocol.Type, from io.Reader, loud func()) (sent int64,
	err error) {
	defer c.s.loud.Add(-1)
	if c.s.loud.Add(1) > loudMost {
		return 0, nil // it goes on in small pieces
	}
	if loud == nil {
		loud = func() {}
	}
	loud()
	buf := reads.Get().(*[loudRead]byte)
	defer reads.Put(buf)
	for {
		n, err := from.Read(buf[:])
		more, err := c.pass(kind, buf[:n], err)
		sent += more
		if err != nil || n < quietRead {
			return sent, err
		}
		if n < protocol.MaxPayload/2 {
			loud() // it may have become quiet for a moment
			time.Sleep(breath)
		}
	}
}

// pass sends what one Read returned, then returns the Read's error, unless the sending failed.
func (c *Channel) pass(kind protocol.Type, p []byte, readErr error) (int64, error) {
	n, err := c.Write(kind, p)
	if err == nil {
		err = readErr
	}
	return int64(n), err
}
