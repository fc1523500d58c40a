//go:build !linux

package logbook

import "io"

// atOnce finds nothing here: every line goes through the queue.
func atOnce(io.Writer) func([]byte) int { return nil }
