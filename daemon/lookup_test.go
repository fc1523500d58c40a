package daemon

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A lookup behaves as the context that it saves the timer of, whoever looks first and when.
func TestLookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		l := newLookup()
		if until, ok := l.Deadline(); !ok || until.Sub(began) != lookupTime {
			t.Errorf("its deadline is in %v", until.Sub(began))
		}
		<-time.After(lookupTime / 2) // nobody has waited yet
		child, cancel := context.WithTimeout(l, 2*lookupTime)
		defer cancel()
		if err := child.Err(); err != nil {
			t.Errorf("in half of its time: %v", err)
		}
		<-child.Done()
		if spent := time.Since(began); spent != lookupTime || !errors.Is(l.Err(), context.DeadlineExceeded) {
			t.Errorf("over after %v: %v", spent, l.Err())
		}
		l.end()

		l = newLookup()
		l.Done()
		l.end()
		if !errors.Is(l.Err(), context.Canceled) {
			t.Errorf("after its end: %v", l.Err())
		}
		l = newLookup()
		l.end()
		if !errors.Is(l.Err(), context.Canceled) {
			t.Errorf("ended before anybody looked: %v", l.Err())
		}
	})
}
