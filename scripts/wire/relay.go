package wire

import (
	"net"
	"slices"
	"sync"
	"time"
)

// Relay forwards TCP connections to one daemon.
type Relay struct {
	listener net.Listener
	target   string
	fate     func(n int) Fate
	ended    chan struct{}
	wg       sync.WaitGroup

	mu     sync.Mutex // guards the rest
	links  []*Link    // those that are there
	past   []Past     // those that are cut, in the order of their cuts
	begun  []time.Time
	closed bool
}

// Listen begins a relay to a target, host:port. fate is asked for each connection, in their order
// from 0 on, by one goroutine; nil gives each the zero Fate.
func Listen(target string, fate func(n int) Fate) (*Relay, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if fate == nil {
		fate = func(int) Fate { return Fate{} }
	}
	r := &Relay{listener: listener, target: target, fate: fate, ended: make(chan struct{})}
	r.wg.Go(r.accept)
	return r, nil
}

// Address is where the relay listens: host:port.
func (r *Relay) Address() string { return r.listener.Addr().String() }

// Port is the port of Address.
func (r *Relay) Port() string {
	_, port, _ := net.SplitHostPort(r.Address())
	return port
}

// Close ends all connections and waits for them.
func (r *Relay) Close() {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.ended)
		r.listener.Close()
		for _, k := range r.links {
			k.drop()
		}
	}
	r.mu.Unlock()
	r.wg.Wait()
}

func (r *Relay) accept() {
	for n := 0; ; n++ {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		k := newLink(r, n, near.(*net.TCPConn), r.fate(n))
		r.mu.Lock()
		r.begun = append(r.begun, time.Now())
		if r.closed {
			k.drop()
		}
		r.links = append(r.links, k)
		r.mu.Unlock()
		r.wg.Go(func() {
			k.forward()
			r.mu.Lock()
			r.links = slices.DeleteFunc(r.links, func(other *Link) bool { return other == k })
			r.mu.Unlock()
		})
	}
}

// there are the links that have not ended.
func (r *Relay) there() []*Link {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.links)
}

// Cut cuts all links that are whole, and says how many these were. When it returns, nothing passes
// that the way of the cut does not let through.
func (r *Relay) Cut(c Cut) (cut int) {
	for _, k := range r.there() {
		if k.cut(c) {
			cut++
		}
	}
	return cut
}

// Drop resets all links that are cut.
func (r *Relay) Drop() {
	for _, k := range r.there() {
		if k.isCut() {
			k.drop()
		}
	}
}

// Past is what became of a link that was cut.
type Past struct {
	N        int // the link's number
	Cut      Cut
	At       time.Time // when it was cut
	Age      time.Duration
	Up, Down int64 // bytes that had passed
	// After is how long after the cut the next connection came; 0 if none has come since.
	After time.Duration
}

// Past tells of all links that were cut, in the order of their cuts.
func (r *Relay) Past() []Past {
	r.mu.Lock()
	defer r.mu.Unlock()
	past := slices.Clone(r.past)
	for i := range past {
		p := &past[i]
		for _, at := range r.begun {
			if at.After(p.At) {
				p.After = at.Sub(p.At)
				break
			}
		}
	}
	return past
}

func (r *Relay) note(p Past) {
	r.mu.Lock()
	r.past = append(r.past, p)
	r.mu.Unlock()
}

// Links is how many connections there have been.
func (r *Relay) Links() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.begun)
}
