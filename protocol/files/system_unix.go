//go:build unix

package files

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// nonblock keeps the opening of a FIFO from waiting for its other end.
const nonblock = syscall.O_NONBLOCK

// renameOpen: a file is renamed while it is open, and so while it is locked.
const renameOpen = true

// umask is the process's. It cannot be read without setting it on every system: for a moment it is
// the strictest.
var umask = sync.OnceValue(func() fs.FileMode {
	old := syscall.Umask(0o077)
	syscall.Umask(old)
	return fs.FileMode(old)
})

// lock takes a file for this transfer. The error is errTaken if another holds it; a file system
// without locks keeps nobody out.
func lock(f *os.File) (err error) {
	control(f, func(fd int) { err = syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB) })
	if err == syscall.EWOULDBLOCK {
		return errTaken
	}
	return nil
}

// links is how many names an open file has.
func links(f *os.File) (n uint64) {
	var st unix.Stat_t
	control(f, func(fd int) {
		if unix.Fstat(fd, &st) == nil {
			n = uint64(st.Nlink)
		}
	})
	return n
}

func control(f *os.File, do func(fd int)) {
	if raw, err := f.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { do(int(fd)) })
	}
}

// linkTime sets the time of a symbolic link itself. dir is the folder that it is in.
func linkTime(dir *os.Root, base string, at time.Time) error {
	d, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	stamp, err := unix.TimeToTimespec(at)
	if err != nil {
		return err
	}
	control(d, func(fd int) {
		err = unix.UtimesNanoAt(fd, base, []unix.Timespec{stamp, stamp}, unix.AT_SYMLINK_NOFOLLOW)
	})
	return err
}

func noSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) ||
		errors.Is(err, syscall.EFBIG)
}

// owner says whose file it is.
func owner(info fs.FileInfo) (uid, gid int, known bool) {
	st, known := info.Sys().(*syscall.Stat_t)
	if !known {
		return 0, 0, false
	}
	return int(st.Uid), int(st.Gid), true
}

// chown gives a file to somebody; -1 leaves it as it is.
func chown(f *os.File, uid, gid int) error { return f.Chown(uid, gid) }

// identify is the file, or link, that a name in a folder leads to.
func identify(dir *os.Root, base string) (fileID, bool) {
	info, err := dir.Lstat(base)
	if err != nil {
		return fileID{}, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fileID{}, false
	}
	return fileID{uint64(st.Dev), st.Ino}, true
}
