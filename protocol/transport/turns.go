package transport

import (
	"net/netip"
	"sync"
	"time"
)

// Turns limits how many handshakes compute at the same time. A stranger's handshake costs a
// millisecond of a processor; without turns, many of them would keep all processors from those who
// work. A handshake that waits for the network holds no turn, so that nobody can keep one. A turn
// that was used rests as long again before the next handshake gets it.
//
// Sources of connections follow each other: while handshakes of one source wait, no other source
// gets two turns before it. So nobody waits for the crowd that another address sends.
type Turns struct {
	mu      sync.Mutex // guards the rest
	free    int
	waiting map[netip.Prefix][]chan struct{} // by source; one is closed when it has its turn
	next    []netip.Prefix                   // the sources that wait, in the order of their turns
}

// NewTurns allows n handshakes to compute at the same time.
func NewTurns(n int) *Turns {
	return &Turns{free: n, waiting: map[netip.Prefix][]chan struct{}{}}
}

// Of makes the turn of one handshake, for Server. The source is where its connection comes from.
func (t *Turns) Of(source netip.Prefix) *Turn { return &Turn{of: t, source: source} }

func (t *Turns) take(source netip.Prefix) {
	if mine := t.enter(source); mine != nil {
		<-mine
	}
}

// enter takes a free turn, or returns what is closed when the handshake has its turn.
func (t *Turns) enter(source netip.Prefix) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.free > 0 {
		t.free--
		return nil
	}
	mine := make(chan struct{})
	if len(t.waiting[source]) == 0 {
		t.next = append(t.next, source)
	}
	t.waiting[source] = append(t.waiting[source], mine)
	return mine
}

// pass gives a turn that has rested to the source that is next.
func (t *Turns) pass() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.next) == 0 {
		t.free++
		return
	}
	source := t.next[0]
	t.next = t.next[1:]
	waiting := t.waiting[source]
	close(waiting[0])
	if len(waiting) == 1 {
		delete(t.waiting, source)
		return
	}
	t.waiting[source] = waiting[1:]
	t.next = append(t.next, source)
}

// Turn is one handshake's. The goroutine that does the handshake owns it. With nil, a handshake
// computes at any time.
type Turn struct {
	of     *Turns
	source netip.Prefix
	held   bool
	since  time.Time
}

func (t *Turn) take() {
	if t != nil && !t.held {
		t.of.take(t.source)
		t.held, t.since = true, time.Now()
	}
}

func (t *Turn) give() {
	if t != nil && t.held {
		t.held = false
		time.AfterFunc(time.Since(t.since), t.of.pass)
	}
}
