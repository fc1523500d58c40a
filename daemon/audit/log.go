package audit

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// What a Log does with what it has no room for.
const (
	Refuse = "refuse" // new work is refused
	Drop   = "drop"   // entries are dropped, and counted
)

// Options are a Log's settings. Nothing in them changes.
type Options struct {
	Path string
	Size int64  // bytes after which the file is renamed
	Keep int    // how many renamed files are kept
	Full string // Refuse or Drop
	Log  *slog.Logger
}

// queueMost is how many bytes of entries wait for the writer. A user may have a quarter of them, or
// one entry.
const (
	queueMost    = 8 << 20
	shareOfQueue = 4
)

// A user may write a quarter of a file at once, and another quarter in each hour.
const (
	shareOfFile = 4
	shareTime   = time.Hour
)

// writtenTime is how long new work waits for its entry to be in the file.
var writtenTime = 5 * time.Second

// Log takes entries. Its methods may be called from any goroutine; a nil Log takes none.
type Log struct {
	opts Options
	now  func() time.Time

	mu      sync.Mutex // guards the rest
	number  int64      // of the last entry
	queue   []queued
	queued  int                     // bytes in the queue, and in what the writer has taken of it
	waiting map[int64]chan struct{} // by the number of an entry: closed when it is in the file
	shares  map[uint32]*share
	dropped int // entries, since this was last told
	trouble error
	work    chan struct{} // has room for one; the writer waits for it
	closing bool
	done    chan struct{} // closed when the writer has ended
}

// queued is an entry that waits for the writer.
type queued struct {
	text []byte
	of   *share // nil: nobody's
}

// share is what a user may still write, in bytes, as of a time. It may be below 0: what has begun
// is told of to its end.
type share struct {
	left   float64
	at     time.Time
	queued int // bytes
}

// Open makes a Log, and the file if it is not there.
func Open(opts Options) (*Log, error) {
	f, err := openFile(opts.Path)
	if err != nil {
		return nil, err
	}
	l := &Log{opts: opts, now: time.Now, waiting: map[int64]chan struct{}{},
		shares: map[uint32]*share{}, work: make(chan struct{}, 1), done: make(chan struct{})}
	w := &writer{l: l, f: f}
	go w.run()
	return l, nil
}

// atWill is what a user can have noted as often as he likes, without a request that had room. Of
// other entries there are a few for each request.
var atWill = map[string]bool{"login": true, "resumed": true, "link lost": true,
	"session ended": true, "request refused": true, "login refused": true}

// Note adds an entry about what has happened. It waits for nothing. With Drop a user's part bounds
// all that is about him, since nothing bounds what he does.
func (l *Log) Note(event string, who *Who, args ...any) {
	if l == nil {
		return
	}
	rest := content(event, who, args)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(who, rest, who != nil && (!who.Known ||
		who.UID != 0 && (atWill[event] || l.opts.Full == Drop)))
}

// ErrFull means that there is no room for an entry about new work.
var ErrFull = errors.New("the audit log cannot take an entry about it now")

// Begin adds an entry about work that is to begin, and waits until that is in the file if the Log
// refuses what it cannot note. An error says why the work may not begin. Root's may in any case.
func (l *Log) Begin(event string, who *Who, args ...any) error {
	if l == nil {
		return nil
	}
	root := who.Known && who.UID == 0
	refuses := l.opts.Full == Refuse && !root
	rest := content(event, who, args)
	l.mu.Lock()
	if why := l.full(who, root); why != nil && refuses {
		l.mu.Unlock()
		return why
	}
	number := l.add(who, rest, !root)
	var written chan struct{}
	if refuses && number > 0 {
		written = make(chan struct{})
		l.waiting[number] = written
	}
	l.mu.Unlock()
	if written == nil {
		if refuses {
			return ErrFull
		}
		return nil
	}
	late := time.NewTimer(writtenTime)
	defer late.Stop()
	select {
	case <-written:
		return nil
	case <-late.C:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.waiting, number)
	return ErrFull
}

// full says why there is no room for an entry about a user's new work. The caller holds mu.
func (l *Log) full(who *Who, root bool) error {
	if l.trouble != nil || l.queued > queueMost/2 {
		return ErrFull
	}
	if s := l.shareOf(who); !root && s != nil && s.left <= 0 {
		each := float64(l.opts.Size) / shareOfFile
		wait := time.Duration((1 - s.left) / each * float64(shareTime))
		return fmt.Errorf("%w: this user's part of it is used up for %s", ErrFull,
			(wait + time.Second).Round(time.Second))
	}
	return nil
}

// strangers are a user with a share, all together.
const strangers = 1<<32 - 1

// shareOf is a user's share as of now, nil if the entry is about none. The caller holds mu.
func (l *Log) shareOf(who *Who) *share {
	if who == nil {
		return nil
	}
	owner := who.UID
	if !who.Known {
		owner = strangers
	}
	now, each := l.now(), float64(l.opts.Size)/shareOfFile
	s := l.shares[owner]
	if s == nil {
		for uid, other := range l.shares { // those that are whole again need not be remembered
			if now.Sub(other.at) > 2*shareTime {
				delete(l.shares, uid)
			}
		}
		s = &share{left: each, at: now}
		l.shares[owner] = s
	}
	if passed := now.Sub(s.at); passed > 0 {
		s.left = min(each, s.left+each*float64(passed)/float64(shareTime))
		s.at = now
	}
	return s
}

// add queues an entry, and returns its number; 0: it was dropped. What is about a user's new work,
// or about strangers, is also dropped when the share is used up (bounded). The caller holds mu.
func (l *Log) add(who *Who, rest []byte, bounded bool) int64 {
	s := l.shareOf(who)
	if l.closing || l.queued+len(rest) > queueMost || bounded && s != nil &&
		(s.left <= 0 || s.queued > 0 && s.queued+len(rest) > queueMost/shareOfQueue) {
		l.dropped++
		return 0
	}
	l.tellDropped()
	l.number++
	text := line(l.now(), l.number, rest)
	if s != nil {
		s.left -= float64(len(text))
		s.queued += len(text)
	}
	l.push(queued{text, s})
	return l.number
}

// tellDropped puts the number of entries that were dropped in their place. The caller holds mu.
func (l *Log) tellDropped() {
	if l.dropped == 0 {
		return
	}
	l.number++
	told := content("dropped", nil, []any{"entries", l.dropped})
	l.push(queued{text: line(l.now(), l.number, told)})
	l.opts.Log.Warn("Entries of the audit log were dropped", "entries", l.dropped)
	l.dropped = 0
}

func (l *Log) push(entry queued) {
	l.queue = append(l.queue, entry)
	l.queued += len(entry.text)
	select {
	case l.work <- struct{}{}:
	default:
	}
}

// Close writes what is queued, for so long at most.
func (l *Log) Close(most time.Duration) {
	if l == nil {
		return
	}
	l.mu.Lock()
	l.tellDropped()
	l.closing = true
	select {
	case l.work <- struct{}{}:
	default:
	}
	l.mu.Unlock()
	late := time.NewTimer(most)
	defer late.Stop()
	select {
	case <-l.done:
	case <-late.C:
	}
}
