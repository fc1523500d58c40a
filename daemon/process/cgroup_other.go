//go:build !linux

package process

import (
	"errors"
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
