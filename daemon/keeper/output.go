//go:build unix

package keeper

import (
	"io"
	"os"
	"slices"
	"sync"
	"time"
)

// output is one stream of a job's output: the spool, which is a file, and those who follow it.
type output struct {
	file   *os.File
	budget *budget
	screen *screen // nil without a terminal; mu guards it
	told   func()  // called in a goroutine of its own when much was dropped; may be nil
	hurry  func()  // the job is being stopped, and waits for nobody
	quick  <-chan struct{}

	mu        sync.Mutex    // guards the rest
	changed   chan struct{} // closed and replaced when something below changes
	size      int64         // bytes in the spool
	full      bool          // it takes no more
	dropped   int64         // bytes that it did not take
	toldAt    time.Time
	ended     bool
	followers map[*follower]bool
}

// budget is how much the spool of a job still takes, over both streams.
type budget struct {
	wait bool // the job waits when there is no more

	mu   sync.Mutex
	left int64
}

// take takes up to n bytes.
func (b *budget) take(n int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := min(int64(n), b.left)
	b.left -= taken
	return int(taken)
}

func newOutput(file *os.File, b *budget) *output {
	quick := make(chan struct{})
	return &output{file: file, budget: b, changed: make(chan struct{}),
		hurry: sync.OnceFunc(func() { close(quick) }), quick: quick,
		followers: map[*follower]bool{}}
}

// spooled is a stream whose keeper is dead.
func spooled(file *os.File, size, dropped int64) *output {
	o := newOutput(file, &budget{})
	o.size, o.dropped, o.full, o.ended = size, dropped, true, true
	return o
}

// change tells who waits. The caller holds mu.
func (o *output) change() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// keep reads a stream to its end.
func (o *output) keep(from io.Reader) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			o.add(buf[:n])
		}
		if err != nil {
			break
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.change()
}

// add takes what the job has written. It waits for nobody while the spool takes it; after that,
// with
// wait, for those who are attached and have had all before (JO7).
func (o *output) add(p []byte) {
	o.mu.Lock()
	before := o.size
	if !o.full {
		stored := o.budget.take(len(p))
		n, err := o.file.Write(p[:stored])
		o.full = err != nil || n < len(p) // the disk, or the budget
		o.size += int64(n)
		o.draw(p[:n])
		if p = p[n:]; o.full {
			for f := range o.followers { // who has had all up to here misses nothing
				f.joined = f.joined || f.at >= before
			}
		}
	}
	for len(p) > 0 && o.budget.wait && len(o.joined()) == 0 && !o.hurried() {
		o.change()
		changed := o.changed
		o.mu.Unlock()
		select {
		case <-changed:
		case <-o.quick:
		}
		o.mu.Lock()
	}
	o.draw(p)
	o.dropped += int64(len(p))
	o.change()
	joined := o.joined()
	if len(p) > 0 && o.told != nil && time.Since(o.toldAt) > time.Second {
		o.toldAt = time.Now()
		go o.told()
	}
	if !o.budget.wait {
		for _, f := range joined {
			f.offer(p)
		}
	}
	o.mu.Unlock()
	if o.budget.wait && len(p) > 0 {
		p = slices.Clone(p)
		for _, f := range joined {
			select {
			case f.live <- p:
			case <-f.gone:
			case <-o.quick:
			}
		}
	}
}

// draw has the terminal's screen follow. The caller holds mu.
func (o *output) draw(p []byte) {
	if o.screen != nil && len(p) > 0 {
		o.screen.write(p)
	}
}

// joined are those who get what the spool does not take. The caller holds mu.
func (o *output) joined() (all []*follower) {
	for f := range o.followers {
		if f.joined {
			all = append(all, f)
		}
	}
	return all
}

func (o *output) hurried() bool {
	select {
	case <-o.quick:
		return true
	default:
		return false
	}
}

// mostQueued is how many pieces a follower may be late with that are in no spool.
const mostQueued = 32

// follower is somebody who takes output from some place on.
type follower struct {
	o    *output
	gone <-chan struct{} // closed when it wants no more
	live chan []byte     // what is not in the spool

	// o.mu guards these
	at     int64 // where in the spool
	joined bool  // it gets what the spool does not take
	missed int64 // bytes of that that it was too slow for
}

// follow begins at some place; from now on: at the end, and what comes next is not missed.
func (o *output) follow(at int64, fromNow bool, gone <-chan struct{}) *follower {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.followLocked(at, fromNow, gone)
}

func (o *output) followLocked(at int64, fromNow bool, gone <-chan struct{}) *follower {
	f := &follower{o: o, at: at, gone: gone, live: make(chan []byte, mostQueued)}
	if fromNow {
		f.at, f.joined = o.size, o.full
	}
	o.followers[f] = true
	o.change()
	return f
}

// offer gives it a piece that the spool does not have, if it is not too late already. The caller
// holds
// o.mu.
func (f *follower) offer(p []byte) {
	if len(p) == 0 {
		return
	}
	select {
	case f.live <- slices.Clone(p):
	default:
		f.missed += int64(len(p))
	}
}

// copy carries output to somebody, up to its end or until gone. Where output is missing, it calls
// gap with how much.
func (f *follower) copy(put func([]byte) error, gap func(int64)) error {
	defer f.leave()
	buf := make([]byte, 32<<10)
	for read := 0; ; read = 0 {
		f.o.mu.Lock()
		changed, size, ended := f.o.changed, f.o.size, f.o.ended
		missing := f.missed
		f.missed = 0
		if f.at == size && f.o.full && !f.joined {
			f.joined, missing = true, missing+f.o.dropped
			f.o.change() // a job may wait for this
			changed = f.o.changed
		}
		at := f.at
		f.o.mu.Unlock()
		if missing > 0 {
			gap(missing)
		}
		if at < size {
			n, err := f.o.file.ReadAt(buf[:min(int64(len(buf)), size-at)], at)
			if n == 0 {
				return err // somebody has cut the file
			}
			read = n
		}
		if read > 0 {
			if err := put(buf[:read]); err != nil {
				return err
			}
			f.o.mu.Lock()
			f.at += int64(read)
			f.o.mu.Unlock()
			continue
		}
		select {
		case p := <-f.live:
			if err := put(p); err != nil {
				return err
			}
			continue
		case <-f.gone:
			return nil
		default:
		}
		if ended {
			return nil
		}
		select {
		case p := <-f.live:
			if err := put(p); err != nil {
				return err
			}
		case <-changed:
		case <-f.gone:
			return nil
		}
	}
}

// leave says that it takes no more.
func (f *follower) leave() {
	f.o.mu.Lock()
	defer f.o.mu.Unlock()
	delete(f.o.followers, f)
	f.o.change()
}
