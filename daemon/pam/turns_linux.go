package pam

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// turnsMost is how many logins of one account PAM is asked about at once. Its modules may hang for
// that account alone, and each of those processes is root's.
const turnsMost = 8

// turns are the logins of each account that wait for PAM, or for their turn to ask.
type turns struct {
	waitMost int // of one account

	mu sync.Mutex
	of map[string]*turn // by the account's name
}

type turn struct {
	n     int           // logins
	taken chan struct{} // holds one for each that asks
}

// ErrBusy means that too many logins of an account wait for PAM.
var ErrBusy = errors.New("too many logins of this user wait for PAM already")

// take waits for the turn of one more login. over ends it.
func (t *turns) take(ctx context.Context, user string) (over func(), err error) {
	t.mu.Lock()
	mine := t.of[user]
	if mine == nil {
		mine = &turn{taken: make(chan struct{}, turnsMost)}
		t.of[user] = mine
	}
	if mine.n >= t.waitMost {
		t.mu.Unlock()
		return nil, ErrBusy
	}
	mine.n++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if mine.n--; mine.n == 0 {
			delete(t.of, user)
		}
	}
	select {
	case mine.taken <- struct{}{}:
		return func() { <-mine.taken; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, context.Cause(ctx)
	}
}

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
