package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// Mode is the file's. An entry tells what others do.
const Mode = 0o600

var errBusy = errors.New("others rename it all the time")

// openFile opens the file, or makes it. It is a regular file that only its owner can write, who is
// the daemon's account or root; opening it follows no link, and does not wait.
func openFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE|openFlags, Mode)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = ours(path, info)
	}
	if err == nil && info.Mode().Perm()&^Mode != 0 {
		err = f.Chmod(Mode) // who may read it may lock it (flock(2)), and nobody would write it
	}
	if err == nil {
		err = wholeLines(f, info.Size())
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// ours says why a file may not be the log.
func ours(path string, info fs.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", path)
	case info.Mode()&0o022 != 0 || !ownedByUs(info):
		return fmt.Errorf("%s: others could write it", path)
	}
	return nil
}

// Check says why a file cannot be a log, as far as that shows before it is opened, or made.
func Check(path string) error {
	info, err := os.Lstat(path)
	if !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = ours(path, info)
		}
		return err
	}
	above, err := os.Stat(filepath.Dir(path))
	if err == nil && !above.IsDir() {
		err = fmt.Errorf("%s is not a directory", filepath.Dir(path))
	}
	return err
}

// wholeLines takes half a line away that a daemon left at the end when it was killed, or the
// machine lost its power. Another daemon may be writing: the caller's lock is not held yet.
func wholeLines(f *os.File, size int64) error {
	if size == 0 {
		return nil
	}
	if err := lock(f); err != nil {
		return err
	}
	defer unlock(f)
	info, err := f.Stat()
	if err != nil {
		return err
	}
	size = info.Size()
	for at := size; at > 0; {
		piece := make([]byte, min(at, 64<<10))
		if _, err := f.ReadAt(piece, at-int64(len(piece))); err != nil {
			return err
		}
		for i := len(piece) - 1; i >= 0; i-- {
			if piece[i] == '\n' {
				if end := at - int64(len(piece)) + int64(i) + 1; end < size {
					return f.Truncate(end)
				}
				return nil
			}
		}
		at -= int64(len(piece))
	}
	return f.Truncate(0)
}

// isAt says whether an open file is the one at a path, and how large it is.
func isAt(f *os.File, path string) (same bool, size int64, err error) {
	ours, err := f.Stat()
	if err != nil {
		return false, 0, err
	}
	there, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, 0, nil
	}
	if err != nil {
		return false, 0, err
	}
	return os.SameFile(ours, there), ours.Size(), nil
}

// rotate renames FILE to FILE.1, FILE.1 to FILE.2, and so on; the last one goes. The caller holds
// the lock of FILE.
func rotate(path string, keep int) error {
	name := func(i int) string { return path + "." + strconv.Itoa(i) }
	if keep == 0 {
		return os.Remove(path)
	}
	os.Remove(name(keep))
	for i := keep - 1; i > 0; i-- {
		if err := os.Rename(name(i), name(i+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.Rename(path, name(1))
}

// appendWhole appends a batch, or leaves the file as it was. The caller holds the lock.
func appendWhole(f *os.File, size int64, batch []byte) error {
	n, err := f.Write(batch)
	if err != nil && n > 0 {
		err = errors.Join(err, f.Truncate(size))
	}
	return err
}
