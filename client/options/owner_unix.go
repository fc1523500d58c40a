//go:build unix

package options

import (
	"errors"
	"io/fs"
	"syscall"
)

// checkOwner wants a file that belongs to root or the user and that nobody else can write, as ssh
// does for ~/.ssh/config.
func checkOwner(info fs.FileInfo, uid int) error {
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != uid {
		return errors.New("belongs to another user, so it is not read")
	}
	if info.Mode().Perm()&0o022 != 0 {
		return errors.New("others can write it, so it is not read")
	}
	return nil
}
