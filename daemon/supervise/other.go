//go:build !linux

package supervise

import (
	"context"
	"errors"
	"os"
	"syscall"
)

// Generation is a daemon's way to its supervisor; there are none on this system.
type Generation struct{}

// Outcome is how an upgrade went.
type Outcome struct {
	PID int
	Err string
	Fix string
}

// Join finds no supervisor.
func Join() (*Generation, error) { return nil, nil }

func (*Generation) Leave() <-chan struct{}              { return nil }
func (*Generation) Stop() <-chan struct{}               { return nil }
func (*Generation) Hurry() <-chan struct{}              { return nil }
func (*Generation) Take(string) *os.File                { return nil }
func (*Generation) Keep(string, syscall.Conn) error     { return nil }
func (*Generation) Want(string, []string) (bool, error) { return false, nil }
func (*Generation) Activated() []*os.File               { return nil }
func (*Generation) Ready() error                        { return nil }
func (*Generation) Left()                               {}
func (*Generation) Failed(string, string)               {}
func (*Generation) Tell(string)                         {}
func (*Generation) Number() int64                       { return 0 }
func (*Generation) Counts() bool                        { return false }
func (*Generation) Above(int64, int64)                  {}
func (*Generation) Old() bool                           { return false }
func (*Generation) Replaced() bool                      { return false }

// Upgrade is never called.
func (*Generation) Upgrade(context.Context) (Outcome, error) {
	return Outcome{}, errors.New("this system has no supervisor")
}
