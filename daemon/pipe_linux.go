package daemon

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// wide is how much a loud command's pipe holds, in bytes. A user who is not root may hold 64 MiB in pipes (pipe(7)), so not every pipe is made wide.
const wide = 256 << 10

// widen makes a pipe hold more, so that a loud command is woken less often. Where the kernel refuses, nothing is lost.
func widen(pipe any) {
	if f, ok := pipe.(syscall.Conn); ok {
		if raw, err := f.SyscallConn(); err == nil {
			raw.Control(func(fd uintptr) { unix.FcntlInt(fd, unix.F_SETPIPE_SZ, wide) })
		}
	}
}
