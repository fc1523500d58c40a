//go:build !race

package quick

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// direction is reading or writing of one descriptor. Its fields belong to whoever holds mu; step is made once, so that a call allocates nothing.
type direction struct {
	mu    sync.Mutex
	call  uintptr // SYS_READ or SYS_WRITE
	wait  func(func(fd uintptr) bool) error
	step  func(fd uintptr) bool
	p     []byte
	n     int
	errno syscall.Errno
}

func newDirection(call uintptr, wait func(func(fd uintptr) bool) error) *direction {
	d := &direction{call: call, wait: wait}
	d.step = d.try
	return d
}

// try makes one call and says whether it is done; else the poller waits, and it is made again.
func (d *direction) try(fd uintptr) bool {
	for {
		n, _, errno := syscall.RawSyscall(d.call, fd, uintptr(unsafe.Pointer(unsafe.SliceData(d.p))), uintptr(len(d.p)))
		switch errno {
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			d.n, d.errno = int(n), errno
			return true
		}
	}
}

// once reads or writes as much of p as the kernel takes at once, at least a byte. most bounds a single call, since nothing else runs on this processor of
// Go's meanwhile.
func (d *direction) once(p []byte) (int, error) {
	const most = 1 << 20
	d.mu.Lock()
	defer d.mu.Unlock()
	d.p = p[:min(len(p), most)]
	err := d.wait(d.step)
	d.p = nil
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

// New makes a Descriptor; an error means that there is none to be had, and Read and Write of the file itself will do.
func New(file syscall.Conn) (*Descriptor, error) {
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	return &Descriptor{newDirection(syscall.SYS_READ, raw.Read), newDirection(syscall.SYS_WRITE, raw.Write)}, nil
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

// conn is a connection whose Read and Write are quick.
type conn struct {
	net.Conn
	d *Descriptor
}

// Conn makes a TCP or Unix connection quick; any other comes back as it is.
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
	return &conn{c, d}
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.d.Read(p)
	return n, c.named("read", err)
}

func (c *conn) Write(p []byte) (int, error) {
	n, err := c.d.Write(p)
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
	return &net.OpError{Op: op, Net: c.LocalAddr().Network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// CloseWrite is that of the connection below.
func (c *conn) CloseWrite() error {
	return c.Conn.(interface{ CloseWrite() error }).CloseWrite()
}
