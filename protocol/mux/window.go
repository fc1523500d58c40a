package mux

import (
	"sync"
	"time"

	"minissh/protocol"
)

// Budget bounds how many bytes windows may grow beyond their initial size, over all the sessions
// that share it.
type Budget struct {
	whole *Budget // what this is a share of; nil: it is a whole
	mu    sync.Mutex
	left  int64 // bytes

	large chan struct{} // holds the turn of largeTurn while that is taken
}

// largeRequest is the payload of an OPEN that counts as large, in bytes.
const largeRequest = 4096

// NewBudget returns a budget of so many bytes.
func NewBudget(bytes int64) *Budget { return &Budget{left: bytes, large: make(chan struct{}, 1)} }

// Share returns a budget of so many bytes, each of which also counts against b: what one user may
// take of it.
func (b *Budget) Share(bytes int64) *Budget {
	return &Budget{whole: b, left: bytes, large: make(chan struct{}, 1)}
}

// largeTurn waits until the caller may read a large request, and returns what ends that turn.
// Reading the JSON of 64 KiB takes ten times as long as sending it: sessions that share a budget do
// it one at a time, and a turn rests three times as long as it was used. So a user with many
// sessions takes a quarter of a processor for it and no more.
func (b *Budget) largeTurn() (end func()) {
	b.large <- struct{}{}
	began := time.Now()
	return func() { time.AfterFunc(3*time.Since(began), func() { <-b.large }) }
}

func (b *Budget) take(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n > b.left || b.whole != nil && !b.whole.take(n) {
		return false
	}
	b.left -= n
	return true
}

func (b *Budget) give(n int64) {
	if b.whole != nil {
		b.whole.give(n)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left += n
}

// consumed notes that the application took n data bytes. It grants more credit when half of the
// window has been consumed, or when everything has and the sender waits for the window: then it
// first doubles the window (CH7). The caller holds mu.
func (s *Session) consumed(c *Channel, n int) {
	c.consumed += uint64(n)
	if c.failed || c.closeReceived || c.closeSent {
		return // nothing more is wanted; a window that grew now would never be given back
	}
	starving := c.peerBlocked && c.inbox.data == 0
	if starving {
		c.peerBlocked = false
		s.growWindow(c)
	}
	wanted := c.consumed + uint64(c.window)
	if (starving || wanted-c.limit >= uint64(c.window)/2) && wanted > c.limit {
		c.limit = wanted
		if !c.grantDue {
			c.grantDue = true
			s.grants.push(c)
			s.work.Signal()
		}
	}
}

func (s *Session) growWindow(c *Channel) {
	more := min(c.window, protocol.MaxWindow-c.window)
	if more <= 0 || s.grown+more > protocol.MaxWindow || !s.budget.take(more) {
		return
	}
	c.window += more
	s.grown += more
}

// returnWindow gives back what the channel's window had grown. The caller holds mu.
func (s *Session) returnWindow(c *Channel) {
	if more := c.window - protocol.InitialWindow; more > 0 {
		c.window = protocol.InitialWindow
		s.grown -= more
		s.budget.give(more)
	}
}
