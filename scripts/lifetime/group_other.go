//go:build !unix

package lifetime

import (
	"os/exec"
	"time"
)

// Group bounds how long cmd is waited for once its context has ended; what it started itself is not
// found here.
func Group(cmd *exec.Cmd) { cmd.WaitDelay = 5 * time.Second }
