package fakedaemon

import (
	"errors"
	"io"
	"net"
	"sync"
)

// Link is one connection through a relay, which breaks it as a test wants.
type Link struct {
	Up, Down *Flow // to the daemon, and back

	near, far net.Conn // the relay's ends, towards the client and the daemon
	done      sync.WaitGroup

	mu     sync.Mutex // guards the rest, and both flows
	change sync.Cond
	state  state
}

type state int

const (
	passing state = iota
	held          // what comes waits
	lost          // what comes is lost, and nobody is told
	closed
)

// Flow is one direction of a link.
type Flow struct {
	link   *Link
	passed int64 // bytes
	at     int64 // then is due after so many; -1: never
	then   func()
	seen   func([]byte) // sees what has passed; nil: nobody does

	waiting []byte // to be passed on
	ended   error  // what comes after it
}

// NewLink makes a link between two connections of the relay. Nothing passes before Run.
func NewLink(near, far net.Conn) *Link {
	l := &Link{near: near, far: far}
	l.change.L = &l.mu
	l.Up, l.Down = &Flow{link: l, at: -1}, &Flow{link: l, at: -1}
	return l
}

// Run relays until both directions have ended.
func (l *Link) Run() {
	l.done.Go(func() { l.Up.run(l.near, l.far) })
	l.done.Go(func() { l.Down.run(l.far, l.near) })
	l.done.Wait()
	l.near.Close()
	l.far.Close()
}

// After calls then when exactly so many bytes have passed in this direction, before the next one.
// It may be set before Run, once for each direction.
func (f *Flow) After(bytes int64, then func()) { f.at, f.then = bytes, then }

// Watch has seen see all that passes. It may be set before Run.
func (f *Flow) Watch(seen func([]byte)) { f.seen = seen }

// Close tells both ends that the link has ended.
func (l *Link) Close() {
	l.set(closed)
	l.near.Close()
	l.far.Close()
}

// Reset is Close by RST, where the connections can do that.
func (l *Link) Reset() {
	for _, conn := range []net.Conn{l.near, l.far} {
		if tcp, ok := conn.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
	}
	l.Close()
}

// Lose breaks the link without telling anybody.
func (l *Link) Lose() { l.set(lost) }

// LoseNear tells the daemon alone that the link has ended.
func (l *Link) LoseNear() {
	l.Lose()
	l.far.Close()
}

// Hold keeps what comes, for Release.
func (l *Link) Hold() { l.set(held) }

// Release lets through what was kept, and all that follows.
func (l *Link) Release() { l.set(passing) }

func (l *Link) set(s state) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != closed {
		l.state = s
	}
	l.change.Broadcast()
}

// flowing waits while the link is held, and says what it is now.
func (l *Link) flowing() state {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.state == held {
		l.change.Wait()
	}
	return l.state
}

// run takes in what comes, so that whoever writes never waits, and passes it on in order.
func (f *Flow) run(from, to net.Conn) {
	taken := make(chan struct{})
	go func() {
		defer close(taken)
		buffer := make([]byte, 32<<10)
		for {
			n, err := from.Read(buffer)
			f.link.mu.Lock()
			f.waiting = append(f.waiting, buffer[:n]...)
			f.ended = err
			f.link.change.Broadcast()
			f.link.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	for {
		f.due(0)
		p, err := f.next()
		for len(p) > 0 {
			p = p[f.pass(to, p):]
		}
		if err == nil {
			continue
		}
		<-taken
		if f.link.flowing() == passing {
			if half, ok := to.(interface{ CloseWrite() error }); ok && errors.Is(err, io.EOF) {
				half.CloseWrite()
			} else {
				to.Close()
			}
		}
		return
	}
}

// next waits for what has come; the error comes after it.
func (f *Flow) next() ([]byte, error) {
	f.link.mu.Lock()
	defer f.link.mu.Unlock()
	for len(f.waiting) == 0 && f.ended == nil {
		f.link.change.Wait()
	}
	if p := f.waiting; len(p) > 0 {
		f.waiting = nil
		return p, nil
	}
	return nil, f.ended
}

// pass passes on what may come in one piece, and says how much that was.
func (f *Flow) pass(to net.Conn, p []byte) int {
	f.due(0)
	state := f.link.flowing()
	if f.at >= f.passed && f.then != nil {
		p = p[:min(int64(len(p)), f.at-f.passed)]
	}
	if state == passing {
		to.Write(p)
		if f.seen != nil {
			f.seen(p)
		}
	}
	f.due(len(p))
	return len(p)
}

// due counts bytes that have passed, and does what is due after them.
func (f *Flow) due(more int) {
	f.link.mu.Lock()
	f.passed += int64(more)
	then := f.then
	if f.passed == f.at {
		f.then = nil
	} else {
		then = nil
	}
	f.link.mu.Unlock()
	if then != nil {
		then()
	}
}
