//go:build unix

package control

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// withUmask runs f under a umask. All goroutines share one umask: this is for the start.
func withUmask(mask int, f func() error) error {
	defer syscall.Umask(syscall.Umask(mask))
	return f()
}

// flock takes a lock that is released when the process ends, in whatever way.
func flock(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrTaken
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}

// PrivateDir refuses a directory in which others could put things.
func PrivateDir(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || !info.IsDir():
		return fmt.Errorf("%s is not a directory", dir)
	case int(st.Uid) != os.Geteuid():
		return fmt.Errorf("%s belongs to uid %d: the control socket needs a directory of its own "+
			"user", dir, st.Uid)
	case info.Mode().Perm()&0o022 != 0:
		return &Error{fmt.Sprintf("%s can be written by others", dir), "chmod 700 " + dir}
	}
	return nil
}
