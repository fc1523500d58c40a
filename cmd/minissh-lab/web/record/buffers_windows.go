package record

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// control sets an option on a socket before it is connected; nil for 0.
func control(option, n int) func(network, address string, c syscall.RawConn) error {
	if n == 0 {
		return nil
	}
	return func(_, _ string, c syscall.RawConn) (err error) {
		failed := c.Control(func(fd uintptr) {
			err = windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, option, n)
		})
		if failed != nil {
			return failed
		}
		return err
	}
}

func sendBuffer(n int) func(network, address string, c syscall.RawConn) error {
	return control(windows.SO_SNDBUF, n)
}

func receiveBuffer(n int) func(network, address string, c syscall.RawConn) error {
	return control(windows.SO_RCVBUF, n)
}
