package process

import (
	"context"
	"fmt"
)

// Signal sends the signal of that name (without SIG; see SignalNames) to the
// command's process group, on a terminal to the foreground one. "KILL" is stronger, and slower: it ends every
// process of the kernel session and returns when they are confirmed dead, at
// most about five seconds later; what survives is named in the error.
//
// Errors: ErrUnknownSignal, ErrFinished, ErrSurvivors (wrapped), or the
// system's own.
func (p *Process) Signal(name string) error {
	if !allowed(name) {
		return fmt.Errorf("%w %q", ErrUnknownSignal, name)
	}
	if name == "KILL" {
		_, err := p.Kill(context.Background())
		return err
	}
	return p.signalGroup(name)
}
