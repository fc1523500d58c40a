//go:build unix

package conform

import "syscall"

// probeSignal asks whether a process is there, and does nothing to it (kill(2)).
const probeSignal = syscall.Signal(0)
