package client

import (
	"net"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"minissh/protocol"
)

// The client's end of a connection sends small frames at once (CA1).
func TestNoDelay(t *testing.T) {
	var f *fake
	found := 0
	f = newFake(t, func(g *guest) {
		g.until(protocol.TypeOpen)
		open, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Error(err)
		}
		for _, entry := range open {
			fd, _ := strconv.Atoi(entry.Name())
			peer, err := unix.Getpeername(fd)
			if to, ok := peer.(*unix.SockaddrInet4); err != nil || !ok || to.Port != f.l.Addr().(*net.TCPAddr).Port {
				continue
			}
			found++
			if on, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY); err != nil || on != 1 {
				t.Errorf("TCP_NODELAY is %d, %v", on, err)
			}
		}
		g.welcome()
		g.say(protocol.TypeOpened, 1, `{"pid":1}`)
		g.end(`{"how":"exited","code":0}`)
	})
	if r := f.run(t, nil); r.code != 0 || found == 0 {
		t.Errorf("%d connections were looked at; %+v", found, r)
	}
}
