//go:build !linux && !darwin

package tty

import "minissh/protocol"

// Modes reads nothing here.
func Modes(int) map[string]int64 { return nil }

// Size reads nothing here.
func Size(int) protocol.Size { return protocol.Size{} }
