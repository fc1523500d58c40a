//go:build !race

// Package nonblock reads and writes non-blocking descriptors without telling Go's scheduler that a
// system call is under way.
//
// An ordinary Read or Write announces a call that may block. The first one after a rest wakes the
// scheduler's watching thread, which then looks around every 20 µs for a while. A call on a
// non-blocking descriptor never blocks, and on a quiet connection waking that thread cost more than
// the call: a keystroke has four such calls in each program (an echo took 363 µs with them, and 290
// without). Waiting still happens in Go's poller, so that deadlines and Close work.
//
// Systems other than Linux keep ordinary calls. So does the race detector, which takes ordinary
// reads and writes for what orders two goroutines.
package nonblock

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"minissh/protocol/mux"
)

var (
	_ mux.TryWriter  = (*Descriptor)(nil)
	_ mux.HalfCloser = (*conn)(nil)
)

// direction is reading or writing of one descriptor. Its fields belong to whoever holds mu. step
// and attempt are made once, so that a call allocates nothing.
type direction struct {
	mu   sync.Mutex
	call uintptr // SYS_READ or SYS_WRITE
	wait func(func(fd uintptr) bool) error
	step func(fd uintptr) bool
	// attempt is step made once: n is 0 if the kernel takes nothing.
	attempt func(fd uintptr) bool
	await   func() // called before each wait; may be nil
	rest    func() // called after each wait; nil if await is
	p       []byte
	n       int
	errno   syscall.Errno

	waited bool
}

func newDirection(call uintptr, wait func(func(fd uintptr) bool) error) *direction {
	d := &direction{call: call, wait: wait}
	d.step = d.try
	d.attempt = func(fd uintptr) bool {
		if !d.try(fd) || d.errno != 0 {
			d.n = 0
		}
		return true
	}
	return d
}

// try makes one call and says whether it is done; if not, the poller waits and it is made again.
func (d *direction) try(fd uintptr) bool {
	for {
		n, _, errno := syscall.RawSyscall(d.call, fd,
			uintptr(unsafe.Pointer(unsafe.SliceData(d.p))), uintptr(len(d.p)))
		switch errno {
		case syscall.EINTR:
		case syscall.EAGAIN:
			if d.await != nil {
				d.await()
				d.waited = true
			}
			return false
		default:
			d.n, d.errno = int(n), errno
			return true
		}
	}
}

// once reads or writes as much of p as the kernel takes at once, at least a byte. most bounds a
// single call, since nothing else runs on this Go processor meanwhile.
func (d *direction) once(p []byte) (int, error) {
	const most = 1 << 20
	d.mu.Lock()
	defer d.mu.Unlock()
	d.p = p[:min(len(p), most)]
	err := d.wait(d.step)
	d.p = nil
	if d.waited {
		d.rest()
		d.waited = false
	}
	if err != nil {
		return 0, err
	}
	if d.errno != 0 {
		return 0, d.errno
	}
	return d.n, nil
}

// Descriptor is a file or connection that is in Go's poller already.
type Descriptor struct{ read, write *direction }

// New makes a Descriptor. An error means that this is not possible; the file's own Read and Write
// will do.
func New(file syscall.Conn) (*Descriptor, error) {
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	return &Descriptor{newDirection(syscall.SYS_READ, raw.Read),
		newDirection(syscall.SYS_WRITE, raw.Write)}, nil
}

// Read is io.Reader's. Errors are syscall.Errno, io.EOF, or the poller's (deadline, closed).
func (d *Descriptor) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := d.read.once(p)
	if err == nil && n == 0 {
		return 0, io.EOF
	}
	return n, err
}

// Write is io.Writer's.
func (d *Descriptor) Write(p []byte) (done int, err error) {
	for done < len(p) {
		n, err := d.write.once(p[done:])
		if done += n; err != nil {
			return done, err
		}
	}
	return done, nil
}

// TryWrite writes what the kernel takes at once, and returns how many bytes that were: 0 if it
// takes none, or if there is an error, which the next Write returns.
func (d *Descriptor) TryWrite(p []byte) int {
	if len(p) == 0 || !d.write.mu.TryLock() { // a Write is waiting
		return 0
	}
	defer d.write.mu.Unlock()
	d.write.p, d.write.n = p, 0
	d.write.wait(d.write.attempt)
	d.write.p, d.write.waited = nil, false
	return d.write.n
}

// conn is a connection that is read and written this way.
type conn struct {
	net.Conn
	d        *Descriptor
	patience atomic.Pointer[patience] // nil: writes wait for as long as the write deadline says
}

type patience struct {
	time time.Duration
	more func() bool // may be nil
}

// Conn wraps a TCP or Unix connection to be read and written this way; any other comes back as it
// is.
func Conn(c net.Conn) net.Conn {
	switch c.(type) {
	case *net.TCPConn, *net.UnixConn:
	default:
		return c
	}
	d, err := New(c.(syscall.Conn))
	if err != nil {
		return c
	}
	made := &conn{Conn: c, d: d}
	d.write.await, d.write.rest = made.impatient, made.calm
	return made
}

// SetPatience makes a Write of a wrapped connection fail with os.ErrDeadlineExceeded when it makes
// no progress for so long, unless more, which may be nil, says to wait as long again. It replaces
// the write deadline: a deadline before each write would change a timer every time, and wake a
// thread of Go's scheduler to look at it. This one is set only when a write has to wait. False
// means that the connection does not have this ability.
func SetPatience(c net.Conn, d time.Duration, more func() bool) bool {
	made, ok := c.(*conn)
	if ok {
		made.patience.Store(&patience{d, more})
	}
	return ok
}

func (c *conn) impatient() {
	if p := c.patience.Load(); p != nil {
		c.Conn.SetWriteDeadline(time.Now().Add(p.time))
	}
}

func (c *conn) calm() {
	if c.patience.Load() != nil {
		c.Conn.SetWriteDeadline(time.Time{})
	}
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.d.Read(p)
	if err != nil {
		err = c.named("read", err)
	}
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	n, err := c.d.Write(p)
	if err == nil {
		return n, nil
	}
	for errors.Is(err, os.ErrDeadlineExceeded) {
		if held := c.patience.Load(); held == nil || held.more == nil || !held.more() {
			break
		}
		var more int
		more, err = c.d.Write(p[n:])
		n += more
	}
	return n, c.named("write", err)
}

// named makes an error like those of package net.
func (c *conn) named(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	if e, ok := err.(*net.OpError); ok { // the poller's: "raw-read"
		err = e.Err
	}
	if errno, ok := err.(syscall.Errno); ok {
		err = os.NewSyscallError(op, errno)
	}
	return &net.OpError{Op: op, Net: c.LocalAddr().Network(), Source: c.LocalAddr(),
		Addr: c.RemoteAddr(), Err: err}
}

// CloseWrite closes the writing half of the connection below.
func (c *conn) CloseWrite() error {
	return c.Conn.(mux.HalfCloser).CloseWrite()
}
