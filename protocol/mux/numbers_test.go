package mux

import (
	"strings"
	"testing"
	"time"

	"minissh/protocol"
)

// The times and sizes that PROTOCOL.md states, written out: a test that uses a constant would
// follow any change of it.
func TestNumbers(t *testing.T) {
	for name, c := range map[string]struct{ got, want time.Duration }{
		"pingAfter":   {pingAfter, 15 * time.Second},
		"askAfter":    {askAfter, 5 * time.Second},
		"deadAfter":   {deadAfter, 45 * time.Second},
		"writeStall":  {writeStall, 30 * time.Second},
		"untoldMost":  {untoldMost, 15 * time.Minute},
		"stoppedMost": {stoppedMost, 24 * time.Hour},
		"ackDelay":    {ackDelay, 20 * time.Millisecond},
		"tombTime":    {tombTime, 10 * time.Minute},
		"linkMost":    {linkMost, 256 << 30},
	} {
		if c.got != c.want {
			t.Errorf("%s is %v instead of %v", name, c.got, c.want)
		}
	}
}

// The window of a channel grows to 64 MiB, and those of a session's channels by 64 MiB together,
// however much the budget has.
func TestMostOfWindows(t *testing.T) {
	s := New(Config{Role: Client, Budget: NewBudget(1 << 30)})
	a, err := s.Open(&protocol.Open{Service: "test"})
	must(t, err)
	b, err := s.Open(&protocol.Open{Service: "test"})
	must(t, err)
	for range 20 {
		s.growWindow(a)
	}
	if a.window != 67_108_864 {
		t.Errorf("one window grows to %d", a.window)
	}
	for range 20 {
		s.growWindow(b)
	}
	if b.window != 524_288 || s.grown != 67_108_864 {
		t.Errorf("another one grows to %d, and all by %d", b.window, s.grown)
	}
	s.Close(nil)
	if s.budget.left != 1<<30 {
		t.Errorf("%d are left", s.budget.left)
	}
}

// Credit is granted when half of the window has been consumed, and not before: after 131,072 of
// 262,144 bytes.
func TestGrantAtHalf(t *testing.T) {
	s := New(Config{Role: Client})
	c, err := s.Open(&protocol.Open{Service: "test"})
	must(t, err)
	s.consumed(c, 131_071)
	if c.grantDue || c.limit != 262_144 {
		t.Errorf("a byte before half: %d", c.limit)
	}
	s.consumed(c, 1)
	if !c.grantDue || c.limit != 262_144+131_072 {
		t.Errorf("half: %v, %d", c.grantDue, c.limit)
	}
	s.Close(nil)
}

// The OPENs of the channels that are open have 1,048,576 bytes together, on either side: not one
// more.
func TestOpensAtTheEdge(t *testing.T) {
	padded := func(channel uint32, n int) []byte {
		const before, after = `{"service":"test","x":"`, `"}`
		middle := strings.Repeat("x", n-len(before)-len(after))
		return msg(protocol.TypeOpen, channel, before+middle+after)
	}
	for last, ok := range map[int]bool{65_536 - 30: true, 65_536 - 29: false} {
		bubble(t, func(t *testing.T) {
			s := New(Config{Role: Daemon, Accept: ignore, Channels: 64})
			p, accepted := asDaemon(t, s, helloOf(nil))
			for i := range uint32(15) {
				p.send(padded(2*i+1, 65_536))
			}
			p.send(padded(31, last), padded(33, 30), num(protocol.TypePing, 0, 7))
			if ok {
				p.want(protocol.TypePong, 0, "7", "1,048,576 bytes")
				s.Close(nil)
			} else {
				p.want(protocol.TypeError, 0, "too_many_channels", "1,048,577 bytes")
			}
			p.conn.Close()
			<-accepted
			s.Wait()
		})
		s := New(Config{Role: Client})
		s.peerChannels = 64
		size := func(n int) *protocol.Open {
			return &protocol.Open{Service: strings.Repeat("x", n-len(`{"service":""}`))}
		}
		for range 15 {
			_, err := s.Open(size(65_536))
			must(t, err)
		}
		_, err := s.Open(size(last))
		must(t, err)
		if _, err := s.Open(size(30)); (err == nil) != ok {
			t.Errorf("a client's: %v", err)
		}
		s.Close(nil)
	}
}

// A session whose link ended is kept for 10 seconds, however long the client wants (RE4).
func TestKeptAfterFIN(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := New(Config{Role: Daemon, Resend: 262_144, Hold: time.Hour})
		hello := func(h *protocol.Hello) { h.Resend, h.Hold = 262_144, 3_600 }
		p, accepted := asDaemon(t, s, helloOf(hello))
		p.conn.Close()
		<-accepted
		began := time.Now()
		s.Wait()
		if d := time.Since(began); d != 10*time.Second {
			t.Errorf("kept for %v", d)
		}
	})
}
