//go:build unix

package terminal

import (
	"errors"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Programs that start us share their descriptors with us and may make them non-blocking at any time
// (rsync does that to fd 1). Then a read or write that Go took for blocking fails with EAGAIN; here
// it waits and continues.

// Stdin is our standard input.
func Stdin() io.Reader { return patient{os.Stdin, 0} }

// Stdout is our standard output.
func Stdout() io.Writer { return patient{os.Stdout, 1} }

// Stderr is our standard error.
func Stderr() io.Writer { return patient{os.Stderr, 2} }

type patient struct {
	f  *os.File
	fd int32 // File.Fd would make a shared descriptor blocking without its owner's knowledge
}

func (p patient) Read(b []byte) (int, error) {
	for {
		n, err := p.f.Read(b)
		if !errors.Is(err, syscall.EAGAIN) {
			return n, err
		}
		wait(unix.PollFd{Fd: p.fd, Events: unix.POLLIN})
	}
}

func (p patient) Write(b []byte) (int, error) {
	done := 0
	for {
		n, err := p.f.Write(b[done:])
		done += n
		if !errors.Is(err, syscall.EAGAIN) {
			return done, err
		}
		wait(unix.PollFd{Fd: p.fd, Events: unix.POLLOUT})
	}
}
