package forward

import (
	"errors"
	"sync"

	"minissh/client/dial"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// group is what makes the connections on the other side (FO2). It is opened when the first one is
// wanted, and again if it has ended by itself.
type group struct {
	conn *dial.Connection

	mu     sync.Mutex // held while it is being opened; guards the rest
	ch     *mux.Channel
	closed bool
}

func newGroup(conn *dial.Connection) *group { return &group{conn: conn} }

var errClosed = errors.New("forwarding has ended")

// get is the channel of the group, which can be used. The error may be a *protocol.RemoteError.
func (g *group) get() (*mux.Channel, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, errClosed
	}
	if g.ch != nil {
		select {
		case <-g.ch.Gone():
			g.ch.Close(nil)
			g.ch = nil
		default:
			return g.ch, nil
		}
	}
	ch, err := g.conn.Session.OpenWaiting(&protocol.Open{Service: service})
	if err != nil {
		return nil, err
	}
	select {
	case <-ch.Requests(): // OPENED is the first
		go drain(ch)
		g.ch = ch
		return ch, nil
	case <-ch.Gone():
	}
	reason := ended(ch)
	if ch.SessionEnded() {
		return nil, g.conn.Session.Err()
	}
	return nil, &protocol.RemoteError{Reason: *reason}
}

// drain reads a channel on which nothing is said to its end.
func drain(ch *mux.Channel) {
	for {
		if _, err := ch.Take(); err != nil {
			ch.Close(nil)
			return
		}
	}
}

// close ends the group. The session may end next: nobody waits for the answer.
func (g *group) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	if g.ch != nil {
		g.ch.Close(nil)
	}
}
