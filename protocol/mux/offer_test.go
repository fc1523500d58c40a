package mux

import (
	"testing"
	"testing/synctest"

	"minissh/protocol"
)

// Offer sends what can go out at once, whole, and nothing else.
func TestOffer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Client})
		c, err := s.Open(&protocol.Open{Service: "test"})
		must(t, err)
		refused := func(when string, kind protocol.Type, p string) {
			t.Helper()
			if c.Offer(kind, []byte(p)) {
				t.Errorf("it sends %.10q %s", p, when)
			}
		}
		refused("without a link", protocol.TypeStdin, "a")
		p, _, connected := asClient(t, s)
		p.send(welcome(0, 0))
		must(t, <-connected)
		p.want(protocol.TypeOpen, 1, "", "")
		synctest.Wait()
		if !c.Offer(protocol.TypeStdin, []byte("c")) {
			t.Error("it does not send c")
		}
		p.want(protocol.TypeStdin, 1, "c", "")
		refused("past a frame's size", protocol.TypeStdin, string(make([]byte, pieceSize+1)))
		left := protocol.InitialWindow - 1
		for ; left > pieceSize; left -= pieceSize {
			if !c.Offer(protocol.TypeStdin, make([]byte, pieceSize)) {
				t.Error("it does not send a whole frame")
			}
			p.want(protocol.TypeStdin, 1, "", "")
		}
		refused("past the credit", protocol.TypeStdin, string(make([]byte, left+1)))
		if !c.Offer(protocol.TypeStdin, make([]byte, left)) {
			t.Error("it does not send what there is credit for")
		}
		p.want(protocol.TypeStdin, 1, "", "")
		written := make(chan error, 1)
		go func() { _, err := c.Write(protocol.TypeStdin, []byte("f")); written <- err }()
		synctest.Wait()
		refused("while a Write waits", protocol.TypeStdin, "g")
		p.send(num(protocol.TypeWindow, 1, 2*protocol.InitialWindow))
		must(t, <-written)
		p.want(protocol.TypeStdin, 1, "f", "")
		must(t, c.EOF(protocol.TypeStdin))
		p.want(protocol.TypeEOF, 1, "", "")
		refused("after its EOF", protocol.TypeStdin, "h")
		s.Close(nil)
		refused("after the session's end", protocol.TypeStderr, "i")
		p.want(protocol.TypeGoodbye, 0, "", "")
		p.conn.Close()
	})
}
