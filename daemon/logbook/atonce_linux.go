package logbook

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// atOnce finds out how to write to a file without waiting; nil if that cannot be done. O_NONBLOCK
// is not set on the file itself: whoever else has it open, a shell say, would have it too.
func atOnce(w io.Writer) func([]byte) int {
	file, ok := w.(*os.File)
	if !ok {
		return nil
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return nil
	}
	fd := -1
	var st unix.Stat_t
	if raw.Control(func(n uintptr) { fd = int(n); err = unix.Fstat(fd, &st) }) != nil ||
		err != nil {
		return nil
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG: // nobody has to read it
		return counted(func(p []byte) (int, error) { return unix.Write(fd, p) })
	case unix.S_IFSOCK:
		return counted(func(p []byte) (int, error) {
			return unix.SendmsgN(fd, p, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		})
	case unix.S_IFIFO, unix.S_IFCHR:
		// The same pipe or terminal, opened anew: this opening does not wait (proc_pid_fd(5)).
		name := fmt.Sprintf("/proc/self/fd/%d", fd)
		own, err := os.OpenFile(name, os.O_WRONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
		if err != nil {
			return nil
		}
		if raw, err = own.SyscallConn(); err != nil {
			return nil
		}
		return counted(func(p []byte) (n int, err error) {
			closed := raw.Write(func(fd uintptr) bool {
				n, err = unix.Write(int(fd), p)
				return true
			})
			return n, errors.Join(err, closed)
		})
	}
	return nil
}

// counted says how much of a line need not be written any more: all of it if the file is broken.
func counted(write func([]byte) (int, error)) func([]byte) int {
	return func(p []byte) int {
		for {
			n, err := write(p)
			switch {
			case err == nil:
				return n
			case errors.Is(err, unix.EINTR):
			case errors.Is(err, unix.EAGAIN):
				return 0
			default:
				return len(p)
			}
		}
	}
}
