package process

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"minissh/protocol/nonblock"
)

// HangUp is Stop for a command on a terminal whose user has gone: as under sshd, the background jobs of a shell are that shell's affair
// (TE3). The terminal is closed, by which the kernel sends HUP and CONT to the command itself; we send them to the others of its process group
// and to the foreground one. What of these two groups still lives after grace is killed, until none is left. Without a terminal it is Stop.
//
// The command gets no second HUP: a shell that is sent one while it tells its jobs of the first leaves at once, and some job is not told.
func (p *Process) HangUp(ctx context.Context, grace time.Duration) ([]Survivor, error) {
	if p.tty == nil {
		return p.Stop(ctx, grace)
	}
	groups := map[int]bool{p.PID: true, p.tty.foreground(): true}
	p.tty.Close()
	send := func(signals ...unix.Signal) ([]Survivor, error) { return p.signalGroups(groups, 0, signals...) }
	if grace > 0 {
		p.signalGroups(groups, p.PID, unix.SIGHUP, unix.SIGCONT)
		limited, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		left, err := twiceEmpty(limited, func() ([]Survivor, error) { return send() })
		if err == nil && len(left) == 0 {
			return nil, nil
		}
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), confirmTime)
	defer cancel()
	left, err := twiceEmpty(limited, func() ([]Survivor, error) { return send(unix.SIGKILL) })
	if errors.Is(err, ErrFinished) {
		return nil, nil
	}
	if len(left) > 0 || err != nil {
		return left, survivors(left, err)
	}
	return nil, nil
}

// signalGroups looks once for living members of the session that are in one of the groups, and sends each the signals, but one.
func (p *Process) signalGroups(groups map[int]bool, but int, signals ...unix.Signal) (alive []Survivor, err error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.reaped || p.released {
		return nil, ErrFinished
	}
	_, err = p.members(func(s procStat) {
		if !groups[s.pgrp] {
			return
		}
		alive = append(alive, Survivor{PID: s.pid, Comm: s.comm})
		for _, sig := range signals {
			if s.pid != but {
				p.signalMember(s.pid, sig)
			}
		}
	})
	return alive, err
}

// signalForeground sends a signal to a terminal's foreground process group, and says whether there was one other than the command's own. Its
// members are signalled one by one: unlike the command's own, its number is not ours to keep. The caller holds mu.
func (p *Process) signalForeground(sig unix.Signal) bool {
	if p.tty == nil {
		return false
	}
	group, found := p.tty.foreground(), false
	if group == p.PID {
		return false
	}
	p.members(func(s procStat) {
		if s.pgrp == group {
			found = p.signalMember(s.pid, sig) == nil || found
		}
	})
	return found
}

// shortWay reads and writes a terminal without waking the scheduler's watcher at each key.
func shortWay(f *os.File) io.ReadWriter {
	if d, err := nonblock.New(f); err == nil {
		return d
	}
	return f
}
