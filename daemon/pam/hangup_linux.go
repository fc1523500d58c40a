package pam

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// hangUpTime is how often it is looked whether a client is still there.
const hangUpTime = 500 * time.Millisecond

// ErrHungUp means that the client did not wait for PAM.
var ErrHungUp = errors.New("the client has gone while PAM was asked")

// untilGone is a context that ends when a client's connection does. Nothing is read from that: what
// has come is for the session.
func untilGone(ctx context.Context, client net.Conn) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	socket, ok := client.(syscall.Conn)
	if !ok {
		return ctx, func() { cancel(nil) }
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return ctx, func() { cancel(nil) }
	}
	go func() {
		ticks := time.NewTicker(hangUpTime)
		defer ticks.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
			}
			const ends = unix.POLLRDHUP | unix.POLLHUP | unix.POLLERR
			polled := []unix.PollFd{{Events: ends}}
			err := raw.Control(func(fd uintptr) {
				polled[0].Fd = int32(fd)
				unix.Poll(polled, 0)
			})
			if err != nil || polled[0].Revents&ends != 0 {
				cancel(ErrHungUp)
				return
			}
		}
	}()
	return ctx, func() { cancel(nil) }
}
