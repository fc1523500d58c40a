package daemon

import (
	"net"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// The daemon's end of a connection sends small frames at once (CA1).
func TestNoDelay(t *testing.T) {
	l := newLab(t, nil)
	l.session(nil)
	_, port, err := net.SplitHostPort(l.address)
	if err != nil {
		t.Fatal(err)
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, entry := range open {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := unix.Getpeername(fd); err != nil {
			continue // not a connection
		}
		here, err := unix.Getsockname(fd)
		if at, ok := here.(*unix.SockaddrInet4); err != nil || !ok ||
			strconv.Itoa(at.Port) != port {
			continue
		}
		found++
		if on, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY); err != nil ||
			on != 1 {
			t.Errorf("TCP_NODELAY is %d, %v", on, err)
		}
	}
	if found == 0 {
		t.Error("no connection was looked at")
	}
}
