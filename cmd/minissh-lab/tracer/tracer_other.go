//go:build !linux

package tracer

import (
	"context"
	"errors"
)

// Tracer does not exist on this system.
type Tracer struct{}

// New says why programs cannot be traced.
func New(context.Context) (*Tracer, error) {
	return nil, errors.New("only Linux has strace")
}

// Around is argv itself.
func (*Tracer) Around(argv []string) []string { return argv }

// Calls returns nothing: nothing was traced.
func (*Tracer) Calls() []Call { return nil }
