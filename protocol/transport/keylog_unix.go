//go:build unix

package transport

import (
	"fmt"
	"os"
	"syscall"
)

// keyLogFlags: a link is not followed, and a named pipe without a reader is not waited for.
const keyLogFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK | syscall.O_NOCTTY

// keyLogFault says why a file is not a place for secrets, and what to type; "" if it is one.
func keyLogFault(path string, info os.FileInfo) (reason, advice string) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || int64(stat.Uid) != int64(os.Geteuid()):
		return "it belongs to another user", ""
	case info.Mode().Perm() != 0o600:
		return fmt.Sprintf("its mode is %04o, not 0600", info.Mode().Perm()),
			"chmod 600 " + shown(path)
	case stat.Nlink > 1: // it may be any file of ours, put there by somebody else
		return "it has another name too (a hard link)", ""
	}
	return "", ""
}
