package mux

import (
	"io"
	"testing"

	"minissh/protocol"
)

// A request that was not sent can be taken back, and nothing of it is ever sent; its channel has
// ended. Afterwards it cannot.
func TestWithdraw(t *testing.T) {
	s := New(Config{Role: Client})
	defer s.Close(nil)
	first, err := s.Open(&protocol.Open{Service: "exec"})
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.Open(&protocol.Open{Service: "exec"})
	if err != nil {
		t.Fatal(err)
	}
	first.EOF(protocol.TypeStdin)
	first.Close(nil) // which changes nothing
	if sent, opened := first.Began(); sent || opened {
		t.Error("it has begun")
	}
	if !first.Withdraw() {
		t.Error("it was not taken back")
	}
	<-first.Gone()
	if _, err := first.Take(); err != io.EOF {
		t.Errorf("%v", err)
	}
	if _, err := first.Write(protocol.TypeStdin, []byte("x")); err == nil {
		t.Error("it takes data")
	}
	if n := s.control.len(); n != 1 || s.control.at(0).c != second {
		t.Errorf("%d messages wait", n)
	}
	if s.ourOpen != 1 || len(s.channels) != 1 {
		t.Errorf("%d channels are open, %d known", s.ourOpen, len(s.channels))
	}
	s.mu.Lock()
	s.control.pop()
	second.begun = true // as collectControl does
	s.mu.Unlock()
	if sent, _ := second.Began(); !sent || second.Withdraw() {
		t.Error("what was sent was taken back")
	}
}
