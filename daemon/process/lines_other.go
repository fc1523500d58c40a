//go:build !linux && !darwin

package process

import (
	"context"

	"minissh/protocol"
)

// Lines is a shell that is told its lines; there are none on this system.
type Lines struct {
	*Process
	Name string
}

// Line is one that runs.
type Line struct{ Ended chan struct{} }

// StartLines always fails.
func StartLines(context.Context, Spec) (*Lines, error) { return nil, ErrNoLines }

// Begin always fails.
func (*Lines) Begin(context.Context, LineKind, *protocol.Size, []byte, LineOutput) (*Line,
	error) {
	return nil, ErrNoLines
}

// Keys are typed nowhere.
func (*Lines) Keys() Keyboard { return nil }

// Busy is never true.
func (*Lines) Busy() bool { return false }

// Signal does nothing.
func (*Line) Signal(string) error { return ErrFinished }

// Typed does nothing.
func (*Line) Typed([]byte) {}

// Stop does nothing.
func (*Line) Stop(context.Context) {}

// End is how the line ended.
func (*Line) End() LineEnd { return LineEnd{} }
