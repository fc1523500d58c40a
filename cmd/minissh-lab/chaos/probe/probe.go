package probe

import (
	"context"
	"net"
	"syscall"
	"time"
)

// Outgoing is a connection's sending side at one moment.
type Outgoing struct {
	Segments int // segments with data so far, resent ones included
	Bytes    int // bytes of data in them
	Resent   int // of Bytes: sent again
	Held     int // bytes that were written and are in no segment yet
	Acked    int // bytes that the peer has acknowledged; our SYN and FIN count as one each
	Window   int // bytes that the peer has room for, as it last said; always 0: not known
}

// control runs f on conn's descriptor; false when conn has none.
func control(conn net.Conn, f func(fd uintptr)) bool {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	return err == nil && raw.Control(f) == nil
}

// Await polls look until it tells at least want (with want < 0: exactly 0). It is
// false when ctx ends first, or look does not know.
func Await(ctx context.Context, want int, look func() (n int, ok bool)) bool {
	pause := 100 * time.Microsecond
	for {
		n, ok := look()
		switch {
		case !ok:
			return false
		case want < 0 && n == 0, want >= 0 && n >= want:
			return true
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return false
		case <-t.C:
		}
		pause = min(2*pause, 5*time.Millisecond)
	}
}

// Arrived waits until n bytes are in conn's receive buffer.
func Arrived(ctx context.Context, conn net.Conn, n int) bool {
	return Await(ctx, n, func() (int, bool) { return Pending(conn) })
}

// Consumed waits until the peer, on this machine, has read all that conn sent.
func Consumed(ctx context.Context, conn net.Conn) bool {
	return Await(ctx, -1, func() (int, bool) { return Unread(conn) })
}
