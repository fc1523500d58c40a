package turns

import (
	"context"
	"errors"
	"testing"
)

// So many of one key have their turn, so many wait, the next are refused, and others are not
// concerned. Nothing is kept of those that have gone.
func TestTake(t *testing.T) {
	turns := New[string](2, 3)
	background := context.Background()
	take := func(key string) func() {
		t.Helper()
		over, err := turns.Take(background, key)
		if err != nil {
			t.Fatal(err)
		}
		return over
	}
	first, second := take("ann"), take("ann")
	over, waits := context.WithCancelCause(background)
	third := make(chan error)
	go func() { _, err := turns.Take(over, "ann"); third <- err }()
	for queued := 0; queued < 3; {
		turns.mu.Lock()
		queued = turns.of["ann"].n
		turns.mu.Unlock()
	}
	if _, err := turns.Take(background, "ann"); !errors.Is(err, ErrTooMany) {
		t.Errorf("a fourth: %v", err)
	}
	take("bob")()
	why := errors.New("gone")
	waits(why)
	if err := <-third; err != why {
		t.Errorf("one that gave up: %v", err)
	}
	got := make(chan func())
	go func() { got <- take("ann") }()
	first()
	(<-got)()
	second()
	if len(turns.of) != 0 {
		t.Errorf("%d are kept", len(turns.of))
	}
}
