package run

import (
	"io"
	"sync"
	"sync/atomic"
	"time"

	"minissh/protocol/mux"
	"minissh/protocol/vt"
)

// gate passes writes on until it is shut.
type gate struct {
	to  io.Writer
	now mux.TryWriter // the same without waiting, or nil if it cannot

	wrote atomic.Int32 // how often something passed

	mu    sync.Mutex // guards the rest
	seen  *seen      // what has passed; nil: nobody needs it
	modes *vt.Modes  // what passing output has switched on; nil: it is not a terminal
	over  overlay    // a line of ours on the screen
	held  bool       // what comes waits
	free  sync.Cond  // it does not any more
	shut  bool
}

// hold has output wait until release: the user types something for us.
func (g *gate) hold() (release func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free.L, g.held = &g.mu, true
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.held = false
		g.free.Broadcast()
	}
}

func (g *gate) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.held && !g.shut {
		g.free.Wait()
	}
	if g.shut {
		return len(p), nil
	}
	g.takeAway()
	n, err := g.to.Write(p)
	g.passed(p[:n])
	return n, err
}

// try writes what the terminal takes without waiting, and returns how many bytes.
func (g *gate) try(p []byte) int {
	if g.now == nil || !g.mu.TryLock() {
		return 0
	}
	defer g.mu.Unlock()
	if g.shut {
		return len(p)
	}
	if g.over.on || g.held {
		return 0 // Write takes it away, or waits
	}
	n := g.now.TryWrite(p)
	g.passed(p[:n])
	return n
}

func (g *gate) passed(p []byte) {
	g.wrote.Add(1)
	if g.seen != nil {
		g.seen.add(p)
	}
	if g.modes != nil {
		g.modes.Pass(p)
	}
}

// end shuts the gate, and switches off what has been switched on through it. A terminal that is
// stopped (Ctrl-S) holds a write for ever: then it gives up.
func (g *gate) end() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.mu.Lock()
		defer g.mu.Unlock()
		g.takeAway()
		g.shut = true
		g.free.Broadcast()
		if g.modes != nil {
			if undo := g.modes.Undo(); len(undo) > 0 {
				g.to.Write(undo)
			}
		}
	}()
	select {
	case <-done:
	case <-time.After(Farewell):
	}
}
