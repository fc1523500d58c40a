//go:build !linux

package logins

import "log/slog"

// Files are for Linux alone.
type Files struct{ Utmp, Wtmp, Lastlog string }

// System has none here.
var System Files

// Book records nothing here.
type Book struct{}

// Open makes a Book that records nothing.
func Open(Files, *slog.Logger) *Book { return nil }

// Begin does nothing.
func (*Book) Begin(Login) {}

// End does nothing.
func (*Book) End(Login) {}

// Bury does nothing.
func (*Book) Bury() {}

// Last knows nothing.
func (*Book) Last(uint32) (Last, bool) { return Last{}, false }

// Close does nothing.
func (*Book) Close() error { return nil }
