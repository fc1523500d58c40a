//go:build linux || darwin

package files

import (
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// quickly does for a file of one record what newPartial and finish do, in half as many system
// calls: there is one for every small file. dir is the folder, which was opened through an os.Root;
// base and the partial file's name are single parts, and no link is followed; path is base with the
// folder's, for t. done is false if nothing has happened and the slow way is to be taken, as when
// something has the name.
func quickly(dir *os.File, base, path string, body []byte, perm fs.FileMode, chmod bool,
	mode fs.FileMode, mtime time.Time, t *twins) (done bool, err error) {
	name := partialName(base)
	control(dir, func(at int) {
		var old unix.Stat_t
		if unix.Fstatat(at, base, &old, unix.AT_SYMLINK_NOFOLLOW) != unix.ENOENT {
			return // of what has the name something may stay
		}
		fd, openErr := unix.Openat(at, name,
			unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, uint32(perm))
		if openErr == unix.EEXIST || openErr == unix.EINTR {
			return
		}
		if done, err = true, openErr; err != nil {
			return
		}
		defer unix.Close(fd)
		var st unix.Stat_t
		if unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) == unix.EWOULDBLOCK ||
			unix.Fstat(fd, &st) != nil || st.Nlink != 1 {
			done = false // somebody removed it as left over: newPartial finds another name
			return
		}
		if err = fill(fd, body); err == nil && chmod {
			err = unix.Fchmod(fd, uint32(mode))
		}
		if err == nil && !mtime.IsZero() {
			var stamp unix.Timespec
			if stamp, err = unix.TimeToTimespec(mtime); err == nil {
				err = unix.UtimesNanoAt(at, name, []unix.Timespec{{Nsec: utimeOmit}, stamp},
					unix.AT_SYMLINK_NOFOLLOW)
			}
		}
		if err == nil {
			err = rename(at, name, base)
		}
		if err != nil {
			unix.Unlinkat(at, name, 0)
			done = err != unix.EEXIST
			return
		}
		t.add(fileID{uint64(st.Dev), st.Ino}, path)
	})
	return done, err
}

// rename gives a file a name that nothing has; else it is EEXIST.
func rename(at int, name, base string) error {
	err := renameNew(at, name, base)
	if err == nil || err == unix.EEXIST {
		return err
	}
	var old unix.Stat_t
	if unix.Fstatat(at, base, &old, unix.AT_SYMLINK_NOFOLLOW) != unix.ENOENT {
		return unix.EEXIST
	}
	return unix.Renameat(at, name, at, base)
}

func fill(fd int, body []byte) error {
	for len(body) > 0 {
		n, err := unix.Write(fd, body)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		body = body[n:]
	}
	return nil
}
