//go:build unix

package lesson

import (
	"context"
	"errors"
	"net"
	"syscall"
)

// errNoReuse says that the demonstration does not fit the system.
var errNoReuse = errors.New("SO_REUSEADDR means something else here")

// listenReuse listens with or without SO_REUSEADDR. Go sets it by itself.
func listenReuse(ctx context.Context, addr string, reuse bool) (net.Listener, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) {
			failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR,
				b2i(reuse))
		})
		return errors.Join(err, failed)
	}}
	return lc.Listen(ctx, "tcp", addr)
}
