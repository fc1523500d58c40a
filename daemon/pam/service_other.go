//go:build !linux

package pam

import (
	"context"
	"errors"
	"log/slog"

	"minissh/daemon/process"
)

// Service is for Linux alone.
type Service struct{}

// What does not happen.
var ErrBusy, ErrHungUp = errors.New("busy"), errors.New("hung up")

// New makes a service that refuses every login.
func New(process.Account, int, *slog.Logger) *Service { return &Service{} }

// Warm does nothing.
func (*Service) Warm() {}

// Close does nothing.
func (*Service) Close() error { return nil }

// Check refuses.
func (*Service) Check(context.Context, Login) error { return errors.ErrUnsupported }

// Open refuses.
func (*Service) Open(context.Context, Login) (*Session, error) {
	return nil, errors.ErrUnsupported
}

// Session does not exist here.
type Session struct{ process.Origin }

// Groups has nothing to return.
func (*Session) Groups() []uint32 { return nil }

// Messages has nothing to return.
func (*Session) Messages() []string { return nil }

// MustChange is false.
func (*Session) MustChange() bool { return false }

// Ended is never closed.
func (*Session) Ended() <-chan struct{} { return nil }

// Close does nothing.
func (*Session) Close() {}
