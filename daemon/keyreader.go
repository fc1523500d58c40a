//go:build unix

package daemon

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"minissh/daemon/authorized"
	"minissh/daemon/process"
)

// The helper "keys" reads users' files for a daemon of root. It takes requests from its standard input one after the other, becomes the user
// of each by its effective ids, reads with that user's rights, and becomes root again. Its real and saved ids stay root's, as sshd's do while it
// reads: so the user's other processes can neither signal it nor look into it, and it cannot be made to say that a file of root's,
// in which an administrator has restricted a user's keys, says something else.

// keysVerb is the helper's name.
const keysVerb = "keys"

const (
	readTime    = 5 * time.Second // for all files of one account: they may lie on a server that does not answer
	readersMost = 16              // helpers at work at once
	readersIdle = 2               // helpers kept for the next login: starting one takes longer than a whole login
)

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
			return 1 // whom it is now nobody knows
		}
		files := make([]readFile, len(request.Files))
		for i, path := range request.Files {
			files[i] = readOne(string(path), authorized.Owner{UID: request.UID, Home: string(request.Home)})
		}
		if err := become(0, 0, nil); err != nil {
			return 1
		}
		if out.Encode(files) != nil {
			return 1
		}
	}
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

// become takes on a user's effective ids, or root's again. Linux takes the rights of root away with the effective uid, unless
// somebody forbade that: then nothing may be read.
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

// keyReader reads users' files through helpers, of which it keeps a few.
type keyReader struct {
	root   process.Account
	places chan struct{} // one for each helper at work

	mu   sync.Mutex // guards the rest
	idle []*reader
	over bool
}

// reader is one helper.
type reader struct {
	p       *process.Process
	limit   *io.LimitedReader
	answers *json.Decoder
}

func newKeyReader(root process.Account) *keyReader {
	return &keyReader{root: root, places: make(chan struct{}, readersMost)}
}

// read reads an account's files, each in its place, with the account's rights.
func (k *keyReader) read(ctx context.Context, acct process.Account, files []string) ([]readFile, error) {
	if acct.Credential == nil {
		return nil, errors.New("only root may become another user")
	}
	request := readRequest{UID: acct.UID, GID: acct.Credential.GID, Groups: acct.Credential.Groups, Home: []byte(acct.Home)}
	for _, file := range files {
		request.Files = append(request.Files, []byte(file))
	}
	select {
	case k.places <- struct{}{}:
		defer func() { <-k.places }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	r, kept, err := k.take()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	answer, err := r.ask(&request)
	if err != nil && kept && time.Since(began) < readTime/2 { // it may have died long ago
		r.end()
		if r, err = k.start(); err != nil {
			return nil, err
		}
		answer, err = r.ask(&request)
	}
	if err != nil {
		r.end()
		return nil, fmt.Errorf("the files of %s could not be read: %w", logName(acct.Name), err)
	}
	k.keep(r)
	return answer, nil
}

func (k *keyReader) take() (r *reader, kept bool, err error) {
	k.mu.Lock()
	if n := len(k.idle); n > 0 {
		r, k.idle = k.idle[n-1], k.idle[:n-1]
	}
	k.mu.Unlock()
	if r != nil {
		return r, true, nil
	}
	r, err = k.start()
	return r, false, err
}

func (k *keyReader) start() (*reader, error) {
	p, err := process.StartSelf(k.root, keysVerb)
	if err != nil {
		return nil, err
	}
	p.Stderr.Close()
	limit := &io.LimitedReader{R: bufio.NewReader(p.Stdout)}
	return &reader{p, limit, json.NewDecoder(limit)}, nil
}

// ask has a helper read. It is killed if that takes too long or gives too much; the error is then its end.
func (r *reader) ask(request *readRequest) (answer []readFile, err error) {
	timer := time.AfterFunc(readTime, r.end)
	defer timer.Stop()
	r.limit.N = int64(len(request.Files))*(authorized.MaxFile*4/3+4096) + 4096
	if err := json.NewEncoder(r.p.Stdin).Encode(request); err != nil {
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

func (r *reader) end() {
	r.p.Kill(context.Background())
	r.p.Close()
}

// keep keeps a helper for the next login.
func (k *keyReader) keep(r *reader) {
	k.mu.Lock()
	keep := !k.over && len(k.idle) < readersIdle
	if keep {
		k.idle = append(k.idle, r)
	}
	k.mu.Unlock()
	if !keep {
		r.end()
	}
}

// close ends the helpers that wait. Those at work end with their work.
func (k *keyReader) close() {
	k.mu.Lock()
	idle := k.idle
	k.idle, k.over = nil, true
	k.mu.Unlock()
	for _, r := range idle {
		r.end()
	}
}
