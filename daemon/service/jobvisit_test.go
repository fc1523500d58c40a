//go:build unix

package service

import (
	"net"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Of what a helper passes only a Unix socket is taken: whoever closes another one may have to wait.
func TestPassedConn(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(pair[0])
	defer syscall.Close(pair[1])
	dialed, err := net.Dial("tcp", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer dialed.Close()
	own, err := dialed.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	for name, c := range map[string]struct {
		fds []int
		ok  bool
	}{
		"a Unix socket": {[]int{pair[0]}, true}, "TCP": {[]int{int(own.Fd())}, false},
		"a file": {[]int{int(file.Fd())}, false}, "nothing": {nil, false},
		"two": {[]int{pair[0], pair[1]}, false},
	} {
		ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_DGRAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		made := os.NewFile(uintptr(ends[0]), "socket")
		conn, err := net.FileConn(made)
		made.Close()
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Sendmsg(ends[1], []byte{0}, unix.UnixRights(c.fds...), nil, 0); err != nil {
			t.Fatal(err)
		}
		syscall.Close(ends[1])
		got, err := passedConn(conn.(*net.UnixConn))
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			got.Close()
		}
		conn.Close()
	}
}
