package client

import (
	"errors"
	"io"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"minissh/protocol/quick"
)

// keyboard reads standard input and can be told to stop, unlike a Read of a terminal, which would take the next key from whoever comes after us.
//
// A terminal is opened anew, non-blocking, and so waited for in Go's poller, together with the link: a thread of its own for it would have to
// be woken for each key, and wake others. (The descriptor that we were given is shared with our parent and must stay blocking.) What cannot be opened is
// waited for by poll(2).
type keyboard struct {
	polled *os.File // nil: fd and wake
	quick  *quick.Descriptor
	fd     int
	wake   [2]int // a pipe
	once   sync.Once
}

func newKeyboard(stdin *os.File) (*keyboard, error) {
	k := &keyboard{fd: int(stdin.Fd())}
	if k.polled, k.quick = openedAnew(stdin, unix.O_RDONLY); k.polled != nil {
		return k, nil
	}
	return k, unix.Pipe2(k.wake[:], unix.O_CLOEXEC)
}

// openedAnew is a terminal in a description of its own, non-blocking and in Go's poller; nil if it is none or that cannot be had.
func openedAnew(f *os.File, mode int) (*os.File, *quick.Descriptor) {
	fd := int(f.Fd())
	if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err != nil {
		return nil, nil
	}
	again, err := unix.Open("/proc/self/fd/"+strconv.Itoa(fd), mode|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil
	}
	polled := os.NewFile(uintptr(again), f.Name())
	if polled.SetDeadline(time.Time{}) != nil { // not in the poller
		polled.Close()
		return nil, nil
	}
	d, err := quick.New(polled)
	if err != nil {
		polled.Close()
		return nil, nil
	}
	return polled, d
}

// display is a writer for what a terminal shall show, and what closes it.
func display(f *os.File, otherwise io.Writer) (io.Writer, func()) {
	polled, d := openedAnew(f, unix.O_WRONLY)
	if polled == nil {
		return otherwise, func() {}
	}
	return d, func() { polled.Close() }
}

// Read waits for keys; io.EOF after stop, too.
func (k *keyboard) Read(p []byte) (int, error) {
	if k.polled != nil {
		n, err := k.quick.Read(p)
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.EIO) { // stop; the terminal is gone
			err = io.EOF
		}
		return n, err
	}
	for {
		fds := []unix.PollFd{{Fd: int32(k.fd), Events: unix.POLLIN}, {Fd: int32(k.wake[0]), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, -1); err != nil && err != unix.EINTR {
			return 0, err
		}
		if fds[1].Revents != 0 {
			return 0, io.EOF
		}
		if fds[0].Revents == 0 {
			continue
		}
		n, err := unix.Read(k.fd, p)
		switch {
		case err == unix.EINTR, err == unix.EAGAIN:
			continue
		case n <= 0 || err != nil:
			return 0, io.EOF
		}
		return n, nil
	}
}

// stop ends a Read under way, and all others.
func (k *keyboard) stop() {
	if k.polled != nil {
		k.polled.SetReadDeadline(time.Unix(1, 0))
		return
	}
	k.once.Do(func() { unix.Write(k.wake[1], []byte{0}) })
}

// close gives the descriptors back, when no Read is under way any more.
func (k *keyboard) close() {
	if k.polled != nil {
		k.polled.Close()
		return
	}
	unix.Close(k.wake[0])
	unix.Close(k.wake[1])
}
