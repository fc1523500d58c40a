package wire

import (
	"net"
	"sync"
	"time"
)

// Link is one connection through a relay.
type Link struct {
	r        *Relay
	n        int
	fate     Fate
	begun    time.Time
	near     *net.TCPConn
	up, down *line // down's from is set before it is filled
	dropped  chan struct{}
	cutting  sync.Mutex // held during a cut: a second one finds it done

	mu     sync.Mutex // guards the rest
	far    *net.TCPConn
	was    *Cut        // how it was cut
	mute   *time.Timer // drops it
	filled bool        // both ends have ended, so there is nothing left to cut
	ended  bool
}

func newLink(r *Relay, n int, near *net.TCPConn, fate Fate) *Link {
	k := &Link{r: r, n: n, fate: fate, begun: time.Now(), near: near,
		dropped: make(chan struct{})}
	k.up, k.down = newLine(near, fate), newLine(nil, fate)
	if fate.Cut != nil {
		cut := func() { k.cut(*fate.Cut) }
		k.up.limit, k.up.reached = fate.Up, cut
		k.down.limit, k.down.reached = fate.Down, cut
	}
	return k
}

// forward carries the connection until both directions have ended. net sets TCP_NODELAY on both
// sides. The client's own connect is not delayed, but the daemon learns of it a delay later, as if
// by the handshake's last packet: a time measured through a relay is a time after TCP's own round
// trip.
func (k *Link) forward() {
	defer k.drop()
	var filling sync.WaitGroup
	defer filling.Wait()
	defer k.drop() // which ends the filling
	filling.Go(k.up.fill)
	if k.fate.Cut != nil && k.fate.After > 0 {
		timer := time.AfterFunc(k.fate.After, func() { k.cut(*k.fate.Cut) })
		defer timer.Stop()
	}
	if !k.reach() {
		if k.isCut() {
			filling.Wait() // the client's end, or the drop
		}
		return
	}
	filling.Go(k.down.fill)
	var draining sync.WaitGroup
	for l, to := range map[*line]net.Conn{k.up: k.far, k.down: k.near} {
		draining.Go(func() {
			if err := l.drain(to); err == nil {
				return
			}
			if k.isCut() {
				l.cut(Stops, false) // what comes yet is dropped
			} else {
				k.drop() // neither end hears the other any longer
			}
		})
	}
	filling.Wait()
	k.mu.Lock()
	k.filled = true
	cut := k.was != nil
	k.mu.Unlock()
	if cut {
		k.drop()
	}
	draining.Wait()
}

// reach makes the connection to the daemon, a delay after the client's. It reports false if there
// is none, or if the link was cut before. A cut that comes meanwhile counts for it too.
func (k *Link) reach() bool {
	handshake := time.NewTimer(k.fate.Delay)
	defer handshake.Stop()
	select {
	case <-handshake.C:
	case <-k.dropped:
		return false
	}
	if k.isCut() {
		return false
	}
	far, err := net.Dial("tcp", k.r.target)
	if err != nil {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ended {
		far.Close()
		return false
	}
	k.far, k.down.from = far.(*net.TCPConn), far
	if k.was != nil {
		end(k.far, k.was.Way.Far)
	}
	return true
}

func (k *Link) isCut() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.was != nil
}

// cut cuts the link; false if it was cut before, or has ended. When it returns, nothing passes any
// longer where it must not.
func (k *Link) cut(c Cut) bool {
	k.cutting.Lock()
	defer k.cutting.Unlock()
	k.mu.Lock()
	if k.was != nil || k.filled || k.ended {
		k.mu.Unlock()
		return false
	}
	k.was = &c
	far := k.far
	k.mu.Unlock()
	now := time.Now()
	k.up.cut(c.Way.Up, c.Deaf)
	k.down.cut(c.Way.Down, c.Deaf)
	if far != nil {
		quiet(k.up, c.Way.Up, far)
	}
	quiet(k.down, c.Way.Down, k.near)
	// Before an end is seen: it brings the next link, which is to come after this cut.
	k.r.note(Past{N: k.n, Cut: c, At: now, Age: now.Sub(k.begun), Up: k.up.bytes(),
		Down: k.down.bytes()})
	end(k.near, c.Way.Near)
	if far != nil {
		end(far, c.Way.Far)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if c.Mute > 0 && !k.ended {
		k.mute = time.AfterFunc(c.Mute, k.drop)
	}
	return true
}

// quiet waits until nothing passes on a line that has stopped; a write that waits for its reader is
// broken off.
func quiet(l *line, flow Flow, to *net.TCPConn) {
	if flow != Stops {
		return
	}
	to.SetWriteDeadline(time.Unix(1, 0))
	l.writing.Lock()
	defer l.writing.Unlock()
}

// end shows one end of the link what it sees of a cut.
func end(conn *net.TCPConn, e End) {
	switch e {
	case Closed:
		conn.CloseWrite()
	case Reset:
		conn.SetLinger(0)
		conn.Close()
	}
}

// drop ends the link on both sides, with RST if it was cut.
func (k *Link) drop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ended {
		return
	}
	k.ended = true
	close(k.dropped)
	if k.mute != nil {
		k.mute.Stop()
	}
	for _, conn := range []*net.TCPConn{k.near, k.far} {
		if conn == nil {
			continue
		}
		if k.was != nil {
			conn.SetLinger(0)
		}
		conn.Close()
	}
	k.up.stop()
	k.down.stop()
}
