package sftp

import (
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"

	"github.com/pkg/sftp"
)

// Filelist begins a folder's list, or is stat(2).
func (s *server) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	name, err := s.local(r.Filepath)
	if err != nil {
		return nil, err
	}
	if r.Method != "List" {
		info, err := s.tree.Stat(name)
		return single{info}, err
	}
	if s.NoReads {
		return nil, sftp.ErrSSHFxPermissionDenied
	}
	// of "name/." nothing but a folder is opened: a named pipe would wait for its writer
	f, err := s.tree.OpenFile(name+string(filepath.Separator)+".", os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	return &list{s.tree, name, f}, nil
}

// Lstat is lstat(2).
func (s *server) Lstat(r *sftp.Request) (sftp.ListerAt, error) {
	name, err := s.local(r.Filepath)
	if err != nil {
		return nil, err
	}
	info, err := s.tree.Lstat(name)
	return single{info}, err
}

// Readlink is readlink(2).
func (s *server) Readlink(link string) (string, error) {
	if s.NoReads {
		return "", sftp.ErrSSHFxPermissionDenied
	}
	name, err := s.local(link)
	if err != nil {
		return "", err
	}
	target, err := s.tree.Readlink(name)
	return filepath.ToSlash(target), err
}

// single is what is known of one file.
type single struct{ info fs.FileInfo }

func (s single) ListAt(to []fs.FileInfo, _ int64) (int, error) {
	return copy(to, []fs.FileInfo{s.info}), nil
}

// list is a folder that is being listed.
type list struct {
	tree tree
	name string
	*os.File
}

// ListAt gives the next files. The library asks for one piece after the other. A file that is gone
// meanwhile is left out. Each is looked at through the tree: the folder may have been moved.
func (l *list) ListAt(to []fs.FileInfo, _ int64) (n int, err error) {
	for n == 0 {
		names, err := l.Readdirnames(len(to))
		for _, name := range names {
			if info, err := l.tree.Lstat(filepath.Join(l.name, name)); err == nil {
				to[n] = info
				n++
			}
		}
		if err == nil && len(names) == 0 {
			err = io.EOF
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// LookupUserName is for the lines of `ls -l`.
func (s *server) LookupUserName(uid string) string {
	return s.named("u"+uid, uid, func() (string, error) {
		u, err := user.LookupId(uid)
		if err != nil {
			return "", err
		}
		return u.Username, nil
	})
}

// LookupGroupName is as LookupUserName.
func (s *server) LookupGroupName(gid string) string {
	return s.named("g"+gid, gid, func() (string, error) {
		g, err := user.LookupGroupId(gid)
		if err != nil {
			return "", err
		}
		return g.Name, nil
	})
}

// named looks a number up once; what has no name is shown as its number.
func (s *server) named(key, number string, find func() (string, error)) string {
	if name, known := s.names[key]; known {
		return name
	}
	name, err := find()
	if err != nil {
		name = number
	}
	s.names[key] = name
	return name
}
