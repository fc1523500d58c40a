package lesson

import (
	"net"

	"golang.org/x/sys/unix"
)

// delayAcks makes conn acknowledge as a connection does that has talked for a
// while: not at once, but with the next answer or after 40 ms. A fresh connection
// acknowledges its first segments at once (quickack), and Nagle has nothing to wait for.
func delayAcks(conn *net.TCPConn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 0) // a demonstration: its outcome is measured
	})
}
