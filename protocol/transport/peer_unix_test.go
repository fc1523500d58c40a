//go:build linux || darwin

package transport

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// unixPair returns both ends of a Unix socket.
func unixPair(t *testing.T) (near, far net.Conn) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if near, err = net.Dial("unix", path); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

// At the other end of a Unix socket is our own system, which reports the peer's end: until then the
// peer counts as answering, however long it says nothing (RE6).
func TestUnixPeerAnswers(t *testing.T) {
	near, _ := unixPair(t)
	if !Plain(near).PeerAnswers(0) {
		t.Error("our own system does not answer")
	}
}

// The kernel names the same user at both ends; a closed socket has no answer.
func TestPeerUID(t *testing.T) {
	near, far := unixPair(t)
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
