//go:build unix && !linux

package daemon

import "syscall"

// alive says whether a process exists, even as a zombie.
func alive(pid int) bool { return syscall.Kill(pid, 0) != syscall.ESRCH }
