//go:build unix

package authorized

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

const nonBlocking = syscall.O_NONBLOCK

// check is sshd's safe_path: the file and each directory above it, up to the home directory or the root, belong to the account or
// to root, and neither their group nor others can write to them. A sticky directory like /tmp passes, which sshd does not
// allow: others can add names to it and not replace ours.
func (o Owner) check(path string, info fs.FileInfo) error {
	if !o.safe(info) {
		return &ModeError{Path: path}
	}
	dir, err := filepath.EvalSymlinks(path)
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return err
	}
	home := ""
	if o.Home != "" {
		home, _ = filepath.EvalSymlinks(o.Home) // a home that is not there ends nothing
	}
	for {
		above := filepath.Dir(dir)
		if above == dir {
			return nil
		}
		dir = above
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if !o.safe(info) {
			return &ModeError{Path: dir, Dir: true}
		}
		if dir == home {
			return nil
		}
	}
}

func (o Owner) safe(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	sticky := info.IsDir() && info.Mode()&os.ModeSticky != 0
	return ok && (stat.Uid == 0 || stat.Uid == o.UID) && (info.Mode().Perm()&0o022 == 0 || sticky)
}
