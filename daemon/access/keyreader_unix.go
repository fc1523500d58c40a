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
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"minissh/daemon/authorized"
	"minissh/daemon/logbook"
	"minissh/daemon/process"
)

// The helper "keys" reads users' files for root's daemon. It takes requests from its standard input
// one after the other, takes on each user's effective ids, reads with that user's rights, and
// becomes root again. Its real and saved ids stay root's, as sshd's do while it reads. So the
// user's other processes can neither signal it nor look into it, nor make it misquote a file of
// root's in which an administrator has restricted a user's keys.

// keysVerb is the helper's name.
const keysVerb = "keys"

const (
	readTime       = 5 * time.Second       // for all files of one account: its server may hang
	readersMost    = 32                    // helpers at work at once
	readersPerUser = 6                     // of them for one account
	readersOfSlow  = 1                     // of them for an account whose files have hung
	slowMost       = 4096                  // accounts that are known to be slow
	readersIdle    = 2                     // kept: starting one takes longer than a login
	readersWait    = 20 * time.Millisecond // for one to be free, before another is started
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

// keyReader reads users' files through helpers, of which it keeps a few.
type keyReader struct {
	root     process.Account
	patience time.Duration // for all files of one account
	directly chan struct{} // one for each goroutine of direct
	places   chan struct{} // one for each helper at work
	idle     chan *reader  // helpers that wait; closed by nobody
	quick    atomic.Int64  // accounts that are not slow, with a place

	mu    sync.Mutex // guards the rest
	users map[uint32]*turn
	slow  map[uint32]bool // accounts whose files hung when they were last read
	over  bool
}

// turn is an account's share of the places.
type turn struct {
	places chan struct{}
	slowly chan struct{} // the places while the account is slow
	users  int           // that have a place or wait for one
}

// reader is one helper.
type reader struct {
	p       *process.Process
	limit   *io.LimitedReader
	answers *json.Decoder
}

func newKeyReader(root process.Account) *keyReader {
	return &keyReader{root: root, patience: readTime, directly: make(chan struct{}, readersPerUser),
		places: make(chan struct{}, readersMost), idle: make(chan *reader, readersIdle),
		users: map[uint32]*turn{}, slow: map[uint32]bool{}}
}

// read reads an account's files, each in its place, with the account's rights.
func (k *keyReader) read(ctx context.Context, acct process.Account, files []string) ([]readFile,
	error) {
	if acct.Credential == nil {
		return nil, errors.New("only root may become another user")
	}
	request := readRequest{UID: acct.UID, GID: acct.Credential.GID, Groups: acct.Credential.Groups,
		Home: []byte(acct.Home)}
	for _, file := range files {
		request.Files = append(request.Files, []byte(file))
	}
	if acct.UID == 0 {
		if answer := k.direct(ctx, &request); answer != nil {
			return answer, nil
		}
	}
	slow, leave, err := k.enter(ctx, acct.UID)
	if err != nil {
		return nil, err
	}
	defer leave()
	r, kept, err := k.take(ctx, slow)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	answer, err := r.ask(&request, k.patience)
	if err != nil && kept && time.Since(began) < k.patience/2 { // it may have died long ago
		r.end()
		if r, err = k.start(); err != nil {
			return nil, err
		}
		answer, err = r.ask(&request, k.patience)
	}
	k.note(acct.UID, errors.Is(err, errSlow))
	if err != nil {
		r.end()
		return nil, fmt.Errorf("the files of %s could not be read: %w", logbook.Name(acct.Name),
			err)
	}
	k.keep(r)
	return answer, nil
}

// note remembers whether an account's files have hung.
func (k *keyReader) note(uid uint32, slow bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !slow {
		delete(k.slow, uid)
	} else if len(k.slow) < slowMost {
		k.slow[uid] = true
	}
}

// direct reads root's own files in this process: asking a helper takes longer than all the rest of
// a login. Nil if that takes too long, or somebody else is doing it: unlike a goroutine, a helper
// can be killed when a file does not answer.
func (k *keyReader) direct(ctx context.Context, request *readRequest) []readFile {
	select {
	case k.directly <- struct{}{}:
	default:
		return nil
	}
	answer := make(chan []readFile, 1)
	go func() {
		defer func() { <-k.directly }()
		answer <- request.read()
	}()
	runtime.Gosched() // the reader's turn, which mostly ends at once; setting a timer wakes others
	select {
	case files := <-answer:
		return files
	default:
	}
	timer := time.NewTimer(k.patience / 2)
	defer timer.Stop()
	select {
	case files := <-answer:
		return files
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil
}

// enter waits for a place, first among those of the account.
func (k *keyReader) enter(ctx context.Context, uid uint32) (slow bool, leave func(), err error) {
	k.mu.Lock()
	mine := k.users[uid]
	if mine == nil {
		mine = &turn{places: make(chan struct{}, readersPerUser),
			slowly: make(chan struct{}, readersOfSlow)}
		k.users[uid] = mine
	}
	mine.users++
	places := mine.places
	if slow = k.slow[uid]; slow {
		places = mine.slowly
	}
	k.mu.Unlock()
	gone := func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if mine.users--; mine.users == 0 {
			delete(k.users, uid)
		}
	}
	select {
	case places <- struct{}{}:
	case <-ctx.Done():
		gone()
		return slow, nil, ctx.Err()
	}
	select {
	case k.places <- struct{}{}:
	case <-ctx.Done():
		<-places
		gone()
		return slow, nil, ctx.Err()
	}
	if !slow {
		k.quick.Add(1)
	}
	return slow, func() {
		if !slow {
			k.quick.Add(-1)
		}
		<-k.places
		<-places
		gone()
	}, nil
}

// take returns a waiting helper, or one that is about to be free, or a new one. A slow account gets
// a new one, and leaves the ready ones to the others.
func (k *keyReader) take(ctx context.Context, slow bool) (r *reader, kept bool, err error) {
	if slow {
		r, err = k.start()
		return r, false, err
	}
	if k.quick.Load() > 1 { // others are at work, and will soon be done
		timer := time.NewTimer(readersWait)
		defer timer.Stop()
		select {
		case r := <-k.idle:
			return r, true, nil
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	select {
	case r := <-k.idle:
		return r, true, nil
	default:
		r, err = k.start()
		return r, false, err
	}
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

// errSlow means that files did not answer.
var errSlow = errors.New("they did not answer in time")

// ask makes a helper read. A helper that takes too long or returns too much is killed.
func (r *reader) ask(request *readRequest, patience time.Duration) (answer []readFile, err error) {
	timer := time.AfterFunc(patience, r.end)
	defer func() {
		if !timer.Stop() && err != nil {
			err = errSlow
		}
	}()
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
	if !k.kept(r) {
		r.end() // which may take a while
	}
}

func (k *keyReader) kept(r *reader) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over {
		return false
	}
	select {
	case k.idle <- r:
		return true
	default:
		return false
	}
}

// close ends the helpers that wait. Those at work end with their work.
func (k *keyReader) close() {
	k.mu.Lock()
	k.over = true
	k.mu.Unlock()
	for {
		select {
		case r := <-k.idle:
			r.end()
		default:
			return
		}
	}
}
