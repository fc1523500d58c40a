package process

import (
	"context"
	"time"

	"minissh/protocol"
)

// terminal does not exist here.
type terminal struct{}

func (*terminal) Close() error { return nil }

// Resize has nothing to do here.
func (p *Process) Resize(protocol.Size) error { return ErrNoPTY }

// Drain has nothing to do here.
func (p *Process) Drain() {}

// HangUp is Stop here.
func (p *Process) HangUp(ctx context.Context, grace time.Duration) ([]Survivor, error) {
	return p.Stop(ctx, grace)
}

func (noOutput) Read([]byte) (int, error) { return 0, ErrNoPTY }
