//go:build !linux

package process

import (
	"context"
	"errors"
	"os"
	"syscall"
)

// UseCgroups does not work on this system: only Linux has cgroups.
func UseCgroups(dir string, _ int, _ bool) (string, error) {
	if dir != "" {
		return "", errors.ErrUnsupported
	}
	return "", nil
}

// UseJobCgroups does nothing, as UseCgroups.
func UseJobCgroups(string) string { return "" }

// OwnCgroup does nothing.
func (p *Process) OwnCgroup(Account) (left func(), err error) { return func() {}, nil }

// CommandCgroup is "".
func CommandCgroup() string { return "" }

func place(Spec, *syscall.SysProcAttr) (placed, left func(), err error) {
	return func() {}, nil, nil
}

// hasStages: without /proc a program cannot find itself. A start that hangs holds a thread.
const hasStages = false

func audits() bool { return false }

func startStaged(_ context.Context, spec Spec) (*Process, error) { panic("no stages here") }

// KeepReady does nothing: there are no stages.
func KeepReady() {}

// EndReady does nothing, as KeepReady.
func EndReady() {}

func selfPath() (string, error) { return os.Executable() }
