//go:build !linux

package process

import (
	"errors"
	"os"
)

// Terminal does not work on this system: without pidfds nobody can be sure of a process that is not
// its child.
func (p *Process) Terminal() (*os.File, error) { return nil, errors.ErrUnsupported }

// LetGo is never needed here.
func (p *Process) LetGo() {}

// CloseTerminal is never needed here.
func (p *Process) CloseTerminal() {}

// Adopt does not work on this system, as Terminal.
func Adopt(int, string, int, func() (Result, bool)) (*Process, error) {
	return nil, errors.ErrUnsupported
}
