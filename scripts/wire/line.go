package wire

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
	// segmented is how much of a direction comes in small pieces: a whole stream of single bytes
	// would measure the relay.
	segmented = 16 << 10
)

// errStopped is why a line that has been stopped for good takes nothing any longer.
var errStopped = errors.New("the line was stopped")

// line is one direction of a wire: a queue in which bytes wait until they are due.
// fill and drain run in a goroutine each.
type line struct {
	from    io.Reader
	delay   time.Duration
	segment int
	limit   int64  // after so many bytes reached is called, once; 0: never
	reached func() // called by drain

	writing sync.Mutex // held while drain writes: whoever has it knows that nothing passes

	mu      sync.Mutex // guards the rest
	changed *sync.Cond
	queue   []parcel
	held    int // bytes in queue
	flow    Flow
	deaf    bool
	stopped bool // for good
	passed  int64
	records records
}

// parcel is what one read brought, and when it leaves the wire; data is nil for the end of the
// stream.
type parcel struct {
	due  time.Time
	data []byte
	err  error // with data nil: nil for a clean end
}

func newLine(from io.Reader, f Fate) *line {
	l := &line{from: from, delay: f.Delay, segment: f.Segment}
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

// put queues p and reports false once the line is stopped. What comes after a cut is dropped; on a
// deaf line put waits until it is stopped.
func (l *line) put(p parcel) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for (l.held >= lineHolds || l.flow == Stops && l.deaf) && !l.stopped {
		l.changed.Wait()
	}
	if l.flow == Stops {
		return !l.stopped
	}
	l.queue = append(l.queue, p)
	l.held += len(p.data)
	l.changed.Broadcast()
	return !l.stopped
}

// cut changes what becomes of the line.
func (l *line) cut(flow Flow, deaf bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flow, l.deaf = flow, deaf
	if flow == Stops {
		l.queue, l.held = nil, 0
	}
	l.changed.Broadcast()
}

// stop lets fill and drain end.
func (l *line) stop() {
	l.mu.Lock()
	l.stopped = true
	l.changed.Broadcast()
	l.mu.Unlock()
}

// bytes is how many have passed.
func (l *line) bytes() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.passed
}

// drain writes what is due and passes the end of the stream on. It returns an error when the stream
// broke on either side. A line that is cut drops all until it is stopped.
func (l *line) drain(to io.Writer) error {
	for {
		l.mu.Lock()
		for len(l.queue) == 0 && !l.stopped {
			l.changed.Wait()
		}
		if l.stopped {
			l.mu.Unlock()
			return errStopped
		}
		batch := l.queue
		l.queue = nil
		l.mu.Unlock()
		for _, p := range batch {
			if wait := time.Until(p.due); wait > 0 {
				time.Sleep(wait)
			}
			if p.data == nil {
				if ended, err := l.end(to, p); ended {
					return err
				}
				continue
			}
			for data := p.data; len(data) > 0; {
				n, err := l.write(to, data)
				if err != nil {
					return err
				}
				data = data[n:]
			}
			l.mu.Lock()
			l.held = max(0, l.held-len(p.data)) // a cut has counted them
			l.changed.Broadcast()
			l.mu.Unlock()
		}
	}
}

// end passes the end of the stream on, unless the line is cut.
func (l *line) end(to io.Writer, p parcel) (ended bool, err error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	flow := l.flow
	l.mu.Unlock()
	if flow != Passes {
		return false, nil
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok && p.err == nil {
		return true, half.CloseWrite()
	}
	return true, p.err
}

// write passes the next piece on and says how much of the data that was; a line that is cut passes
// nothing and drops all.
func (l *line) write(to io.Writer, data []byte) (n int, err error) {
	l.writing.Lock()
	piece, dropped := l.piece(data)
	if dropped {
		l.writing.Unlock()
		return len(data), nil
	}
	n, err = to.Write(piece)
	l.mu.Lock()
	l.passed += int64(n)
	l.records.pass(piece[:n])
	reached := l.limit > 0 && n > 0 && l.passed == l.limit
	if l.flow == Stops {
		err = nil // the cut broke the write off
	}
	l.mu.Unlock()
	l.writing.Unlock()
	if reached {
		l.reached()
	}
	return n, err
}

// piece is how much of the data passes in one write; dropped if the line has stopped.
func (l *line) piece(data []byte) (piece []byte, dropped bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(data)
	if l.segment > 0 && l.passed < segmented {
		n = min(n, l.segment)
	}
	if l.passed < l.limit {
		n = int(min(int64(n), l.limit-l.passed))
	}
	if l.flow == Stalls {
		if n = min(n, l.records.toMiddle(data)); n == 0 {
			l.flow = Stops
			l.queue, l.held = nil, 0
			l.changed.Broadcast()
		}
	}
	return data[:n], l.flow == Stops
}

var _ interface{ CloseWrite() error } = (*net.TCPConn)(nil)
