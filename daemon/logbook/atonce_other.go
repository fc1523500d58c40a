//go:build !linux

package logbook

import "io"

// atOnce would be how to write to a file without waiting: every line goes through the queue here.
func atOnce(io.Writer) func([]byte) int { return nil }
