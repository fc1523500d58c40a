package process

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// hangUp sends HUP and CONT to the group.
func (p *Process) hangUp() {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.reaped || p.released {
		return
	}
	syscall.Kill(-p.PID, unix.SIGHUP)
	syscall.Kill(-p.PID, unix.SIGCONT)
}

// sweep kills the group if asked, and says whether the leader still runs.
// There is no list of a session's members here: the group alone is dealt with,
// and nothing more once its leader is reaped and its number free.
func (p *Process) sweep(kill bool) ([]Survivor, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.reaped || p.released {
		return nil, ErrFinished
	}
	if kill {
		if err := syscall.Kill(-p.PID, unix.SIGKILL); err != nil && err != unix.EPERM && err != unix.ESRCH {
			return nil, err
		}
	}
	return p.members(nil)
}

// members is the leader while it lives.
func (p *Process) members(any) ([]Survivor, error) {
	if p.exited {
		return nil, nil
	}
	return []Survivor{{PID: p.PID}}, nil
}
