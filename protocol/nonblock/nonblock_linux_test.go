//go:build !race

package nonblock

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"minissh/protocol/mux"
)

func pair(t *testing.T) (a, b net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if a, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	a, b = Conn(a), Conn(b)
	if _, ok := a.(*conn); !ok {
		t.Fatal("a TCP connection is left as it was")
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

// Everything that is written is read, even if the writer has to wait for the reader; half-close is
// the end.
func TestWhole(t *testing.T) {
	a, b := pair(t)
	text := make([]byte, 16<<20)
	for i := range text {
		text[i] = byte(i >> 8)
	}
	go func() {
		a.Write(text)
		a.(mux.HalfCloser).CloseWrite()
	}()
	got, err := io.ReadAll(b)
	if err != nil || !bytes.Equal(got, text) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if n, err := b.Write([]byte("x")); n != 1 || err != nil {
		t.Errorf("the other direction: %d, %v", n, err)
	}
}

// Deadlines, Close and resets end calls as with package net.
func TestEnds(t *testing.T) {
	a, _ := pair(t)
	a.SetReadDeadline(time.Now().Add(time.Millisecond))
	var timeout net.Error
	if _, err := a.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() ||
		!errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("deadline: %v", err)
	}
	a.SetReadDeadline(time.Time{})
	read := make(chan error)
	go func() {
		_, err := a.Read(make([]byte, 1))
		read <- err
	}()
	a.Close()
	if err := <-read; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Close: %v", err)
	}
	a, b := pair(t)
	b.(*conn).Conn.(*net.TCPConn).SetLinger(0)
	b.Close()
	if _, err := a.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reset: %v", err)
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("after the reset: %v", err)
	}
}

// A call allocates nothing.
func TestNoAllocation(t *testing.T) {
	a, b := pair(t)
	buf := make([]byte, 64)
	if n := testing.AllocsPerRun(100, func() {
		a.Write(buf)
		io.ReadFull(b, buf)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// A write that makes no progress ends when its patience does; one that waited and went on leaves no
// deadline behind, and the caller's own deadline counts before and after that.
func TestPatience(t *testing.T) {
	a, _ := pair(t)
	if !SetPatience(a, 50*time.Millisecond, nil) {
		t.Fatal("there is no patience")
	}
	if n, err := a.Write(make([]byte, 64<<20)); !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 {
		t.Errorf("nobody reads: %d, %v", n, err)
	}

	a, b := pair(t)
	const patience = 100 * time.Millisecond
	SetPatience(a, patience, nil)
	go io.Copy(io.Discard, b)
	waited := false
	a.(*conn).d.write.rest = func() { waited = true; a.(*conn).calm() }
	for !waited {
		if n, err := a.Write(make([]byte, 64<<20)); n != 64<<20 || err != nil {
			t.Fatal(n, err)
		}
	}
	<-time.After(2 * patience)
	if _, err := a.Write([]byte("x")); err != nil {
		t.Errorf("a write after one that had to wait: %v", err)
	}
	a.SetWriteDeadline(time.Unix(1, 0))
	if _, err := a.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a write after its deadline: %v", err)
	}
	if c, _ := net.Pipe(); SetPatience(c, patience, nil) {
		t.Error("another kind of connection has patience")
	}
}

// A write whose patience ends goes on where it was, if it is told to.
func TestMorePatience(t *testing.T) {
	a, b := pair(t)
	asked, got := 0, make(chan int64, 1)
	SetPatience(a, 20*time.Millisecond, func() bool {
		if asked++; asked == 2 {
			go func() { n, _ := io.Copy(io.Discard, b); got <- n }()
		}
		return asked < 100
	})
	if n, err := a.Write(make([]byte, 64<<20)); n != 64<<20 || err != nil || asked < 2 {
		t.Errorf("%d, %v, asked %d times", n, err, asked)
	}
	a.Close()
	if n := <-got; n != 64<<20 {
		t.Errorf("%d bytes came", n)
	}
}
