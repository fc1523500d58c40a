//go:build unix

package lesson

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// sendOnce is one send(2) on a socket that does not block: how many bytes the system took, -1 for
// BlockingIOError.
func sendOnce(conn *net.TCPConn, b []byte) (n int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	err = raw.Write(func(fd uintptr) bool {
		n, failed = unix.Write(int(fd), b)
		return true // however little it took: no waiting
	})
	if errors.Is(failed, unix.EAGAIN) {
		return -1, nil
	}
	return n, errors.Join(err, failed)
}
