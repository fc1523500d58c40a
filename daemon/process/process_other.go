//go:build !linux

package process

import (
	"context"
	"errors"
	"os"
	"syscall"
)

// UseCgroups does not work here: cgroups are Linux's.
func UseCgroups(dir string, _ int) (string, error) {
	if dir != "" {
		return "", errors.ErrUnsupported
	}
	return "", nil
}

func place(*Credential, *syscall.SysProcAttr) (placed, left func(), err error) {
	return func() {}, nil, nil
}

// hasStages: without /proc a program does not find itself. What hangs at its start holds a thread.
const hasStages = false

func startStaged(_ context.Context, spec Spec) (*Process, error) { panic("no stages here") }

// KeepReady does nothing where there are no stages.
func KeepReady() {}

// EndReady does nothing, as KeepReady.
func EndReady() {}

func selfPath() (string, error) { return os.Executable() }
