//go:build unix

package editor

import (
	"os"
	"syscall"
)

// KindOf is what a signal means; one that has no meaning here ends.
func KindOf(sig os.Signal) SignalKind {
	switch sig {
	case syscall.SIGINT:
		return SignalInterrupt
	case syscall.SIGQUIT:
		return SignalQuit
	case syscall.SIGWINCH:
		return SignalResize
	case syscall.SIGTSTP:
		return SignalStop
	case syscall.SIGCONT:
		return SignalContinue
	}
	return SignalEnd
}

// StopSelf stops this process, as Ctrl-Z does, until somebody continues it.
func StopSelf() { syscall.Kill(os.Getpid(), syscall.SIGSTOP) }
