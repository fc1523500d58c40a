package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Place is where a receiver puts things: below Root, and nowhere else.
type Place struct {
	Root *os.Root
	// Rename is the first part of every name instead of the one in the stream; "": as in the stream.
	Rename string
}

// disk is how paths of a user are reached: all of the disk, or an os.Root.
type disk interface {
	Stat(name string) (fs.FileInfo, error)
	OpenRoot(name string) (*os.Root, error)
}

// wholeDisk is a user who is not limited to a folder.
type wholeDisk struct{}

func (wholeDisk) Stat(name string) (fs.FileInfo, error)  { return os.Stat(name) }
func (wholeDisk) OpenRoot(name string) (*os.Root, error) { return os.OpenRoot(name) }

// OpenPlace finds where a target is, as cp does: into it when it is a folder, else beside it under its name. folder says that it must be one. limit, if
// not nil, is the folder that the target must be in. The caller closes the Root.
func OpenPlace(limit *os.Root, target string, folder bool) (*Place, error) {
	var on disk = wholeDisk{}
	if limit != nil {
		on = limit
	}
	folder = folder || strings.HasSuffix(target, "/") || os.IsPathSeparator(lastByte(target))
	target = filepath.Clean(target)
	info, err := on.Stat(target)
	switch {
	case err == nil && info.IsDir():
		root, err := on.OpenRoot(target)
		if err != nil {
			return nil, problem(err)
		}
		return &Place{Root: root}, nil
	case err == nil && folder:
		return nil, &Error{Code: CodeExists, Message: "it is not a folder"}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, problem(err)
	case folder:
		return nil, &Error{Code: CodeNotFound, Message: "there is no such folder"}
	}
	base := filepath.Base(target)
	root, err := on.OpenRoot(filepath.Dir(target))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Error{Code: CodeNotFound, Message: "the folder that it would stand in is not there"}
	}
	if err != nil {
		return nil, problem(err)
	}
	return &Place{Root: root, Rename: base}, nil
}

func lastByte(s string) byte {
	if s == "" {
		return 0
	}
	return s[len(s)-1]
}

// rename puts the place's own name in front.
func (p *Place) rename(path string) string {
	if p.Rename == "" {
		return path
	}
	if i := strings.IndexByte(path, filepath.Separator); i >= 0 {
		return p.Rename + path[i:]
	}
	return p.Rename
}
