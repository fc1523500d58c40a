//go:build !linux

package main

import "time"

var started = time.Now()

// monotonic never goes back. Only Linux has service managers that compare it with their clock.
func monotonic() time.Duration { return time.Since(started) }

// toJournal says whether standard error is a journal's: this system has none.
func toJournal() bool { return false }
