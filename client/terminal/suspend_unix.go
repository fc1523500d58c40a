//go:build unix

package terminal

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Signals are those that mean something while a pty is shown; INT, QUIT, TERM and HUP end it.
var Signals = []os.Signal{
	syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGWINCH,
	syscall.SIGTSTP, syscall.SIGCONT,
}

// Those of them that do not end it.
const (
	SignalWindow   = syscall.SIGWINCH // the window has another size
	SignalStop     = syscall.SIGTSTP  // Ctrl-Z
	SignalContinue = syscall.SIGCONT
)

// StopSelf stops this process and what is in its process group, as Ctrl-Z would if it did not go to
// the other side, and returns when the process continues. signals is where TSTP goes otherwise. We
// send ourselves STOP: once Notify has caught a signal, Go never gives it back to the kernel's
// default.
func StopSelf(signals chan os.Signal) {
	if session, err := unix.Getsid(os.Getppid()); err != nil || !sameSession(session) {
		return // nobody could wake us: the kernel, too, ignores a TSTP then
	}
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	defer signal.Stop(continued)
	signal.Ignore(syscall.SIGTSTP)
	defer signal.Notify(signals, syscall.SIGTSTP)
	syscall.Kill(0, syscall.SIGTSTP)
	syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	select {
	case <-continued:
	case <-time.After(time.Second): // the kernel takes a moment to stop us, and no longer
	}
}

// InForeground says whether the keys of a terminal that mean a signal reach us.
func InForeground(terminal *os.File) bool {
	group, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

func sameSession(session int) bool {
	own, err := unix.Getsid(0)
	return err == nil && own == session
}
