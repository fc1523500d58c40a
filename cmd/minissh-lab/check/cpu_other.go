//go:build !linux && !darwin && !windows

package check

import "time"

// processorTime is not known here.
func processorTime(int) (time.Duration, bool) { return 0, false }
