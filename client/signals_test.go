package client

import (
	"context"
	"os"
	"testing"
)

// A signal that comes before anything is under way ends what begins then.
func TestSignalBeforeDialing(t *testing.T) {
	s := newSignals()
	s.take(os.Interrupt)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.whileDialing(cancel)
	if code, caught := s.caught(); ctx.Err() == nil || !caught || code != 130 {
		t.Errorf("%v, %d, %v", ctx.Err(), code, caught)
	}
}
