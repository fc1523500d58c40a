package mux

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"minissh/protocol"
)

// wire is one direction of a link in memory: with a delay, a size of what fits into it, and a place
// where it breaks.
type wire struct {
	mu       sync.Mutex
	change   sync.Cond
	delay    time.Duration
	room     int // bytes that may be under way, 0: any number
	pieces   []piece
	under    int   // bytes under way
	written  int64 // bytes ever
	cutAt    int64 // break both directions when so many bytes have been written, -1: never
	frames   int   // if not 0, cutAt is set after so many frames
	extra    int64 // and so many bytes of the next
	lossy    bool  // what is under way when the link breaks is lost
	hole     bool  // everything written is lost and nobody is told
	cut      func()
	noMore   bool  // the writing end is closed: EOF follows
	deaf     bool  // the reading end is closed
	broken   error // the link broke
	deadline [2]time.Time
}

type piece struct {
	due  time.Time
	data []byte
}

const (
	reading = iota
	writing
)

func newWire() *wire {
	w := &wire{cutAt: -1}
	w.change.L = &w.mu
	return w
}

// wait waits for a change; the caller holds mu. It returns an error when the deadline has passed.
func (w *wire) wait(side int, until time.Time) error {
	if d := w.deadline[side]; !d.IsZero() {
		if !time.Now().Before(d) {
			return os.ErrDeadlineExceeded
		}
		if until.IsZero() || d.Before(until) {
			until = d
		}
	}
	if !until.IsZero() {
		defer time.AfterFunc(time.Until(until), w.wake).Stop()
	}
	w.change.Wait()
	return nil
}

func (w *wire) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.change.Broadcast()
}

func (w *wire) read(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		if w.deaf {
			return 0, net.ErrClosed
		}
		var due time.Time
		if len(w.pieces) > 0 {
			if due = w.pieces[0].due; !time.Now().Before(due) {
				break
			}
		} else if w.broken != nil {
			return 0, w.broken
		} else if w.noMore {
			return 0, io.EOF
		}
		if err := w.wait(reading, due); err != nil {
			return 0, err
		}
	}
	n := copy(p, w.pieces[0].data)
	if w.pieces[0].data = w.pieces[0].data[n:]; len(w.pieces[0].data) == 0 {
		if w.pieces = w.pieces[1:]; len(w.pieces) == 0 {
			w.pieces = nil // tests measure memory
		}
	}
	w.under -= n
	w.change.Broadcast()
	return n, nil
}

func (w *wire) write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	done := 0
	for rest := p; w.frames > 0 && len(rest) > 0; { // a Write is whole frames (FR4)
		rest = rest[protocol.HeaderSize+int(binary.BigEndian.Uint32(rest)):]
		if w.frames--; w.frames == 0 {
			w.cutAt = w.written + int64(len(p)-len(rest)) + w.extra
		}
	}
	for done < len(p) {
		switch {
		case w.noMore:
			return done, net.ErrClosed
		case w.broken != nil:
			return done, syscall.EPIPE
		case w.deaf:
			return done, syscall.ECONNRESET
		}
		if w.hole {
			return len(p), nil
		}
		n := len(p) - done
		if w.room > 0 {
			n = min(n, w.room-w.under)
		}
		if w.cutAt >= 0 {
			n = int(min(int64(n), w.cutAt-w.written))
		}
		if n > 0 {
			w.pieces = append(w.pieces,
				piece{time.Now().Add(w.delay), append([]byte(nil), p[done:done+n]...)})
			done += n
			w.under += n
			w.written += int64(n)
			w.change.Broadcast()
		}
		if w.cutAt >= 0 && w.written == w.cutAt {
			w.cutAt = -1
			w.broken = errors.New("the link was cut")
			w.mu.Unlock()
			w.cut()
			w.mu.Lock()
			continue
		}
		if n == 0 {
			if err := w.wait(writing, time.Time{}); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

func (w *wire) set(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	w.change.Broadcast()
}

// end is one end of a link in memory, a net.Conn. Closing it before everything has been read resets
// it, as in TCP.
type end struct{ in, out *wire }

// pipe makes a link. Its wires may be changed before use.
func pipe() (near, far *end) {
	a, b := newWire(), newWire()
	snap := func() {
		for _, w := range []*wire{a, b} {
			w.set(func() {
				if w.broken == nil {
					w.broken = syscall.ECONNRESET
				}
				if w.lossy {
					w.pieces, w.under = nil, 0
				}
			})
		}
	}
	a.cut, b.cut = snap, snap
	return &end{in: b, out: a}, &end{in: a, out: b}
}

func (e *end) Read(p []byte) (int, error)  { return e.in.read(p) }
func (e *end) Write(p []byte) (int, error) { return e.out.write(p) }

func (e *end) CloseWrite() error {
	e.out.set(func() { e.out.noMore = true })
	return nil
}

func (e *end) Close() error {
	reset := false
	e.in.set(func() {
		reset = e.in.under > 0 && !e.in.deaf
		e.in.deaf = true
		e.in.pieces = nil
	})
	e.out.set(func() {
		e.out.noMore = true
		if reset { // what the peer has not read yet is lost with it
			e.out.broken = syscall.ECONNRESET
			e.out.pieces, e.out.under = nil, 0
		}
	})
	return nil
}

func (e *end) SetDeadline(t time.Time) error {
	e.SetReadDeadline(t)
	return e.SetWriteDeadline(t)
}

func (e *end) SetReadDeadline(t time.Time) error {
	e.in.set(func() { e.in.deadline[reading] = t })
	return nil
}

func (e *end) SetWriteDeadline(t time.Time) error {
	e.out.set(func() { e.out.deadline[writing] = t })
	return nil
}

func (e *end) LocalAddr() net.Addr  { return &net.UnixAddr{Name: "here", Net: "unix"} }
func (e *end) RemoteAddr() net.Addr { return &net.UnixAddr{Name: "there", Net: "unix"} }
