package transport

// Turns bounds how many handshakes compute at the same time. A stranger's handshake costs a
// millisecond of a processor; without turns many of them would keep all processors from those who
// are at work. Whoever waits for the network holds no turn, so that nobody can keep one.
type Turns chan struct{}

// NewTurns allows n handshakes to compute at the same time.
func NewTurns(n int) Turns { return make(Turns, n) }

// turn is one handshake's. The goroutine that does the handshake owns it.
type turn struct {
	of   Turns // nil: it needs none
	held bool
}

func (t *turn) take() {
	if t.of != nil && !t.held {
		t.of <- struct{}{}
		t.held = true
	}
}

func (t *turn) give() {
	if t.held {
		<-t.of
		t.held = false
	}
}
