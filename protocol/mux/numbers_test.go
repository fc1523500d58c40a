package mux

import (
	"testing"
	"time"

	"minissh/protocol"
)

// The times and sizes that PROTOCOL.md states, written out: a test that uses a constant would
// follow any change of it.
func TestNumbers(t *testing.T) {
	for name, c := range map[string]struct{ got, want time.Duration }{
		"pingAfter":   {pingAfter, 15 * time.Second},
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
