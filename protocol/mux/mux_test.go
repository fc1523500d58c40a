package mux

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/synctest"

	"minissh/protocol"
)

// echo serves a channel: STDIN comes back as STDOUT, then EXIT.
func echo(c *Channel) {
	c.Send(protocol.TypeOpened, &protocol.Opened{PID: 1})
	buf := make([]byte, 10000)
	for {
		e, err := c.Next(buf)
		if err != nil {
			return
		}
		if e.EOF {
			break
		}
		if _, err := c.Write(protocol.TypeStdout, buf[:e.N]); err != nil {
			return
		}
	}
	c.EOF(protocol.TypeStdout)
	c.EOF(protocol.TypeStderr)
	code := 0
	c.Send(protocol.TypeExit, &protocol.Exit{How: protocol.HowExited, Code: &code})
	c.Close(nil)
	for {
		if _, err := c.Next(buf); err != nil {
			return
		}
	}
}

func TestEcho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		daemon := New(Config{Role: Daemon, Accept: echo, Channels: 16})
		accepted := make(chan error, 1)
		go func() {
			f, err := protocol.NewReader(far).Next()
			if err != nil {
				accepted <- err
				return
			}
			var hello protocol.Hello
			if err := f.Decode(&hello); err != nil {
				accepted <- err
				return
			}
			accepted <- daemon.Accept(far, &hello, &protocol.Welcome{})
		}()
		client := New(Config{Role: Client})
		c, err := client.Open(&protocol.Open{Service: "echo"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Connect(near, &protocol.Hello{User: "u"}); err != nil {
			t.Fatal(err)
		}
		sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB, more than the window
		go func() {
			c.Write(protocol.TypeStdin, sent)
			c.EOF(protocol.TypeStdin)
		}()
		var got []byte
		buf := make([]byte, 5000)
		for {
			e, err := c.Next(buf)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, buf[:e.N]...)
		}
		c.Close(nil)
		if !bytes.Equal(got, sent) {
			t.Fatalf("%d bytes came back of %d", len(got), len(sent))
		}
		client.Close(nil)
		if err := <-accepted; err != nil {
			t.Fatal(err)
		}
		daemon.Wait()
	})
}
