//go:build unix

package access

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"minissh/daemon/logbook"
	"minissh/daemon/process"
)

const (
	readTime       = 5 * time.Second       // for all files of one account: its server may hang
	readersMost    = 32                    // helpers at work at once
	readersPerUser = 6                     // of them for one account
	readersOfSlow  = 1                     // of them for an account whose files have hung
	slowMost       = 4096                  // accounts that are known to be slow
	readersIdle    = 2                     // kept: starting one takes longer than a login
	readersWait    = 20 * time.Millisecond // for one to be free, before another is started
)

// keyReader reads users' files through helpers, of which it keeps a few.
type keyReader struct {
	start    func() (*reader, error)
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
	places chan struct{} // one for each helper, until it has answered or is dead
	slowly chan struct{} // those at work while the account is slow
	users  int           // that have a place or wait for one
}

// place is what one reading has taken.
type place struct {
	k    *keyReader
	uid  uint32
	mine *turn
	slow bool
}

func newKeyReader(root process.Account) *keyReader {
	return &keyReader{start: func() (*reader, error) { return startReader(root) },
		patience: readTime, directly: make(chan struct{}, readersPerUser),
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
	answer, err := k.ask(ctx, acct.UID, &request)
	if err != nil {
		err = fmt.Errorf("the files of %s could not be read: %w", logbook.Name(acct.Name), err)
	}
	return answer, err
}

// errWaits means that helpers that did not answer, or other logins, took an account's whole share.
var errWaits = errors.New("earlier logins still wait for them")

// ask has a helper read. One that does not answer is killed, which nobody waits for: it may hang in
// the kernel. It keeps its account's place until it is dead.
func (k *keyReader) ask(ctx context.Context, uid uint32, request *readRequest) ([]readFile, error) {
	at, err := k.enter(ctx, uid)
	if err != nil {
		return nil, errWaits
	}
	answer, r, err := k.askOne(ctx, at.slow, request)
	at.pass()
	k.note(uid, errors.Is(err, errSlow))
	if err == nil {
		k.keep(r)
	}
	if err == nil || r == nil {
		at.leave()
		return answer, err
	}
	go func() {
		r.end()
		<-r.p.Done()
		at.leave()
	}()
	return nil, err
}

// askOne also returns the helper, nil if there is none.
func (k *keyReader) askOne(ctx context.Context, slow bool, request *readRequest) ([]readFile,
	*reader, error) {
	r, kept, err := k.take(ctx, slow)
	if err != nil {
		return nil, nil, err
	}
	began := time.Now()
	answer, err := r.ask(ctx, request, k.patience)
	if err != nil && kept && ctx.Err() == nil && time.Since(began) < k.patience/2 {
		r.end() // it may have died long ago
		if r, err = k.start(); err != nil {
			return nil, nil, err
		}
		answer, err = r.ask(ctx, request, k.patience)
	}
	return answer, r, err
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
func (k *keyReader) enter(ctx context.Context, uid uint32) (*place, error) {
	k.mu.Lock()
	mine := k.users[uid]
	if mine == nil {
		mine = &turn{places: make(chan struct{}, readersPerUser),
			slowly: make(chan struct{}, readersOfSlow)}
		k.users[uid] = mine
	}
	mine.users++
	at := &place{k: k, uid: uid, mine: mine, slow: k.slow[uid]}
	k.mu.Unlock()
	waits := []chan struct{}{mine.places, k.places}
	if at.slow {
		waits = []chan struct{}{mine.slowly, mine.places, k.places}
	}
	for i, places := range waits {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			for _, taken := range waits[:i] {
				<-taken
			}
			at.forget()
			return nil, ctx.Err()
		}
	}
	if !at.slow {
		k.quick.Add(1)
	}
	return at, nil
}

// pass gives back what the other accounts wait for, and a slow account's next reading.
func (p *place) pass() {
	<-p.k.places
	if p.slow {
		<-p.mine.slowly
	} else {
		p.k.quick.Add(-1)
	}
}

// leave gives back the account's own place, after pass.
func (p *place) leave() {
	<-p.mine.places
	p.forget()
}

// forget removes the account's share when nobody uses it.
func (p *place) forget() {
	p.k.mu.Lock()
	defer p.k.mu.Unlock()
	if p.mine.users--; p.mine.users == 0 {
		delete(p.k.users, p.uid)
	}
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
