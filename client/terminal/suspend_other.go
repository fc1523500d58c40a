//go:build !unix

package terminal

import (
	"os"
	"syscall"
)

// Signals are those that mean something while a pty is shown.
var Signals = []os.Signal{os.Interrupt, syscall.SIGTERM}

// These do not exist on this system; nothing sends them.
const (
	SignalWindow   = syscall.Signal(-1)
	SignalStop     = syscall.Signal(-2)
	SignalContinue = syscall.Signal(-3)
)

// StopSelf does nothing on this system.
func StopSelf(chan os.Signal) {}

// InForeground is always true on this system: a console has no background.
func InForeground(*os.File) bool { return true }
