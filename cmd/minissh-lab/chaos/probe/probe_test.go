package probe

import (
	"context"
	"net"
	"runtime"
	"testing"
	"time"
)

// pair is the two ends of a loopback connection.
func pair(t *testing.T, address string) (a, b net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("not run: needs %s: %v", address, err)
	}
	defer l.Close()
	if a, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func TestTheKernelTellsWhatWaits(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(address, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			a, b := pair(t, address)
			a.Write([]byte("hello"))
			a.Write([]byte("world"))
			if !Arrived(ctx, b, 10) {
				t.Fatal("ten bytes never arrived")
			}
			if runtime.GOOS != "linux" {
				if _, ok := Segments(a); ok {
					t.Error("segments are claimed to be known here")
				}
				return
			}
			if n, ok := Segments(a); n != 2 || !ok {
				t.Errorf("segments = %d, %v; want 2", n, ok)
			}
			out, ok := Sent(a)
			if out.Window < 10 {
				t.Errorf("the peer's window is %d", out.Window)
			}
			out.Acked, out.Window = 0, 0 // acknowledged sooner or later
			if out != (Outgoing{Segments: 2, Bytes: 10}) || !ok {
				t.Errorf("sent %+v, %v; want 2 segments with 10 bytes", out, ok)
			}
			if n, ok := Unread(a); n != 10 || !ok {
				t.Errorf("the peer has %d unread, %v; want 10", n, ok)
			}
			buf := make([]byte, 64)
			if n, err := b.Read(buf); n != 10 {
				t.Fatalf("one read gave %d bytes, %v", n, err)
			}
			if !Consumed(ctx, a) {
				t.Error("not seen to be read")
			}
		})
	}
}

func TestUnknownEndsTheWait(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if Arrived(t.Context(), a, 1) || Consumed(t.Context(), a) {
		t.Error("a pipe in memory has no receive buffer to ask about")
	}
}
