//go:build unix

package keys

import (
	"io/fs"
	"os"
	"syscall"
)

const (
	checksModes = true
	nonBlocking = syscall.O_NONBLOCK
)

// ownedByUs is ssh's condition for looking at a key file's mode: a file that belongs to somebody
// else is their business.
func ownedByUs(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return !ok || int64(stat.Uid) == int64(os.Getuid())
}
