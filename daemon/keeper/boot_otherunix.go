//go:build unix && !linux

package keeper

import (
	"sync"

	"golang.org/x/sys/unix"
)

// bootID names the system's start: another one means that nothing of before runs.
var bootID = sync.OnceValue(func() string {
	id, _ := unix.Sysctl("kern.bootsessionuuid") // "": nobody knows
	return id
})
