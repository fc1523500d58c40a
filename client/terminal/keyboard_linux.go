package terminal

import (
	"errors"
	"io"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"minissh/protocol/mux"
	"minissh/protocol/nonblock"
)

// reopened is a terminal that was opened again, non-blocking. So Go's poller waits for it together
// with the link: a thread of its own would have to be woken for each key, and would wake others.
// (The descriptor that we were given is shared with our parent and must stay blocking.)
type reopened struct {
	*nonblock.Descriptor
	file *os.File
}

var _ mux.TryWriter = (*reopened)(nil) // what Display gives

func (r *reopened) Read(p []byte) (int, error) {
	n, err := r.Descriptor.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.EIO) {
		err = io.EOF
	}
	return n, err
}

func (r *reopened) Stop()        { r.file.SetReadDeadline(time.Unix(1, 0)) }
func (r *reopened) Close() error { return r.file.Close() }

// reopen opens a terminal again; nil if f is not a terminal, or this is impossible.
func reopen(f *os.File, mode int) *reopened {
	fd := int(f.Fd())
	if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err != nil {
		return nil
	}
	again, err := unix.Open("/proc/self/fd/"+strconv.Itoa(fd),
		mode|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	file := os.NewFile(uintptr(again), f.Name())
	if file.SetDeadline(time.Time{}) == nil { // it is in the poller
		if d, err := nonblock.New(file); err == nil {
			return &reopened{d, file}
		}
	}
	file.Close()
	return nil
}
