package process

import (
	"context"
	"time"
)

// retireTime is how long a helper that has answered may take to end.
const retireTime = time.Second

// End kills a process, with everything in its kernel session, and closes it: whoever waits for its
// pipes goes on. It takes about five seconds at most, since one in an uninterruptible system call
// dies only when that returns, if ever; what is left then is named as by Kill, and nobody need wait
// for Done.
func (p *Process) End() ([]Survivor, error) {
	left, err := p.Kill(context.Background())
	p.Close()
	return left, err
}

// Retire gives a helper back that has answered, and waits for nothing: it ends by itself, or is ended
// as by End if its account's other processes have stopped it.
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
