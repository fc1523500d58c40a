package client

import (
	"io"

	"golang.org/x/sys/unix"
)

// widePipe is how much a pipe that is our standard input is asked to hold when much comes through it, in bytes.
const widePipe = 256 << 10

// widen has a pipe hold more. What is no pipe, or may not be widened, stays as it is.
func widen(stdin io.Reader) {
	if p, ok := stdin.(patient); ok {
		if size, err := unix.FcntlInt(uintptr(p.fd), unix.F_GETPIPE_SZ, 0); err == nil && size < widePipe {
			unix.FcntlInt(uintptr(p.fd), unix.F_SETPIPE_SZ, widePipe)
		}
	}
}
