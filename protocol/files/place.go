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
	// Rename replaces the first part of every name in the stream; "": nothing does.
	Rename string
	// Folder: what is called Rename must be a folder, since the target was written with a slash at
	// its end.
	Folder bool
	// Asked, if not nil, says whether a name was asked for (FI6), by its first part, whether there
	// is more of it, and its kind.
	Asked func(top string, below bool, kind Kind) bool
}

// ErrNotAsked is an entry that nobody asked for.
var ErrNotAsked = &Error{Code: CodeNameRefused,
	Message: "this name is not taken: nobody asked for it"}

// disk is how a user's paths are reached: all of the disk, or an os.Root.
type disk interface {
	Lstat(name string) (fs.FileInfo, error)
	Stat(name string) (fs.FileInfo, error)
	Mkdir(name string, perm fs.FileMode) error
	OpenRoot(name string) (*os.Root, error)
}

// wholeDisk is for a user who is not limited to a folder.
type wholeDisk struct{}

func (wholeDisk) Lstat(name string) (fs.FileInfo, error)    { return os.Lstat(name) }
func (wholeDisk) Stat(name string) (fs.FileInfo, error)     { return os.Stat(name) }
func (wholeDisk) Mkdir(name string, perm fs.FileMode) error { return os.Mkdir(name, perm) }
func (wholeDisk) OpenRoot(name string) (*os.Root, error)    { return os.OpenRoot(name) }

// on is the disk within a limit; nil: all of it.
func on(limit *os.Root) disk {
	if limit != nil {
		return limit
	}
	return wholeDisk{}
}

// MakePlace is OpenPlace for a target that must be a folder; if nothing has its name, it is made.
func MakePlace(limit *os.Root, target string) (*Place, error) {
	if _, err := on(limit).Stat(filepath.Clean(target)); errors.Is(err, fs.ErrNotExist) {
		err := on(limit).Mkdir(filepath.Clean(target), 0o777)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, errNoParent
		}
		if err != nil {
			return nil, problem(err)
		}
	}
	return OpenPlace(limit, target, true)
}

var errNoParent = &Error{Code: CodeNotFound,
	Message: "the folder that it would be in is not there"}

// OpenPlace finds where a target is, as cp does: into it if it is a folder, else next to it under
// its name. folder says that it must be one. limit, if not nil, is the folder that the target must
// be in. The caller closes the Root.
func OpenPlace(limit *os.Root, target string, folder bool) (*Place, error) {
	on := on(limit)
	slash := strings.HasSuffix(target, "/") || os.IsPathSeparator(lastByte(target))
	target = filepath.Clean(target)
	info, err := on.Stat(target)
	switch {
	case err == nil && info.IsDir():
		root, err := openFolder(on, target)
		if err != nil {
			return nil, problem(err)
		}
		return &Place{Root: root}, nil
	case err == nil && (folder || slash):
		return nil, &Error{Code: CodeExists, Message: "it is not a folder"}
	case err == nil && special(info.Mode()):
		return nil, &SpecialError{errSpecial(info.Mode())}
	case err == nil && limit == nil && leadsToOpenFile(target):
		return nil, &SpecialError{&Error{Code: CodeExists,
			Message: "an open file of some process has this name, and is not replaced"}}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, problem(err)
	case folder:
		return nil, &Error{Code: CodeNotFound, Message: "there is no such folder"}
	}
	base := filepath.Base(target)
	root, err := openFolder(on, filepath.Dir(target))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoParent
	}
	if err != nil {
		return nil, problem(err)
	}
	return &Place{Root: root, Rename: base, Folder: slash}, nil
}

func lastByte(s string) byte {
	if s == "" {
		return 0
	}
	return s[len(s)-1]
}

// rename puts the place's own name before what is sent: for one thing only, since two cannot have
// it (FI2).
func (r *receiver) rename(path string, kind Kind) (string, error) {
	top, rest, below := strings.Cut(path, string(filepath.Separator))
	if r.place.Asked != nil && !r.place.Asked(top, below, kind) {
		return "", ErrNotAsked
	}
	if r.place.Rename == "" {
		return path, nil
	}
	switch {
	case r.top != "" && r.top != top:
		return "",
			&Error{Code: CodeExists, Message: "more than one comes, and the target is not a folder"}
	case r.place.Folder && !below && kind != KindDir:
		return "",
			&Error{Code: CodeNotFound,
				Message: "the target ends in a slash, and there is no such folder"}
	}
	r.top = top
	if !below {
		return r.place.Rename, nil
	}
	return r.place.Rename + string(filepath.Separator) + rest, nil
}

// SpecialError is a target that a program writes into, and that no copy replaces.
type SpecialError struct{ err *Error }

func (e *SpecialError) Error() string { return e.err.Error() }
func (e *SpecialError) Unwrap() error { return e.err }

// leadsToOpenFile says whether a name leads to what some process has open, as /dev/stdout does by
// two links, and everything below /dev/fd. Renaming something to such a name would replace the link
// for everybody.
func leadsToOpenFile(name string) bool {
	for range 40 {
		above, err := filepath.EvalSymlinks(filepath.Dir(name))
		if err != nil {
			return false
		}
		if above == "/dev/fd" || above == "/proc" || strings.HasPrefix(above, "/proc/") {
			return true
		}
		next, err := os.Readlink(name)
		if err != nil {
			return false
		}
		if !filepath.IsAbs(next) {
			next = filepath.Join(above, next)
		}
		name = next
	}
	return false
}

// special recognizes devices, named pipes and sockets: they are neither copied nor replaced.
func special(mode fs.FileMode) bool {
	return mode&(fs.ModeDevice|fs.ModeNamedPipe|fs.ModeSocket) != 0
}

func errSpecial(mode fs.FileMode) *Error {
	return &Error{Code: CodeExists, Message: kindName(mode) + " has this name, and is not replaced"}
}

// replaceable says whether what a name in a folder leads to, if anything, is of a kind that may be
// replaced (FI7).
func replaceable(dir *os.Root, base string) error {
	if info, err := dir.Lstat(base); err == nil && special(info.Mode()) {
		return errSpecial(info.Mode())
	}
	return nil
}
