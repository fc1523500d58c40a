//go:build unix

package relay

import (
	"net"

	"golang.org/x/sys/unix"
)

// resetAfterEnd waits until a connection whose FIN has been read is reset (true), or closed here. A
// peer that closed both directions answers what it is sent with a RST, and whoever sends should
// hear it at once, not with the piece after the next.
func resetAfterEnd(conn net.Conn) (reset bool) {
	c, ok := conn.(*net.TCPConn)
	if !ok {
		return false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	raw.Read(func(fd uintptr) bool { // it is called again at every change
		n, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		reset = err == nil && n != 0
		return reset
	})
	return reset
}
