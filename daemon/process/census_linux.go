package process

import (
	"os"
	"strconv"
	"sync"
)

// A look at all processes costs as much as there are of them. Where many commands are stopped at once, one look serves all who wait for one: it begins
// after each of them has asked, as a look of its own would, so that two that find nobody are the proof that they were (RULES C2).

// census takes such looks, one at a time.
type census struct {
	turn chan struct{} // holds a token while somebody looks

	mu    sync.Mutex // guards the rest
	next  *round     // the look that has not begun; nil: nobody waits for one
	looks int        // that were begun, for tests
}

// round is one look.
type round struct {
	wanted map[int][]*look // by session
	done   chan struct{}   // closed when the looks are filled
	err    error           // why /proc could not be read
}

// look is what one of those who wait wants to know of a session, and finds.
type look struct {
	each   func(procStat) // called with each living member as soon as it is seen; may be nil
	alive  []Survivor
	leader bool // /proc is there and shows us at least the zombie
}

var processes = &census{turn: make(chan struct{}, 1)}

// look looks at a session's members. each may be called on another goroutine, while look waits.
func (c *census) look(session int, each func(procStat)) (*look, error) {
	mine := &look{each: each}
	c.mu.Lock()
	if c.next == nil {
		c.next = &round{wanted: map[int][]*look{}, done: make(chan struct{})}
	}
	r := c.next
	r.wanted[session] = append(r.wanted[session], mine)
	c.mu.Unlock()
	select {
	case c.turn <- struct{}{}:
		c.take(r)
		<-c.turn
	case <-r.done:
	}
	<-r.done
	return mine, r.err
}

// take is the look of a round, unless somebody else has taken it meanwhile. The caller has the turn.
func (c *census) take(r *round) {
	c.mu.Lock()
	begins := c.next == r
	if begins {
		c.next = nil
		c.looks++
	}
	c.mu.Unlock()
	if begins {
		r.err = r.read()
		close(r.done)
	}
}

// read goes through /proc once.
func (r *round) read() error {
	dir, err := os.Open("/proc")
	if err != nil {
		return err
	}
	defer dir.Close()
	for {
		names, err := dir.Readdirnames(256)
		for _, name := range names {
			pid, err := strconv.Atoi(name)
			if err != nil {
				continue
			}
			s, err := readStat(pid)
			if err != nil {
				continue
			}
			for _, l := range r.wanted[s.session] {
				l.saw(s)
			}
		}
		if len(names) == 0 || err != nil {
			return nil
		}
	}
}

// saw notes a process of the session.
func (l *look) saw(s procStat) {
	l.leader = l.leader || s.pid == s.session
	if !s.alive() {
		return
	}
	l.alive = append(l.alive, Survivor{PID: s.pid, Comm: s.comm})
	if l.each != nil {
		l.each(s)
	}
}
