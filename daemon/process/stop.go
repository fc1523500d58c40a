package process

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// confirmTime is how long Kill waits for killed processes to be gone: one in an uninterruptible
// system call dies only when that returns.
const confirmTime = 5 * time.Second

// survivors wraps ErrSurvivors with names, and with why if it is known.
func survivors(left []Survivor, why error) error {
	return errors.Join(fmt.Errorf("%w: %v", ErrSurvivors, left), why)
}

// Signal sends the signal of that name (without SIG; see KnownSignal) to the command's process
// group, on a terminal to the foreground one. "KILL" is stronger, and slower: it ends every process
// of the kernel session and returns when they are confirmed dead, at most about five seconds later;
// what survives is named in the error.
//
// Errors: ErrUnknownSignal, ErrFinished, ErrSurvivors (wrapped), or the system's own.
func (p *Process) Signal(name string) error {
	if !KnownSignal(name) {
		return fmt.Errorf("%w %q", ErrUnknownSignal, name)
	}
	if name == "KILL" {
		_, err := p.Kill(context.Background())
		return err
	}
	return p.signalGroup(name)
}

// retireTime is how long a helper that has answered may take to end.
const retireTime = time.Second

// End kills a process, with everything in its kernel session, and closes it: whoever waits for its
// pipes continues. It takes about five seconds at most, since a process in an uninterruptible
// system call dies only when that returns, if ever; what is left then is named, and nobody need
// wait for Done.
func (p *Process) End() ([]Survivor, error) {
	left, err := p.Kill(context.Background())
	p.Close()
	return left, err
}

// Retire lets go of a helper that has answered, and waits for nothing: the helper ends by itself,
// or as by End if its account's other processes have stopped it.
func (p *Process) Retire() {
	p.Stdin.Close()
	p.Stdout.Close()
	p.Stderr.Close()
	go func() {
		timer := time.NewTimer(retireTime)
		defer timer.Stop()
		select {
		case <-p.Done():
			p.Close()
		case <-timer.C:
			p.End()
		}
	}()
}
