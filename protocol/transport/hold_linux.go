package transport

import (
	"net"

	"golang.org/x/sys/unix"

	"minissh/protocol/mux"
)

var _ mux.Holding = (*Conn)(nil)

// HoldBack makes what is written from now on wait for more, until the connection is closed or a
// fifth of a second is over (TCP_CORK, tcp(7)): the last bytes and the end go out together, and the
// peer wakes once for both.
func (c *Conn) HoldBack() {
	tcp, ok := c.low.raw.(*net.TCPConn)
	if !ok {
		return
	}
	if raw, err := tcp.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) {
			unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_CORK, 1)
		})
	}
}
