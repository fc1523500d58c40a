// Package turns lets those who wait for the same thing do so in turns: so many at once for each
// account, or for each address.
package turns

import (
	"context"
	"errors"
	"sync"
)

// Turns are those of a kind of wait, by what they are counted by.
type Turns[Key comparable] struct {
	atOnce, most int

	mu sync.Mutex
	of map[Key]*queue
}

// queue is one key's.
type queue struct {
	n     int           // those that have their turn, or wait for it
	taken chan struct{} // holds one for each that has its turn
}

// New makes turns, atOnce at a time of one key. At most so many have their turn or wait for it.
func New[Key comparable](atOnce, most int) *Turns[Key] {
	return &Turns[Key]{atOnce: atOnce, most: most, of: map[Key]*queue{}}
}

// ErrTooMany means that too many of one key wait already.
var ErrTooMany = errors.New("too many wait already")

// Take waits for a turn. over ends it. The error is ErrTooMany, or why ctx has ended.
func (t *Turns[Key]) Take(ctx context.Context, key Key) (over func(), err error) {
	mine, err := t.enter(key)
	if err != nil {
		return nil, err
	}
	select {
	case mine.taken <- struct{}{}:
		return func() { <-mine.taken; t.leave(key) }, nil
	case <-ctx.Done():
		t.leave(key)
		return nil, context.Cause(ctx)
	}
}

func (t *Turns[Key]) enter(key Key) (*queue, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.of[key]
	if q == nil {
		q = &queue{taken: make(chan struct{}, t.atOnce)}
		t.of[key] = q
	}
	if q.n >= t.most {
		return nil, ErrTooMany
	}
	q.n++
	return q, nil
}

func (t *Turns[Key]) leave(key Key) {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.of[key]
	if q.n--; q.n == 0 {
		delete(t.of, key)
	}
}
