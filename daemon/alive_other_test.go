//go:build unix && !linux

package daemon

import "syscall"

// alive says whether a process is there, be it a zombie.
func alive(pid int) bool { return syscall.Kill(pid, 0) != syscall.ESRCH }
