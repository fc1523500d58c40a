//go:build unix

package testend

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
)

// Alive says whether a process is there. On Linux a zombie is not; elsewhere nobody can tell.
func Alive(pid int) bool {
	if runtime.GOOS != "linux" {
		return syscall.Kill(pid, 0) != syscall.ESRCH
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := bytes.Cut(stat, []byte(") "))
	return err == nil && len(state) > 0 && state[0] != 'Z' && state[0] != 'X'
}

// Gone waits until a process is not alive.
func Gone(t testing.TB, pid int) {
	t.Helper()
	Until(t, fmt.Sprintf("process %d is gone", pid), func() bool { return !Alive(pid) })
}
