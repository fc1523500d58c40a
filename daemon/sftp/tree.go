package sftp

import (
	"io/fs"
	"os"
	"time"
)

// tree is what a client can reach. An *os.Root is one: no name, link or rename leads out of it.
type tree interface {
	OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error)
	Stat(name string) (fs.FileInfo, error)
	Lstat(name string) (fs.FileInfo, error)
	Readlink(name string) (string, error)
	Mkdir(name string, perm fs.FileMode) error
	Remove(name string) error
	Rename(from, to string) error
	Link(from, to string) error
	Symlink(target, name string) error
	Chmod(name string, mode fs.FileMode) error
	Chown(name string, uid, gid int) error
	Chtimes(name string, accessed, modified time.Time) error
}

// all is the tree of an account without a limit: whatever its rights reach.
type all struct{}

func (all) OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	return os.OpenFile(name, flag, perm)
}
func (all) Stat(name string) (fs.FileInfo, error)     { return os.Stat(name) }
func (all) Lstat(name string) (fs.FileInfo, error)    { return os.Lstat(name) }
func (all) Readlink(name string) (string, error)      { return os.Readlink(name) }
func (all) Mkdir(name string, perm fs.FileMode) error { return os.Mkdir(name, perm) }
func (all) Remove(name string) error                  { return os.Remove(name) }
func (all) Rename(from, to string) error              { return os.Rename(from, to) }
func (all) Link(from, to string) error                { return os.Link(from, to) }
func (all) Symlink(target, name string) error         { return os.Symlink(target, name) }
func (all) Chmod(name string, mode fs.FileMode) error { return os.Chmod(name, mode) }
func (all) Chown(name string, uid, gid int) error     { return os.Chown(name, uid, gid) }
func (all) Chtimes(name string, accessed, modified time.Time) error {
	return os.Chtimes(name, accessed, modified)
}
