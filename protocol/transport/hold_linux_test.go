package transport

import (
	"io"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// What is written after HoldBack leaves with the end of the connection, and all of it arrives.
func TestHoldBack(t *testing.T) {
	held := false
	for range 10 { // a fifth of a second may pass between two lines of this test
		near, far := loopback(t)
		conn := Plain(near)
		conn.HoldBack()
		if _, err := conn.Write([]byte("goodbye")); err != nil {
			t.Fatal(err)
		}
		raw, err := near.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		unsent := 0
		raw.Control(func(fd uintptr) { unsent, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQNSD) })
		if err != nil {
			t.Fatal(err)
		}
		held = held || unsent == len("goodbye")
		conn.Close()
		if text, err := io.ReadAll(far); string(text) != "goodbye" || err != nil {
			t.Fatalf("%q, %v", text, err)
		}
	}
	if !held {
		t.Error("it was never held back")
	}
}
