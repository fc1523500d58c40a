//go:build !unix

package lesson

import (
	"errors"
	"net"
	"os"
	"time"
)

// sendOnce is what the system takes within a moment, -1 for nothing: send(2) itself cannot be
// called here.
func sendOnce(conn *net.TCPConn, b []byte) (n int, err error) {
	conn.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	defer conn.SetWriteDeadline(time.Time{})
	n, err = conn.Write(b)
	switch {
	case n > 0:
		return n, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return -1, nil
	}
	return n, err
}
