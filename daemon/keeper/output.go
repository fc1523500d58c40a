//go:build unix

package keeper

import (
	"io"
	"os"
	"sync"
)

// output is one stream of a job's output: the spool, which is a file, and those who follow it.
type output struct {
	file   *os.File
	budget *budget
	screen *screen // nil without a terminal; mu guards it

	mu      sync.Mutex    // guards the rest
	changed chan struct{} // closed and replaced when something below changes
	size    int64         // bytes in the spool
	full    bool          // it takes no more
	dropped int64         // bytes that it did not take
	ended   bool
	hurried bool               // the job is being stopped, and waits for nobody
	live    map[*follower]bool // who has had everything, once it is full
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

func newOutput(file *os.File, b *budget, s *screen) *output {
	return &output{file: file, budget: b, screen: s, changed: make(chan struct{}),
		live: map[*follower]bool{}}
}

// spooled is a stream whose keeper is dead.
func spooled(file *os.File, size, dropped int64) *output {
	o := newOutput(file, &budget{}, nil)
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

// hurry has the job wait for nobody any more.
func (o *output) hurry() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hurried = true
	o.change()
}

// add takes what the job has written. It waits for nobody while the spool takes it; after that, for
// those who are attached and have had all before (JO7).
func (o *output) add(p []byte) {
	o.mu.Lock()
	if o.screen != nil {
		o.screen.write(p)
	}
	if !o.full {
		stored := o.budget.take(len(p))
		n, err := o.file.Write(p[:stored])
		o.full = err != nil || n < len(p) // the disk, or the budget
		o.size += int64(n)
		p = p[n:]
	}
	o.change()
	for len(p) > 0 && o.budget.wait && len(o.live) == 0 && !o.hurried {
		changed := o.changed
		o.mu.Unlock()
		<-changed
		o.mu.Lock()
	}
	o.dropped += int64(len(p))
	var live []*follower
	for f := range o.live {
		if len(p) > 0 {
			live = append(live, f)
		}
	}
	o.mu.Unlock()
	for _, f := range live {
		f.pass(p)
	}
}

// follower is somebody who takes output from some place on.
type follower struct {
	o     *output
	at    int64           // where in the spool
	gone  <-chan struct{} // closed when it wants no more
	live  chan []byte     // what is not in the spool
	taken chan struct{}   // has a value when a piece of that was taken
}

func (o *output) follow(at int64, gone <-chan struct{}) *follower {
	return &follower{o: o, at: at, gone: gone, live: make(chan []byte),
		taken: make(chan struct{}, 1)}
}

// pass gives it a piece that the spool does not have, and waits until it was taken.
func (f *follower) pass(p []byte) {
	select {
	case f.live <- p:
		<-f.taken
	case <-f.gone:
	}
}

// copy carries output to somebody, up to its end or until gone. Where output is missing, it calls
// gap with how much.
func (f *follower) copy(put func([]byte) error, gap func(int64)) error {
	defer f.leave()
	buf := make([]byte, 32<<10)
	joined := false
	for {
		missing := int64(0)
		f.o.mu.Lock()
		changed, size, ended := f.o.changed, f.o.size, f.o.ended
		if f.at == size && f.o.full && !joined {
			joined, missing = true, f.o.dropped
			f.o.live[f] = true
			f.o.change() // a job may wait for this
			changed = f.o.changed
		}
		f.o.mu.Unlock()
		if missing > 0 {
			gap(missing)
		}
		if f.at < size {
			n, err := f.o.file.ReadAt(buf[:min(int64(len(buf)), size-f.at)], f.at)
			if n == 0 {
				return err // somebody has cut the file
			}
			f.at += int64(n)
			if err := put(buf[:n]); err != nil {
				return err
			}
			continue
		}
		if ended {
			return nil
		}
		select {
		case p := <-f.live:
			err := put(p)
			f.taken <- struct{}{}
			if err != nil {
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
	delete(f.o.live, f)
	f.o.change()
}
