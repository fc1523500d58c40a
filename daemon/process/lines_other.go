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
func (*Lines) Begin(LineKind, []byte, LineOutput) (*Line, error) { return nil, ErrNoLines }

// Busy is never true.
func (*Line) Busy() bool { return false }

// Signal does nothing.
func (*Line) Signal(string) error { return ErrFinished }

// Stop does nothing.
func (*Line) Stop(context.Context) {}

// Type does nothing.
func (*Line) Type([]byte) {}

// Resize does nothing.
func (*Line) Resize(protocol.Size) {}

// End is how the line ended.
func (*Line) End() LineEnd { return LineEnd{} }
