package process

import (
	"context"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// HangUp is Stop here: there is no list of a session's members to choose from.
func (p *Process) HangUp(ctx context.Context, grace time.Duration) ([]Survivor, error) {
	return p.Stop(ctx, grace)
}

// signalForeground does nothing here: whether another process group belongs to the command's session cannot be told.
func (p *Process) signalForeground(unix.Signal) bool { return false }

func shortWay(f *os.File) io.ReadWriter { return f }
