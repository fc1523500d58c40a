//go:build unix

package client

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// keyboard reads standard input and can be told to stop, unlike a Read of a terminal, which would take the next key from whoever comes after us.
type keyboard struct {
	own  ownTerminal // nil: fd and wake
	fd   int
	wake [2]int // a pipe
	once sync.Once
}

// ownTerminal is a terminal in a description of our own.
type ownTerminal interface {
	io.ReadWriteCloser
	stop() // ends reading
}

func newKeyboard(stdin *os.File) (*keyboard, error) {
	k := &keyboard{fd: int(stdin.Fd()), own: openOwn(stdin, unix.O_RDONLY)}
	if k.own != nil {
		return k, nil
	}
	if err := unix.Pipe(k.wake[:]); err != nil {
		return nil, err
	}
	unix.CloseOnExec(k.wake[0])
	unix.CloseOnExec(k.wake[1])
	return k, nil
}

// Read waits for keys; io.EOF after stop, and when the terminal is gone.
func (k *keyboard) Read(p []byte) (int, error) {
	if k.own != nil {
		n, err := k.own.Read(p)
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.EIO) {
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
	if k.own != nil {
		k.own.stop()
		return
	}
	k.once.Do(func() { unix.Write(k.wake[1], []byte{0}) })
}

// close gives the descriptors back, when no Read is under way any more.
func (k *keyboard) close() {
	if k.own != nil {
		k.own.Close()
		return
	}
	unix.Close(k.wake[0])
	unix.Close(k.wake[1])
}

// display is a writer for what a terminal shall show, and what closes it.
func display(f *os.File, otherwise io.Writer) (io.Writer, func()) {
	own := openOwn(f, unix.O_WRONLY)
	if own == nil {
		return otherwise, func() {}
	}
	return own, func() { own.Close() }
}
