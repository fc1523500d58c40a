//go:build unix

package authorized

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

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
