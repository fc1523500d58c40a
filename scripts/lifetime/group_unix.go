//go:build unix

package lifetime

import (
	"os/exec"
	"syscall"
	"time"
)

// Group makes cmd, which exec.CommandContext made, the head of a session of its own, without a
// terminal, and has all of its process group killed when its context ends.
func Group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
}
