package process

import "context"

// End kills a process, with everything in its kernel session, and closes it: whoever waits for its
// pipes goes on. It takes about five seconds at most, since one in an uninterruptible system call
// dies only when that returns, if ever; what is left then is named as by Kill, and nobody need wait
// for Done.
func (p *Process) End() ([]Survivor, error) {
	left, err := p.Kill(context.Background())
	p.Close()
	return left, err
}
