//go:build unix

package access

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"minissh/daemon/authorized"
	"minissh/daemon/process"
)

// The helper "keys" reads users' files for root's daemon. It takes requests from its standard input
// one after the other, takes on each user's effective ids, reads with that user's rights, and
// becomes root again. Its real and saved ids stay root's, as sshd's do while it reads. So the
// user's other processes can neither signal it nor look into it, nor make it misquote a file of
// root's in which an administrator has restricted a user's keys.

// keysVerb is the helper's name.
const keysVerb = "keys"

// readRequest names an account and its files. Paths are bytes.
type readRequest struct {
	UID, GID uint32
	Groups   []uint32
	Home     []byte
	Files    [][]byte
}

func init() { process.Helper(keysVerb, readKeys) }

// readKeys is the helper's whole life.
func readKeys([]string) int {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var request readRequest
		if err := in.Decode(&request); err != nil {
			return 0 // the daemon is gone
		}
		if err := become(request.UID, request.GID, request.Groups); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1 // nobody knows who it is now
		}
		files := request.read()
		if err := become(0, 0, nil); err != nil {
			return 1
		}
		if out.Encode(files) != nil {
			return 1
		}
	}
}

// read reads the files with the rights that this process has now.
func (r *readRequest) read() []readFile {
	files := make([]readFile, len(r.Files))
	for i, path := range r.Files {
		files[i] = readOne(string(path), authorized.Owner{UID: r.UID, Home: string(r.Home)})
	}
	return files
}

func readOne(path string, owner authorized.Owner) (file readFile) {
	text, err := authorized.Read(path, owner)
	var unsafe *authorized.ModeError
	switch {
	case err == nil:
		file.Text = text
	case errors.Is(err, fs.ErrNotExist):
		file.Missing = true
	case errors.As(err, &unsafe):
		file.Unsafe, file.Dir = []byte(unsafe.Path), unsafe.Dir
	default:
		file.Err = []byte(err.Error())
	}
	return file
}

// become takes on a user's effective ids, or root's again. Linux takes root's rights away with the
// effective uid, unless somebody disabled that: then nothing may be read.
func become(uid, gid uint32, groups []uint32) error {
	list := make([]int, len(groups))
	for i, g := range groups {
		list[i] = int(g)
	}
	if uid == 0 {
		if err := syscall.Seteuid(0); err != nil {
			return err
		}
	}
	if err := errors.Join(syscall.Setgroups(list), syscall.Setegid(int(gid))); err != nil {
		return err
	}
	if uid == 0 {
		return nil
	}
	if err := syscall.Seteuid(int(uid)); err != nil {
		return err
	}
	if syscall.Geteuid() != int(uid) || syscall.Getegid() != int(gid) || privileged() {
		return errors.New("root's rights cannot be laid down")
	}
	return nil
}

// reader is one helper, as the daemon sees it.
type reader struct {
	p       helper
	in      io.WriteCloser
	out     io.ReadCloser
	limit   *io.LimitedReader
	answers *json.Decoder
}

// helper is what a reader needs of its process.
type helper interface {
	Kill(context.Context) ([]process.Survivor, error)
	Close() error
	Done() <-chan struct{} // closed when it is dead
}

var _ helper = (*process.Process)(nil)

func startReader(root process.Account) (*reader, error) {
	p, err := process.StartSelf(root, keysVerb)
	if err != nil {
		return nil, err
	}
	p.Stderr.Close()
	return newReader(p, p.Stdin, p.Stdout), nil
}

func newReader(p helper, in io.WriteCloser, out io.ReadCloser) *reader {
	limit := &io.LimitedReader{R: bufio.NewReader(out)}
	return &reader{p, in, out, limit, json.NewDecoder(limit)}
}

// errSlow means that files did not answer.
var errSlow = errors.New("they did not answer in time")

// ask makes a helper read, until ctx ends or patience does. After an error the helper is of no use.
func (r *reader) ask(ctx context.Context, request *readRequest, patience time.Duration) (
	answer []readFile, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	stop := context.AfterFunc(ctx, r.hangUp)
	defer func() {
		if !stop() && err != nil {
			err = ctx.Err()
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = errSlow
		}
	}()
	r.limit.N = int64(len(request.Files))*(authorized.MaxFile*4/3+4096) + 4096
	if err := json.NewEncoder(r.in).Encode(request); err != nil {
		return nil, err
	}
	if err := r.answers.Decode(&answer); err != nil {
		return nil, err
	}
	if len(answer) != len(request.Files) {
		return nil, errors.New("the helper answers something else")
	}
	return answer, nil
}

// hangUp makes ask return, even if the helper cannot be killed.
func (r *reader) hangUp() {
	r.in.Close()
	r.out.Close()
}

func (r *reader) end() {
	r.p.Kill(context.Background())
	r.p.Close()
}
