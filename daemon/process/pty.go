package process

import (
	"errors"

	"minissh/protocol"
)

// PTY asks for a pseudo-terminal as the command's descriptors 0, 1 and 2 and as its controlling terminal. Both fields have been checked
// (protocol.PTY.Check). TERM is the caller's to put into Spec.Env; SSH_TTY is set by Start.
type PTY struct {
	Size  protocol.Size
	Modes map[string]int64 // by the names of TE1; others keep the kernel's default
}

// ErrNoPTY is wrapped by Start where no pseudo-terminal can be had. The same Spec without PTY may do.
var ErrNoPTY = errors.New("no pseudo-terminal can be had here")

// noOutput is the Stderr of a command on a terminal: all its output is one stream.
type noOutput struct{}

func (noOutput) Close() error { return nil }
