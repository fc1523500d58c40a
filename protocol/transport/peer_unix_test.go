//go:build linux || darwin

package transport

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// The kernel names the same user at both ends; a closed socket has no answer.
func TestPeerUID(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for _, conn := range []net.Conn{near, far} {
		if uid, err := PeerUID(conn.(*net.UnixConn)); err != nil || uid != uint32(os.Getuid()) {
			t.Errorf("uid %d and %v", uid, err)
		}
		conn.Close()
		if _, err := PeerUID(conn.(*net.UnixConn)); err == nil {
			t.Error("a closed socket has a user")
		}
	}
}
