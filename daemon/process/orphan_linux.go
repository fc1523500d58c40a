package process

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Orphan is a command whose daemon has died, and which is this process's child now.
type Orphan struct {
	p        *Process
	terminal bool
}

// TakeOrphan takes over a command that the roll of a dead daemon names. This process is their
// subreaper, and has not reaped it: so the number is still the command's.
func TakeOrphan(pid int, terminal bool) (*Orphan, error) {
	p := &Process{PID: pid, done: make(chan struct{}), started: time.Now(),
		Stdin: nothing{}, Stdout: noOutput{}, Stderr: noOutput{}}
	p.sys.pidfd = -1
	if err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG,
		nil); err != nil {
		return nil, fmt.Errorf("process %d is not left to us: %w", pid, err)
	}
	if fd, err := unix.PidfdOpen(pid, 0); err == nil {
		p.sys.pidfd = fd
	}
	go p.watch()
	return &Orphan{p, terminal}, nil
}

// Stop is what its daemon would have done when the client had gone: Process.Stop or, on a terminal,
// Process.HangUp. Nobody knows the terminal's foreground group any more, but the kernel and the
// shell have sent it HUP. Then the command is reaped, unless it could not be stopped.
func (a *Orphan) Stop(ctx context.Context, grace time.Duration) ([]Survivor, error) {
	defer a.p.Close()
	if a.terminal {
		return a.p.hangUpGroups(ctx, grace, map[int]bool{a.p.PID: true})
	}
	return a.p.Stop(ctx, grace)
}

// nothing is the input of a command whose pipes ended with its daemon.
type nothing struct{}

func (nothing) Write(p []byte) (int, error) { return len(p), nil }
func (nothing) Close() error                { return nil }
func (nothing) Loud()                       {}
