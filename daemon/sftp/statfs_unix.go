//go:build linux || darwin

package sftp

import (
	"github.com/pkg/sftp"
	"golang.org/x/sys/unix"
)

// StatVFS tells of the file system below a path; of a limited client's folder, whatever the path.
func (s *server) StatVFS(r *sftp.Request) (*sftp.StatVFS, error) {
	name, err := s.local(r.Filepath)
	if err != nil {
		return nil, err
	}
	if s.Folder != "" {
		name = s.Folder
	}
	var at unix.Statfs_t
	if err := unix.Statfs(name, &at); err != nil {
		return nil, err
	}
	return &sftp.StatVFS{
		Bsize: uint64(at.Bsize), Frsize: uint64(at.Bsize), Blocks: at.Blocks, Bfree: at.Bfree,
		Bavail: uint64(at.Bavail), Files: at.Files, Ffree: at.Ffree, Favail: at.Ffree,
		Namemax: 255,
	}, nil
}
