//go:build !linux && !darwin

package tty

import "minissh/protocol"

// Modes reads nothing on this system.
func Modes(int) map[string]int64 { return nil }

// Size reads nothing on this system.
func Size(int) protocol.Size { return protocol.Size{} }
