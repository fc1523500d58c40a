package logins

import (
	"errors"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"time"
)

// Book records logins. Its methods wait for nobody, and may be called from any goroutine.
type Book struct {
	files Files
	of    *layout // nil: this machine's is not known
	log   *slog.Logger

	mu      sync.Mutex // held while something is written
	waiting []*event   // in their order; written by a goroutine that is there while any wait
	idle    chan struct{}
	closed  bool
}

// event is something to be written.
type event struct {
	do   func(w *writing) error // errLocked: again
	at   time.Time
	kept writing
}

// writing is how far an event has got.
type writing struct {
	at    time.Time
	force bool // without locks
	utmp  bool // done
	ended [][]byte
}

const (
	// patience is how long a lock is waited for, by nobody but the Book's goroutine.
	patience = time.Second
	// pause is between two tries.
	pause = 20 * time.Millisecond
	// mostWaiting is how many events wait.
	mostWaiting = 1 << 15
)

// Open makes a Book of these files.
func Open(files Files, log *slog.Logger) *Book {
	b := &Book{files: files, of: layouts[runtime.GOARCH], log: log, idle: make(chan struct{})}
	close(b.idle)
	return b
}

// Begin records a login.
func (b *Book) Begin(login Login) {
	b.record(func(w *writing) error {
		if !w.utmp {
			if err := b.utmp(w, func(f *os.File) error {
				return b.of.enter(f, &login, w.at)
			}); err != nil {
				return err
			}
			if err := b.of.note(b.files.Lastlog, &login, w.at); err != nil {
				b.failed(err)
			}
			w.utmp = true
		}
		return b.of.append(b.files.Wtmp, b.of.begin(&login, w.at), w.force)
	})
}

// End records the end of a login that Begin had.
func (b *Book) End(login Login) {
	b.record(func(w *writing) error {
		ended := b.of.entry(b.of.begin(&login, w.at))
		ended.end(w.at)
		if !w.utmp {
			w.ended = [][]byte{ended.b}
			if err := b.utmp(w, func(f *os.File) error {
				there, err := b.of.leave(f, &login, w.at)
				if err == nil && !there { // somebody else has recorded the end
					w.ended = nil
				}
				return err
			}); err != nil {
				return err
			}
			w.utmp = true
		}
		return b.ends(w)
	})
}

// Bury records the ends of logins whose daemon has died, and with it all of their session.
func (b *Book) Bury() {
	b.record(func(w *writing) error {
		if !w.utmp {
			if err := b.utmp(w, func(f *os.File) error {
				dead, err := b.of.bury(f, w.at)
				for _, e := range dead {
					w.ended = append(w.ended, e.b)
				}
				return err
			}); err != nil {
				return err
			}
			w.utmp = true
		}
		return b.ends(w)
	})
}

// utmp calls do with utmp, if that is there.
func (b *Book) utmp(w *writing, do func(*os.File) error) error {
	f, err := opened(b.files.Utmp, os.O_RDWR, w.force)
	if f == nil {
		return b.unlessLocked(err)
	}
	defer f.Close()
	return b.unlessLocked(do(f))
}

// unlessLocked logs what is wrong with utmp, so that the other files are written nevertheless.
func (b *Book) unlessLocked(err error) error {
	if err != nil && err != errLocked {
		b.failed(err)
		return nil
	}
	return err
}

// ends appends what has ended to wtmp.
func (b *Book) ends(w *writing) error {
	for len(w.ended) > 0 {
		if err := b.of.append(b.files.Wtmp, w.ended[0], w.force); err != nil {
			return err
		}
		w.ended = w.ended[1:]
	}
	return nil
}

// record does something now, or later if somebody has a file locked, after what waits already.
func (b *Book) record(do func(*writing) error) {
	if b == nil || b.of == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	e := &event{do: do, at: time.Now()}
	e.kept.at = e.at
	if len(b.waiting) == 0 && b.tried(e) {
		return
	}
	if len(b.waiting) >= mostWaiting || b.closed {
		e.kept.force = true
		b.tried(e)
		return
	}
	b.waiting = append(b.waiting, e)
	if len(b.waiting) == 1 {
		b.idle = make(chan struct{})
		go b.catchUp(b.idle)
	}
}

// tried says whether there is nothing more to do for an event.
func (b *Book) tried(e *event) bool {
	err := e.do(&e.kept)
	if errors.Is(err, errLocked) && !e.kept.force {
		return false
	}
	if err != nil {
		b.failed(err)
	}
	return true
}

func (b *Book) failed(err error) {
	b.log.Warn("A login is not recorded", "error", err.Error())
}

// catchUp writes what waits, and ends when that is all.
func (b *Book) catchUp(idle chan struct{}) {
	defer close(idle)
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for range ticker.C {
		b.mu.Lock()
		for len(b.waiting) > 0 {
			e := b.waiting[0]
			e.kept.force = b.closed || time.Since(e.at) >= patience
			if !b.tried(e) {
				break
			}
			b.waiting = b.waiting[1:]
		}
		done := len(b.waiting) == 0
		b.mu.Unlock()
		if done {
			return
		}
	}
}

// Last is when an account was last logged in to, if that is known.
func (b *Book) Last(uid uint32) (Last, bool) {
	if b == nil || b.of == nil {
		return Last{}, false
	}
	f, err := open(b.files.Lastlog, os.O_RDONLY)
	if f == nil {
		if err != nil {
			b.failed(err)
		}
		return Last{}, false
	}
	defer f.Close()
	text := make([]byte, b.of.last)
	if n, _ := f.ReadAt(text, int64(uid)*int64(b.of.last)); n < len(text) {
		return Last{}, false // nobody with such a uid was ever here
	}
	return b.of.readLast(text)
}

// Close writes what waits, and from then on nothing waits for a lock.
func (b *Book) Close() error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	b.closed = true
	idle := b.idle
	b.mu.Unlock()
	<-idle
	return nil
}
