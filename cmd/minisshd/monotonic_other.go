//go:build !linux

package main

import "time"

var started = time.Now()

// monotonic is a clock that never goes back. Only Linux has service managers that compare it with theirs.
func monotonic() time.Duration { return time.Since(started) }
