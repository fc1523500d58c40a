//go:build unix

package authorized

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// Owner is whose file it is: the file, and every folder above it up to the home, belongs to them or to root, and nobody else can write there
// (sshd_config(5), StrictModes).
type Owner struct {
	UID  uint32
	Home string
}

// Load reads a file. The error is os.ErrNotExist where there is none; otherwise it says why the file is not trusted.
func Load(name string, owner Owner) (*File, []Problem, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s is not a regular file", name)
	}
	if info.Size() > maxFile {
		return nil, nil, fmt.Errorf("%s is larger than %d bytes", name, maxFile)
	}
	if err := owner.check(name, info); err != nil {
		return nil, nil, err
	}
	if err := owner.checkFolders(name); err != nil {
		return nil, nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil || len(text) > maxFile {
		return nil, nil, fmt.Errorf("%s cannot be read whole", name)
	}
	file, problems := Parse(name, text)
	return file, problems, nil
}

func (o Owner) check(name string, info os.FileInfo) error {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 && stat.Uid != o.UID {
		return fmt.Errorf("%s belongs to user %d, who is neither root nor user %d", name, stat.Uid, o.UID)
	}
	// In a sticky folder (like /tmp) others can add names but not replace ours.
	if info.Mode().Perm()&0o022 != 0 && !(info.IsDir() && info.Mode()&os.ModeSticky != 0) {
		return fmt.Errorf("%s can be written by others (mode %04o): chmod go-w %s", name, info.Mode().Perm(), name)
	}
	return nil
}

// checkFolders looks at every folder from the file, links resolved, up to the home, or to the root of a file elsewhere.
func (o Owner) checkFolders(name string) error {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	home, err := filepath.EvalSymlinks(o.Home)
	if err != nil {
		home = ""
	}
	if real, err = filepath.Abs(real); err != nil {
		return err
	}
	for dir := filepath.Dir(real); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if err := o.check(dir, info); err != nil {
			return err
		}
		if dir == home || dir == filepath.Dir(dir) {
			return nil
		}
	}
}
