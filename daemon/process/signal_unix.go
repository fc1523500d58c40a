//go:build linux || darwin

package process

import (
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// byName is the allow list: the signals of RFC 4254 section 6.10 that a person
// would send, and those of job control. FPE, ILL and SEGV tell of faults and
// are nobody's to send.
var byName = map[string]syscall.Signal{
	"ABRT": unix.SIGABRT, "ALRM": unix.SIGALRM, "CONT": unix.SIGCONT, "HUP": unix.SIGHUP,
	"INT": unix.SIGINT, "KILL": unix.SIGKILL, "PIPE": unix.SIGPIPE, "QUIT": unix.SIGQUIT,
	"STOP": unix.SIGSTOP, "TERM": unix.SIGTERM, "TSTP": unix.SIGTSTP,
	"USR1": unix.SIGUSR1, "USR2": unix.SIGUSR2, "WINCH": unix.SIGWINCH,
}

// SignalNames lists what Signal takes, in order.
func SignalNames() []string {
	var names []string
	for name := range byName {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func allowed(name string) bool { _, ok := byName[name]; return ok }

// signalName is the name without SIG, or the number if it has none (real-time
// signals).
func signalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return strings.TrimPrefix(name, "SIG")
	}
	return strconv.Itoa(int(sig))
}

// signalGroup sends one signal to the process group, on a terminal to the foreground one. The leader, be it a
// zombie, keeps the group's number ours while mu is held.
func (p *Process) signalGroup(name string) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.reaped || p.released {
		return ErrFinished
	}
	if p.exited {
		// A signal to a group of zombies succeeds and reaches nobody.
		if alive, err := p.members(nil); err == nil && len(alive) == 0 {
			return ErrFinished
		}
	}
	if p.signalForeground(byName[name]) {
		return nil
	}
	err := syscall.Kill(-p.PID, byName[name])
	if err == syscall.ESRCH {
		return ErrFinished
	}
	return err
}
