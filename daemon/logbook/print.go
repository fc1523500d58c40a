package logbook

import (
	"io"
	"time"
)

// Print writes a text that is not a record, and gives up after a time: a pipe that nobody reads
// keeps nobody from starting or ending.
func Print(file io.Writer, text string, most time.Duration) {
	done := make(chan struct{})
	go func() { defer close(done); io.WriteString(file, text) }()
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}
