//go:build linux || darwin

package process

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Looking again: soon at first, since most processes die at once.
const (
	firstLook = time.Millisecond
	lastLook  = 50 * time.Millisecond
)

// Stop ends the command and everything still in its kernel session, as RULES C2 says: stdin, or the
// terminal, is closed; HUP and CONT (a stopped process does not act on HUP alone) go to the process
// group and to members that made groups of their own, as timeout(1) does; what still lives after
// grace is killed. A grace of 0 or less kills at once, and the end of ctx ends the grace.
//
// It returns when all are confirmed dead, or with the processes that could not be stopped and an
// error that wraps ErrSurvivors. It works as well when the leader has ended and its children
// linger, until Close (on darwin: not then). A process that called setsid is not stopped.
func (p *Process) Stop(ctx context.Context, grace time.Duration) ([]Survivor, error) {
	p.Stdin.Close()
	if p.tty != nil {
		p.tty.Close()
	}
	if grace > 0 {
		p.hangUp()
		limited, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		// Only members are the proof; a running leader needs no counting.
		select {
		case <-p.done:
			left, err := twiceEmpty(limited, func() ([]Survivor, error) { return p.sweep(false) })
			if err == nil && len(left) == 0 {
				return nil, nil
			}
		case <-limited.Done():
		}
	}
	return p.Kill(context.WithoutCancel(ctx))
}

// Kill sends KILL to every process of the kernel session until two looks in a row find none alive.
// It does so at least once, even if ctx has ended, and gives up with ctx or after about five
// seconds; then it returns what is left and an error that wraps ErrSurvivors. After Close nothing.
func (p *Process) Kill(ctx context.Context) ([]Survivor, error) {
	limited, cancel := context.WithTimeout(ctx, confirmTime)
	defer cancel()
	left, err := twiceEmpty(limited, func() ([]Survivor, error) { return p.sweep(true) })
	if len(left) > 0 || err != nil {
		if errors.Is(err, ErrFinished) {
			return nil, nil
		}
		return left, survivors(left, err)
	}
	// What is dead may take an instant until it is known to be dead.
	select {
	case <-p.done:
	case <-limited.Done():
	}
	return nil, nil
}

// twiceEmpty calls sweep until it finds nobody twice in a row. Twice, because a process can be born
// unseen by a look that then sees its parent die.
func twiceEmpty(ctx context.Context, sweep func() ([]Survivor, error)) ([]Survivor, error) {
	wait := firstLook
	for empty := 0; ; {
		left, err := sweep()
		if err != nil {
			return left, err
		}
		if len(left) == 0 {
			if empty++; empty == 2 {
				return nil, nil
			}
			continue
		}
		empty = 0
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return left, ctx.Err()
		}
		wait = min(2*wait, lastLook)
	}
}

// byName is the allow list: the signals of RFC 4254 section 6.10 that a person would send, and
// those of job control. FPE, ILL and SEGV report faults; nobody should send them.
var byName = map[string]syscall.Signal{
	"ABRT": unix.SIGABRT, "ALRM": unix.SIGALRM, "CONT": unix.SIGCONT, "HUP": unix.SIGHUP,
	"INT": unix.SIGINT, "KILL": unix.SIGKILL, "PIPE": unix.SIGPIPE, "QUIT": unix.SIGQUIT,
	"STOP": unix.SIGSTOP, "TERM": unix.SIGTERM, "TSTP": unix.SIGTSTP,
	"USR1": unix.SIGUSR1, "USR2": unix.SIGUSR2, "WINCH": unix.SIGWINCH,
}

// KnownSignal says whether Signal takes a name.
func KnownSignal(name string) bool { _, ok := byName[name]; return ok }

// signalName is the name without SIG, or the number if it has none (real-time signals).
func signalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return strings.TrimPrefix(name, "SIG")
	}
	return strconv.Itoa(int(sig))
}

// signalGroup sends one signal to the process group, on a terminal to the foreground one. The
// leader, even as a zombie, keeps the group's number ours while mu is held.
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
