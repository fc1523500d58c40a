package sftp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/pkg/sftp"

	"minissh/protocol/files"
)

// Options are what a client may reach, and how.
type Options struct {
	Home   string // relative paths start there
	Folder string // in place of Home, and nothing outside it can be reached; "": no limit
	// what a client may not do, nor learn from a folder's list
	NoReads, NoWrites bool
}

// longestRead is the most that one READ gets, in bytes: the packet of the answer is a little longer
// and must not be longer than 256 KiB.
const longestRead = 255 << 10

// Serve answers a client until its stream ends. What it has sent until then is done.
func Serve(in io.Reader, out io.WriteCloser, o Options) error {
	answers := newAnswers(out)
	requests := &requests{in: bufio.NewReaderSize(in, 64<<10), answers: answers}
	s := &server{Options: o, tree: all{}, names: map[string]string{}, requests: requests}
	start := o.Home
	if o.Folder != "" {
		root, err := files.OpenLimit(o.Folder)
		if err != nil {
			return fmt.Errorf("the folder of this key cannot be opened: %w", err)
		}
		defer root.Close()
		start, s.tree = o.Folder, root
	} else if info, err := os.Stat(start); err != nil || !info.IsDir() {
		start = "/"
	}
	s.start = path.Clean("/" + filepath.ToSlash(start))
	e := &extensions{home: s.start, others: o.Folder == "", asked: map[uint32]bool{}}
	requests.extended, answers.change = e.request, e.answer
	stream := struct {
		io.Reader
		io.WriteCloser
	}{requests, answers}
	err := sftp.NewRequestServer(stream,
		sftp.Handlers{FileGet: s, FilePut: s, FileCmd: s, FileList: s},
		sftp.WithStartDirectory(s.start), sftp.WithRSAllocator(),
		sftp.WithRSMaxTxPacket(longestRead)).Serve()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // it has left
		return nil
	}
	return err
}

// server has the library's handlers. Files are read and written by several goroutines; everything
// else is done by one, in the order in which it was asked for.
type server struct {
	Options
	tree     tree
	start    string // absolute, with slashes
	requests *requests
	names    map[string]string // of users and groups, by kind and number
}

// local is the name in the tree of a path as the library has it: clean and absolute.
func (s *server) local(name string) (string, error) {
	switch {
	case s.Folder == "":
		if runtime.GOOS == "windows" && len(name) > 2 && name[2] == ':' {
			name = name[1:] // /C:/Users
		}
	case name == s.start:
		name = "."
	default:
		below, inside := strings.CutPrefix(name, strings.TrimSuffix(s.start, "/")+"/")
		if !inside {
			return "", sftp.ErrSSHFxPermissionDenied
		}
		name = below
	}
	return filepath.FromSlash(name), nil
}

// open opens a file. Where the client writes, it says itself where to: O_APPEND would not let it.
func (s *server) open(r *sftp.Request, flag int) (*os.File, error) {
	mode := s.requests.take()
	asked := r.Pflags()
	if asked.Creat {
		flag |= os.O_CREATE
	}
	if asked.Trunc {
		flag |= os.O_TRUNC
	}
	if asked.Excl {
		flag |= os.O_EXCL
	}
	reads, writes := flag&os.O_WRONLY == 0, flag&^os.O_EXCL != os.O_RDONLY
	if reads && s.NoReads || writes && s.NoWrites {
		return nil, sftp.ErrSSHFxPermissionDenied
	}
	name, err := s.local(r.Filepath)
	if err != nil {
		return nil, err
	}
	return s.tree.OpenFile(name, flag, mode)
}

func (s *server) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	f, err := s.open(r, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (s *server) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	f, err := s.open(r, os.O_WRONLY)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (s *server) OpenFile(r *sftp.Request) (sftp.WriterAtReaderAt, error) {
	flag := os.O_RDWR
	if s.NoReads { // many clients ask for both and write only: a read then fails
		flag = os.O_WRONLY
	}
	f, err := s.open(r, flag)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Filecmd does what changes something.
func (s *server) Filecmd(r *sftp.Request) error {
	mode := fs.FileMode(0)
	if r.Method == "Mkdir" {
		mode = s.requests.take()
	}
	if s.NoWrites {
		return sftp.ErrSSHFxPermissionDenied
	}
	if r.Method == "Symlink" { // Filepath is what the link holds
		return told(s.symlink(r.Filepath, r.Target))
	}
	name, err := s.local(r.Filepath)
	to := ""
	if err == nil && (r.Method == "Rename" || r.Method == "Link") {
		to, err = s.local(r.Target)
	}
	if err != nil {
		return err
	}
	switch r.Method {
	case "Mkdir":
		err = s.tree.Mkdir(name, mode)
	case "Rmdir":
		err = s.remove(name, true)
	case "Remove":
		err = s.remove(name, false)
	case "Rename": // which replaces nothing, unlike posix-rename
		if _, err = s.tree.Lstat(to); err == nil {
			return &fs.PathError{Op: "rename", Path: to, Err: syscall.EEXIST}
		}
		err = s.tree.Rename(name, to)
	case "Link":
		err = s.tree.Link(name, to)
	case "Setstat":
		err = s.setstat(name, r)
	default:
		err = sftp.ErrSSHFxOpUnsupported
	}
	return told(err)
}

// PosixRename is rename(2).
func (s *server) PosixRename(r *sftp.Request) error {
	if s.NoWrites {
		return sftp.ErrSSHFxPermissionDenied
	}
	from, err := s.local(r.Filepath)
	if err != nil {
		return err
	}
	to, err := s.local(r.Target)
	if err != nil {
		return err
	}
	return told(s.tree.Rename(from, to))
}

// symlink makes a link. Below a folder links lead downwards only, as those of the service files
// (FI12): others than this server may follow them.
func (s *server) symlink(target, link string) error {
	name, err := s.local(link)
	if err != nil {
		return err
	}
	if s.Folder != "" && (!filepath.IsLocal(target) ||
		slices.Contains(strings.Split(filepath.ToSlash(target), "/"), "..")) {
		return sftp.ErrSSHFxPermissionDenied
	}
	return s.tree.Symlink(target, name)
}

// remove is rmdir(2) or unlink(2): os.Remove would do either.
func (s *server) remove(name string, folder bool) error {
	info, err := s.tree.Lstat(name)
	switch {
	case err != nil:
		return err
	case info.IsDir() && !folder:
		return &fs.PathError{Op: "remove", Path: name, Err: syscall.EISDIR}
	case !info.IsDir() && folder:
		return &fs.PathError{Op: "rmdir", Path: name, Err: syscall.ENOTDIR}
	}
	return s.tree.Remove(name)
}

// setstat changes what the client names, in the order of OpenSSH's server.
func (s *server) setstat(name string, r *sftp.Request) error {
	asked, to := r.AttrFlags(), r.Attributes()
	if to == nil {
		return sftp.ErrSSHFxBadMessage
	}
	var errs []error
	if asked.Size {
		errs = append(errs, s.truncate(name, int64(to.Size)))
	}
	if asked.Permissions {
		mode := to.FileMode()
		if s.Folder != "" {
			mode &= fs.ModePerm // a set-user-id file would let others out of the folder
		}
		errs = append(errs, s.tree.Chmod(name, mode))
	}
	if asked.Acmodtime {
		errs = append(errs, s.tree.Chtimes(name, to.AccessTime(), to.ModTime()))
	}
	if asked.UidGid {
		errs = append(errs, s.tree.Chown(name, int(to.UID), int(to.GID)))
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *server) truncate(name string, size int64) error {
	f, err := s.tree.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Truncate(size)
}

// told is an error in a form in which the library finds its number.
func told(err error) error {
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return &fs.PathError{Op: link.Op, Path: link.New, Err: link.Err}
	}
	return err
}
