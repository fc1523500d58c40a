//go:build unix

package record

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// control sets an option on a socket before it is connected; nil for 0.
func control(option, n int) func(network, address string, c syscall.RawConn) error {
	if n == 0 {
		return nil
	}
	return func(_, _ string, c syscall.RawConn) (err error) {
		failed := c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, option, n)
		})
		if failed != nil {
			return failed
		}
		return err
	}
}

func sendBuffer(n int) func(network, address string, c syscall.RawConn) error {
	return control(unix.SO_SNDBUF, n)
}

func receiveBuffer(n int) func(network, address string, c syscall.RawConn) error {
	return control(unix.SO_RCVBUF, n)
}
