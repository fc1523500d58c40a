package process

import (
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	// widePipe is how much a loud command's pipe holds, in bytes. A user who is not root may hold
	// 64 MiB in pipes (pipe(7)), so not every pipe is made wide.
	widePipe = 256 << 10
	// quietAfter is how many milliseconds without output make a loud command quiet again.
	quietAfter = 20
)

// output is our end of a pipe that the command writes to. While little comes it waits in Go's
// poller, which costs no thread. While much comes (see Loud) it is not in the poller: every single
// write of the command wakes the poller, even if nobody waits, and with writes of 8 KiB that costs
// ten times as much as the reading.
type output struct {
	mu      sync.Mutex // guards the rest
	f       *os.File   // in the poller; nil while loud, and when closed
	raw     int        // the descriptor while loud, else -1
	reading bool
	closed  bool
}

func newOutput(f *os.File) *output { return &output{f: f, raw: -1} }

// Loud says that much is expected. Only the goroutine that reads may call it.
func (o *output) Loud() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.f == nil {
		return
	}
	conn, err := o.f.SyscallConn()
	if err != nil {
		return
	}
	raw := -1
	conn.Control(func(fd uintptr) {
		raw, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
		unix.FcntlInt(fd, unix.F_SETPIPE_SZ, widePipe) // if the kernel refuses, nothing is lost
	})
	if err == nil && raw >= 0 {
		o.f.Close()
		o.f, o.raw = nil, raw
	}
}

// Read reads what is there, and waits if there is nothing. Only one goroutine may read.
func (o *output) Read(p []byte) (int, error) {
	o.mu.Lock()
	f, raw := o.f, o.raw
	o.reading = true
	o.mu.Unlock()
	defer o.doneReading()
	if f != nil {
		return f.Read(p)
	}
	for raw >= 0 {
		n, err := unix.Read(raw, p)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			if f := o.awaitOrQuiet(raw); f != nil {
				return f.Read(p)
			}
			if o.isClosed() {
				return 0, os.ErrClosed
			}
			continue
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}
	return 0, os.ErrClosed
}

// awaitOrQuiet waits for output. If none comes it puts the pipe back into the poller.
func (o *output) awaitOrQuiet(raw int) *os.File {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(raw), Events: unix.POLLIN}}, quietAfter)
	if n != 0 || err != nil {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil
	}
	o.f, o.raw = os.NewFile(uintptr(raw), "pipe"), -1
	return o.f
}

func (o *output) isClosed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closed
}

func (o *output) doneReading() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.reading = false
	if o.closed {
		o.closeRaw()
	}
}

// Close interrupts a Read under way, within quietAfter milliseconds. It is idempotent.
func (o *output) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	if o.f != nil {
		o.f.Close()
		o.f = nil
	}
	if !o.reading {
		o.closeRaw()
	}
	return nil
}

// closeRaw closes the descriptor that no poller knows and nobody uses. The caller holds mu.
func (o *output) closeRaw() {
	if o.raw >= 0 {
		unix.Close(o.raw)
		o.raw = -1
	}
}

// input is our end of a pipe that the command reads from.
type input struct{ *os.File }

// Loud says that much will be written.
func (i input) Loud() {
	if conn, err := i.SyscallConn(); err == nil {
		conn.Control(func(fd uintptr) { unix.FcntlInt(fd, unix.F_SETPIPE_SZ, widePipe) })
	}
}
