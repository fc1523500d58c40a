// Package forward carries connections through a session: those to ports that are listened on here
// (-L, -D) or there (-R), each as a channel of the service forward (protocol/FORWARDING.md), and
// those to our ssh-agent (-A).
//
// Reading order: forward.go (what is set up, and its end), listen.go (ports and Unix sockets),
// group.go (what makes the connections there), local.go (one connection from here), carry.go (its
// bytes), dynamic.go and socks.go (a connection whose program says where to), remote.go (listening
// there), greet.go (those there that say where to), agent.go (for those who use our agent),
// changes.go (what is added and taken away under way).
//
// Nothing here waits for the session's link: a connection outlives one that is lost, since its
// channel does.
package forward

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"minissh/client/dial"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
)

// spared are channels that forwards leave to others: commands, copies, groups.
const spared = 8

// Forwards are those of one connection.
type Forwards struct {
	conn  *dial.Connection
	group *group
	// holds one for each connection that is open, so that a flood cannot use up the session's
	// channels (CH2); further ones wait in the kernel
	slots chan struct{}

	// Agent is the channel of the listener to which our agent is lent (FO9); 0: none
	Agent int64

	carrying sync.WaitGroup // what accepts, and what carries
	deaf     chan struct{}  // closed when nothing more is taken
	closing  chan struct{}  // closed by Close

	greeting greeting // of those that come to listeners over there

	mu     sync.Mutex // guards the rest
	closed bool
	live   []*live
	open   []*connection
	told   map[string]time.Time // what was said, and when
}

// live is a forward that is set up.
type live struct {
	*options.Forward
	port int    // of one that has a free port there
	end  func() // takes no more connections; those that are open go on
}

// connection is one that is forwarded.
type connection struct{ from, to string }

// Start listens as the options say, and returns at once. The error is for people, and comes if
// ExitOnForwardFailure is set; otherwise a port that cannot be listened on is told. Close ends what
// was started.
func Start(conn *dial.Connection) (*Forwards, error) {
	f := &Forwards{
		conn: conn, group: newGroup(conn), closing: make(chan struct{}),
		deaf: make(chan struct{}), told: map[string]time.Time{},
	}
	o := conn.Options
	f.slots = make(chan struct{},
		f.channels()-spared-min(len(o.RemoteForwards), f.mostRemote()))
	f.greeting.most = cap(f.slots) / 2
	for _, kind := range []struct {
		all   []*options.Forward
		start func(*options.Forward) error
	}{{o.LocalForwards, f.local}, {o.DynamicForwards, f.dynamic}} {
		for _, one := range kind.all {
			err := kind.start(one)
			if err != nil && o.ExitOnForwardFailure {
				f.Close()
				return nil, err
			}
			if err != nil {
				conn.Messages.Error(err)
			}
		}
	}
	if err := f.remote(o.RemoteForwards); err != nil {
		if o.ExitOnForwardFailure || conn.Session.Err() != nil {
			f.Close()
			return nil, err
		}
		conn.Messages.Error(err)
	}
	if o.LentAgent != "" {
		f.lend(o.LentAgent)
	}
	return f, nil
}

// mostChannels is how many are used at most, whatever the other side allows: each may cost a
// descriptor here.
const mostChannels = 1024

// channels is how many the other side allows (CH2).
func (f *Forwards) channels() int {
	return min(max(f.conn.Welcome.Channels, protocol.MinChannels), mostChannels)
}

// Close ends everything: what is under way is cut off. It waits for the other side to say so,
// unless the session has ended.
func (f *Forwards) Close() {
	f.mu.Lock()
	closed := f.closed
	f.closed = true
	f.mu.Unlock()
	if closed {
		return
	}
	close(f.closing)
	f.deafen()
	f.group.close()
	f.carrying.Wait()
}

// deafen takes no more connections.
func (f *Forwards) deafen() {
	f.mu.Lock()
	if !f.isDeaf() {
		close(f.deaf)
	}
	ended := f.live
	f.live = nil
	f.mu.Unlock()
	for _, s := range ended {
		s.end()
	}
}

// note notes a forward that is set up. One that comes too late is ended.
func (f *Forwards) note(s *live) {
	f.mu.Lock()
	late := f.isDeaf()
	if !late {
		f.live = append(f.live, s)
	}
	f.mu.Unlock()
	if late {
		s.end()
	}
}

// Linger takes no more connections, and waits until none is open: as ssh, which does not end
// before. The session's end cuts them off.
func (f *Forwards) Linger() {
	f.mu.Lock()
	open := len(f.open)
	f.mu.Unlock()
	f.deafen()
	if m := f.conn.Messages; open > 0 && m.Interactive() {
		fmt.Fprintf(m, "minissh: %d forwarded connections are still open; Ctrl-C ends them\n",
			open)
	}
	f.carrying.Wait()
}

// forget takes a forward away that has ended.
func (f *Forwards) forget(s *live) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live = slices.DeleteFunc(f.live, func(one *live) bool { return one == s })
}

// begin notes a connection, which is from somewhere to somewhere, for people; nil: nothing may
// begin any more. over notes its end.
func (f *Forwards) begin(from, to string) (c *connection, over func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, nil
	}
	c = &connection{from, to}
	f.open = append(f.open, c)
	return c, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.open = slices.DeleteFunc(f.open, func(one *connection) bool { return one == c })
	}
}

// leads notes where a connection leads whose program has said so (SOCKS).
func (f *Forwards) leads(c *connection, to *protocol.Target) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c.to = protocol.Quote(to.String())
}

// quietFor is how long a message is not repeated: a browser asks a host that cannot be reached for
// a hundred things.
const quietFor = 10 * time.Second

// mostTold is how many messages there may be meanwhile: whoever connects, on either side, chooses
// what fails, and how.
const mostTold = 16

// tell says why a connection failed.
func (f *Forwards) tell(text string) {
	f.mu.Lock()
	now := time.Now()
	for old, at := range f.told {
		if now.Sub(at) > quietFor {
			delete(f.told, old)
		}
	}
	_, again := f.told[text]
	full := len(f.told) == mostTold
	if again || !full {
		f.told[text] = now
	}
	level, more := options.LevelInfo, ""
	if again || full {
		level = options.LevelDebug1
	} else if len(f.told) == mostTold {
		more = " (only -v shows the next ones)"
	}
	f.mu.Unlock()
	f.conn.Messages.Say(level, "%s%s", text, more)
}

// Failed says why the other side has no connection to a target, for people.
func Failed(host string, to *protocol.Target, reason *protocol.Reason) error {
	why := (&protocol.RemoteError{Reason: *reason}).Error()
	switch {
	case reason.Code == protocol.CodeConnectFailed && reason.Message != "":
		return report.Failed(nil, "", "%s could not connect: %s", host,
			protocol.Quote(reason.Message))
	case reason.Code == protocol.CodeConnectionBroken:
		return report.Failed(nil, "", "%s reset the connection that %s had to it",
			protocol.Quote(to.String()), host)
	}
	return report.Failed(nil, "", "%s did not connect to %s: %s", host,
		protocol.Quote(to.String()), why)
}
