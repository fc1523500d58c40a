//go:build linux && (386 || arm)

package stage

import "syscall"

// The system calls that take ids of 32 bits: the older ones take 16.
const (
	sysKeyctl    = syscall.SYS_KEYCTL
	sysSetgroups = syscall.SYS_SETGROUPS32
	sysSetresgid = syscall.SYS_SETRESGID32
	sysSetresuid = syscall.SYS_SETRESUID32
)
