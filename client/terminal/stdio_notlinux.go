//go:build !linux

package terminal

import "io"

// Widen does nothing on this system.
func Widen(io.Reader) {}
