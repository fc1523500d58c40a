package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

func long(delay time.Duration) func(int) Fate {
	return func(int) Fate { return Fate{Delay: delay} }
}

// Through real sockets: bytes both ways, half-close passed on, all goroutines gone after close.
func TestRelayCarriesBothWays(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		c, err := server.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		got, _ := io.ReadAll(c) // ends by the half-close only
		c.Write(bytes.ToUpper(got))
	}()
	r, err := Listen(server.Addr().String(), long(5*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c, err := net.Dial("tcp", r.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	start := time.Now()
	io.WriteString(c, "through and back")
	c.(*net.TCPConn).CloseWrite()
	got, err := io.ReadAll(c)
	if err != nil || string(got) != "THROUGH AND BACK" {
		t.Errorf("came back as %q, %v", got, err)
	}
	if took := time.Since(start); took < 10*time.Millisecond {
		t.Errorf("a round trip of 10ms took %v", took)
	}
}

// Closing the relay ends what is under way; a connection after that is refused or closed.
func TestRelayCloseEndsConnections(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	r, err := Listen(server.Addr().String(), long(time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", r.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if far, err := server.Accept(); err != nil {
		t.Fatal(err)
	} else {
		defer far.Close()
	}
	r.Close()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the client reads from a relay that has ended")
	}
	if c, err := net.Dial("tcp", r.Address()); err == nil {
		c.Close()
		t.Error("a relay that has ended accepts")
	} else if errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
