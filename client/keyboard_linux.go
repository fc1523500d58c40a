package client

import (
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"minissh/protocol/quick"
)

// reopened is a terminal that was opened anew, non-blocking, and so is waited for in Go's poller, together with the link: a thread of its own for it would have to
// be woken for each key, and wake others. (The descriptor that we were given is shared with our parent and must stay blocking.)
type reopened struct {
	*quick.Descriptor
	file *os.File
}

func (r *reopened) stop()        { r.file.SetReadDeadline(time.Unix(1, 0)) }
func (r *reopened) Close() error { return r.file.Close() }

// openOwn opens a terminal anew; nil if it is none or that cannot be had.
func openOwn(f *os.File, mode int) ownTerminal {
	fd := int(f.Fd())
	if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err != nil {
		return nil
	}
	again, err := unix.Open("/proc/self/fd/"+strconv.Itoa(fd), mode|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	file := os.NewFile(uintptr(again), f.Name())
	if file.SetDeadline(time.Time{}) == nil { // it is in the poller
		if d, err := quick.New(file); err == nil {
			return &reopened{d, file}
		}
	}
	file.Close()
	return nil
}
