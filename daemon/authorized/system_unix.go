//go:build unix

package authorized

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// lock opens a file, which it makes if it is missing. No other edit changes the file until it is
// closed.
func lock(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|nonBlocking, 0o600)
		if errors.Is(err, syscall.ELOOP) {
			return nil, fmt.Errorf("%s is a symbolic link: it is not changed", shown(path))
		}
		if err != nil {
			return nil, err
		}
		if err := flock(f); err != nil {
			f.Close()
			return nil, err
		}
		mine, err := f.Stat()
		if err == nil {
			var there os.FileInfo
			if there, err = os.Lstat(path); err == nil && os.SameFile(mine, there) {
				return f, nil
			}
		}
		f.Close()
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		// another edit has put a new file in its place while we waited
	}
}

func flock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err != syscall.EINTR {
			return err
		}
	}
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

const nonBlocking = syscall.O_NONBLOCK

// check is sshd's safe_path: the file and each directory above it, up to the home directory or the
// root, belong to the account or to root, and neither their group nor others can write to them,
// sticky or not: in a sticky directory others can put a link under the name that is looked for, for
// instance to a file of the account that they can influence (a mailbox).
//
// There is one difference: for a file outside the home, directories above the one that holds it may
// be sticky, as /tmp is. What is in them belongs to the account or to root, and nobody else can
// replace it.
func (o Owner) check(path string, info fs.FileInfo) error {
	if !o.safe(info, false) {
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
		home, _ = filepath.EvalSymlinks(o.Home) // a home that does not exist ends nothing
	}
	inHome := home != "" && strings.HasPrefix(dir, strings.TrimSuffix(home, "/")+"/")
	for first := true; ; first = false {
		above := filepath.Dir(dir)
		if above == dir {
			return nil
		}
		dir = above
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if !o.safe(info, !inHome && !first) {
			return &ModeError{Path: dir, Dir: true}
		}
		if dir == home {
			return nil
		}
	}
}

func (o Owner) safe(info fs.FileInfo, maySticky bool) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	sticky := maySticky && info.Mode()&os.ModeSticky != 0
	return ok && (stat.Uid == 0 || stat.Uid == o.UID) && (info.Mode().Perm()&0o022 == 0 || sticky)
}

// SafeProgram says why a program may not be run for the daemon: the file and each directory above
// it must be root's, and nobody else may write them.
func SafeProgram(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
		return fmt.Errorf("%s is not a program", shown(path))
	}
	return Owner{}.check(path, info)
}
