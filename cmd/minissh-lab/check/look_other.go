//go:build !linux

package check

// waits is not known here.
func waits(int) (calm, known bool) { return false, false }

// sleeps is not known here.
func sleeps(int) bool { return false }

// asks is not known here.
func asks(int) bool { return false }

// listening is not known here.
func listening(int) []int { return nil }

// peakMemory is not known here.
func peakMemory(int) (n int64, known bool) { return 0, false }

// timers are not known here.
func timers(int) (map[string]string, bool) { return nil, false }
