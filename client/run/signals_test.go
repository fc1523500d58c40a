package run

import (
	"context"
	"os"
	"testing"
)

// A signal ends an attempt to connect.
func TestSignalWhileDialing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := &Catcher{cancel: cancel}
	s.take(os.Interrupt)
	if code, caught := s.Caught(); ctx.Err() == nil || !caught || code != 130 {
		t.Errorf("%v, %d, %v", ctx.Err(), code, caught)
	}
}
