//go:build linux && !386 && !arm

package stage

import "syscall"

// The system calls that take ids of 32 bits.
const (
	sysKeyctl    = syscall.SYS_KEYCTL
	sysSetgroups = syscall.SYS_SETGROUPS
	sysSetresgid = syscall.SYS_SETRESGID
	sysSetresuid = syscall.SYS_SETRESUID
)
