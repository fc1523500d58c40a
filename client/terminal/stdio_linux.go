package terminal

import (
	"io"

	"golang.org/x/sys/unix"
)

// Widen makes a pipe that is our standard input hold more, since much comes through it. What is not
// a pipe, or may not be widened, stays as it is.
func Widen(stdin io.Reader) {
	const most = 256 << 10
	if p, ok := stdin.(patient); ok {
		if size, err := unix.FcntlInt(uintptr(p.fd), unix.F_GETPIPE_SZ, 0); err == nil &&
			size < most {
			unix.FcntlInt(uintptr(p.fd), unix.F_SETPIPE_SZ, most)
		}
	}
}
