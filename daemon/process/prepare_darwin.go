package process

import (
	"os/signal"
	"syscall"
)

// ignored says whether a signal is ignored, as far as the runtime knows.
func ignored(sig syscall.Signal) bool { return signal.Ignored(sig) }
