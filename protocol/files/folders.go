package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// folder is one that the receiver is in. Its mode and time are set when the stream has left it: a
// read-only folder takes no files, and each file changes its time.
type folder struct {
	path   string
	mode   fs.FileMode
	mtime  time.Time
	made   bool // by us
	failed bool // what belongs in it fails too
	short  bool // something is missing in it, so it stays writable (FI7)
}

// folders are those from the top to where the receiver is; at most as many as a name has parts.
type folders struct {
	root  *os.Root
	o     Options
	stack []folder

	at     string // of the open one below
	here   *os.Root
	handle *os.File // the same; nil if it may not be read
}

// open returns the folder that a path is in, and the path's last part. The folder is valid until
// the next call.
func (d *folders) open(path string) (*os.Root, string, error) {
	dir, base := filepath.Split(path)
	dir = filepath.Clean(dir)
	if dir == d.at && d.here != nil {
		return d.here, base, nil
	}
	d.close()
	here, err := openFolder(d.root, dir)
	if err != nil {
		return nil, "", err
	}
	d.at, d.here = dir, here
	d.handle, _ = here.Open(".")
	return here, base, nil
}

func (d *folders) close() {
	if d.here != nil {
		d.here.Close()
		d.here = nil
	}
	if d.handle != nil {
		d.handle.Close()
		d.handle = nil
	}
}

// reach leaves the folders that a path is not in. It says whether one that it is in has failed.
func (d *folders) reach(path string) (failed bool, err error) {
	for n := len(d.stack); n > 0; n = len(d.stack) {
		top := &d.stack[n-1]
		if inside(path, top.path) {
			return top.failed, err
		}
		if e := d.settle(top); e != nil && err == nil {
			err = e
		}
		d.stack = d.stack[:n-1]
	}
	return false, err
}

func inside(path, dir string) bool {
	return len(path) > len(dir) && path[len(dir)] == filepath.Separator &&
		strings.HasPrefix(path, dir)
}

// enter makes a folder, unless it is there.
func (d *folders) enter(path string, rec *Record) error {
	f := folder{path: path, mode: fs.FileMode(rec.Mode) & fs.ModePerm, mtime: rec.time()}
	err := d.root.Mkdir(path, f.mode|0o700)
	f.made = err == nil
	if errors.Is(err, fs.ErrExist) {
		info, statErr := d.root.Stat(path) // a link to a folder inside will do
		switch {
		case statErr != nil:
			err = statErr
		case !info.IsDir():
			err = &Error{Code: CodeExists, Message: "something that is not a folder has this name"}
		default:
			err = nil
		}
	}
	f.failed = err != nil
	d.stack = append(d.stack, f)
	return err
}

// missing notes that something is missing in the current folder, or in all up to the top: the next
// transfer brings it.
func (d *folders) missing(all bool) {
	for i := len(d.stack) - 1; i >= 0; i-- {
		d.stack[i].short = true
		if !all {
			return
		}
	}
}

// settle sets what waits until a folder is left.
func (d *folders) settle(f *folder) (err error) {
	if f.failed {
		return nil
	}
	mode := f.mode
	if f.short {
		mode |= 0o700
	}
	switch {
	case d.o.Preserve:
		err = d.root.Chmod(f.path, mode)
	case f.made && mode&0o700 != 0o700:
		err = d.root.Chmod(f.path, mode&^umask())
	}
	if err == nil && d.o.Sync {
		err = d.sync(f.path)
	}
	if err == nil && d.o.Preserve {
		err = d.setTime(f)
	}
	return err
}

// setTime gives a folder its time.
func (d *folders) setTime(f *folder) error {
	if nanoseconds(f.mtime) {
		return d.root.Chtimes(f.path, time.Time{}, f.mtime)
	}
	above, err := openFolder(d.root, filepath.Dir(f.path))
	if err != nil {
		return err
	}
	defer above.Close()
	return setTime(above, filepath.Base(f.path), f.mtime)
}

func (d *folders) sync(path string) error {
	dir, err := openFolder(d.root, path)
	if err != nil {
		return nil // it may not be read: its names were synced with each file
	}
	defer dir.Close()
	return syncFolder(dir)
}

// nanoseconds says whether a time, counted in nanoseconds since 1970, fits in 64 bits: from 1677 to
// 2262. Go's Chtimes makes another time of one that does not.
func nanoseconds(at time.Time) bool {
	const most = 1<<63/1_000_000_000 - 1
	return at.Unix() > -most && at.Unix() < most
}

// setTime sets the time of a file in a folder.
func setTime(dir *os.Root, base string, at time.Time) error {
	if nanoseconds(at) {
		return dir.Chtimes(base, time.Time{}, at)
	}
	return linkTime(dir, base, at)
}

// time is an entry's modification time.
func (r *Record) time() time.Time { return time.Unix(r.Mtime, r.Nsec) }
