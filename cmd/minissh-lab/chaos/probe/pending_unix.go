//go:build linux || darwin

package probe

import (
	"net"

	"golang.org/x/sys/unix"
)

// Pending is how many bytes wait in conn's receive buffer; ok is false when that
// is not known.
func Pending(conn net.Conn) (n int, ok bool) {
	control(conn, func(fd uintptr) {
		var err error
		n, err = unix.IoctlGetInt(int(fd), fionread)
		ok = err == nil
	})
	return n, ok
}
