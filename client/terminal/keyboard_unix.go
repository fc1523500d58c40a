//go:build unix

package terminal

import (
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// OpenKeyboard takes standard input as a Keyboard.
func OpenKeyboard(stdin *os.File) (Keyboard, error) {
	if own := reopen(stdin, unix.O_RDONLY, true); own != nil {
		return own, nil
	}
	k := &polled{fd: int32(stdin.Fd())}
	if err := unix.Pipe(k.wake[:]); err != nil {
		return nil, err
	}
	unix.CloseOnExec(k.wake[0])
	unix.CloseOnExec(k.wake[1])
	return k, nil
}

// polled is a Keyboard that is not a terminal, or cannot be opened once more.
type polled struct {
	fd   int32
	wake [2]int // a pipe
	once sync.Once
}

func (k *polled) Read(p []byte) (int, error) {
	for {
		fds := []unix.PollFd{{Fd: k.fd, Events: unix.POLLIN},
			{Fd: int32(k.wake[0]), Events: unix.POLLIN}}
		if err := wait(fds...); err != nil {
			return 0, err
		}
		if fds[1].Revents != 0 {
			return 0, io.EOF
		}
		if fds[0].Revents == 0 {
			continue
		}
		// whoever shares a socket may have been first, and Stop could not end a wait here
		n, _, err := unix.Recvfrom(int(k.fd), p, unix.MSG_DONTWAIT)
		if err == unix.ENOTSOCK {
			n, err = unix.Read(int(k.fd), p)
		}
		switch {
		case err == unix.EINTR, err == unix.EAGAIN:
			continue
		case n <= 0 || err != nil:
			return 0, io.EOF
		}
		return n, nil
	}
}

func (k *polled) Stop() { k.once.Do(func() { unix.Write(k.wake[1], []byte{0}) }) }

func (k *polled) Close() error {
	unix.Close(k.wake[1])
	return unix.Close(k.wake[0])
}

// wait returns when one of these is ready, or a signal came.
func wait(fds ...unix.PollFd) error {
	if _, err := unix.Poll(fds, -1); err != nil && err != unix.EINTR {
		return err
	}
	return nil
}

// Display is a writer for what a terminal shall show, and what closes it.
func Display(f *os.File, otherwise io.Writer) (io.Writer, func()) {
	own := reopen(f, unix.O_WRONLY, false)
	if own == nil {
		return otherwise, func() {}
	}
	return own, func() { own.Close() }
}
