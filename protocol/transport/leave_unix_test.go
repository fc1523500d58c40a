//go:build unix

package transport

import (
	"net"
	"testing"

	"minissh/protocol"
	"minissh/protocol/mux"
)

// A client's process may end with bytes of the daemon's unread, for which its kernel answers with a
// reset: GOODBYE is on its way before that.
func TestGoodbyeBeforeReset(t *testing.T) {
	near, far := loopback(t)
	s := mux.New(mux.Config{Role: mux.Client})
	connected := make(chan error, 1)
	go func() {
		_, err := s.Connect(Plain(near), &protocol.Hello{User: "ann"})
		connected <- err
	}()
	frames := protocol.NewReader(far)
	if f, err := frames.Next(); f.Type != protocol.TypeHello {
		t.Fatalf("%v, %v", f, err)
	}
	welcome, err := protocol.AppendMessage(nil, protocol.TypeWelcome, 0,
		&protocol.Welcome{Channels: 64})
	if err == nil {
		_, err = far.Write(welcome)
	}
	if err == nil {
		err = <-connected
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Leave()
	if err := near.(*net.TCPConn).SetLinger(0); err != nil { // what is not sent yet is lost
		t.Fatal(err)
	}
	near.Close()
	if f, err := frames.Next(); f.Type != protocol.TypeGoodbye {
		t.Errorf("%v, %v", f, err)
	}
	s.Wait()
}
