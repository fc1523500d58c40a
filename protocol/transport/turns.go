package transport

import "time"

// Turns limits how many handshakes compute at the same time. A stranger's handshake costs a
// millisecond of a processor; without turns, many of them would keep all processors from those who
// work. A handshake that waits for the network holds no turn, so that nobody can keep one. A turn
// that was used rests as long again before the next handshake gets it.
type Turns chan struct{}

// NewTurns allows n handshakes to compute at the same time.
func NewTurns(n int) Turns { return make(Turns, n) }

// turn is one handshake's. The goroutine that does the handshake owns it.
type turn struct {
	of    Turns // nil: it always has one
	held  bool
	since time.Time
}

func (t *turn) take() {
	if t.of != nil && !t.held {
		t.of <- struct{}{}
		t.held, t.since = true, time.Now()
	}
}

func (t *turn) give() {
	if t.held {
		of := t.of
		time.AfterFunc(time.Since(t.since), func() { <-of })
		t.held = false
	}
}
