package run_test

import (
	"net"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"minissh/client/fakedaemon"
	"minissh/protocol"
)

// The client's end of a connection sends small frames at once (CA1).
func TestNoDelay(t *testing.T) {
	var f *fakedaemon.Fake
	found := 0
	f = fakedaemon.New(t, func(g *fakedaemon.Guest) {
		g.Until(protocol.TypeOpen)
		open, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Error(err)
		}
		for _, entry := range open {
			fd, _ := strconv.Atoi(entry.Name())
			peer, err := unix.Getpeername(fd)
			if to, ok := peer.(*unix.SockaddrInet4); err != nil || !ok ||
				to.Port != f.Listener.Addr().(*net.TCPAddr).Port {
				continue
			}
			found++
			if on, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY); err != nil ||
				on != 1 {
				t.Errorf("TCP_NODELAY is %d, %v", on, err)
			}
		}
		g.Welcome()
		g.Say(protocol.TypeOpened, 1, `{"pid":1}`)
		g.End(`{"how":"exited","code":0}`)
	})
	if r := f.Run(t, nil); r.Code != 0 || found == 0 {
		t.Errorf("%d connections were looked at; %+v", found, r)
	}
}
