package process

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// hangUp sends HUP and CONT to the group, and to members of the session that
// are in other groups: timeout(1) and `set -m` make such, and without this
// they would meet KILL with no chance to clean up.
func (p *Process) hangUp() {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.reaped || p.released {
		return
	}
	syscall.Kill(-p.PID, unix.SIGHUP)
	syscall.Kill(-p.PID, unix.SIGCONT)
	p.members(func(s procStat) {
		if s.pgrp != p.PID {
			p.signalMember(s.pid, unix.SIGHUP)
			p.signalMember(s.pid, unix.SIGCONT)
		}
	})
}

// sweep looks once for living members, and kills them if asked: the group in
// one stroke, which no fork within it can outrun, then the others on sight.
func (p *Process) sweep(kill bool) ([]Survivor, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.reaped || p.released {
		return nil, ErrFinished
	}
	if !kill {
		return p.members(nil)
	}
	if err := syscall.Kill(-p.PID, unix.SIGKILL); err != nil && err != unix.EPERM && err != unix.ESRCH {
		return nil, os.NewSyscallError("kill", err)
	}
	return p.members(func(s procStat) { p.signalMember(s.pid, unix.SIGKILL) })
}

// members lists the living processes of the session and calls each, if not
// nil, with one as soon as it is seen: /proc is listed by rising number, so
// children made meanwhile mostly still lie ahead. mu is held, and the leader's
// number therefore ours; for the rest a line of /proc is only a hint, which
// signalMember verifies. One look at /proc serves all who ask at the same time.
func (p *Process) members(each func(procStat)) ([]Survivor, error) {
	seen, err := processes.look(p.PID, each)
	if err != nil {
		return nil, err
	}
	if !seen.leader {
		// The leader is kept until Close: a /proc without it is not to be
		// believed, and silence would be a false "all dead".
		return seen.alive, fmt.Errorf("/proc does not show process %d", p.PID)
	}
	return seen.alive, nil
}

func readStat(pid int) (procStat, error) {
	line, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return procStat{}, err
	}
	return parseStat(line)
}

// signalMember signals a process only if it is in our session. The pidfd comes
// first: if the number is recycled after that, the signal goes nowhere; if
// before, the check of the session sees the new owner.
func (p *Process) signalMember(pid int, sig syscall.Signal) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil && !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EPERM) {
		return err
	}
	if err == nil {
		defer unix.Close(fd)
	}
	s, statErr := readStat(pid)
	if statErr != nil || s.session != p.PID {
		return unix.ESRCH
	}
	if err != nil {
		return syscall.Kill(pid, sig)
	}
	return unix.PidfdSendSignal(fd, sig, nil, 0)
}
