package mux

import (
	"slices"

	"minissh/protocol"
)

// What passes the data that waits (CH10): SIGNAL and RESIZE to the acceptor; OPENED and NOTICE to the opener. None of
// them costs credit, so each is bounded in number here, whichever way it goes, and in size by FR5.

// request tells one SIGNAL or NOTICE from another: of equal ones that wait, one counts.
type request struct {
	kind protocol.Type
	name string
}

// requestOf is what a message counts as, and whether it is one that may be told once for several.
func requestOf(kind protocol.Type, message any) (r request, passes bool) {
	switch m := message.(type) {
	case *protocol.Signal:
		return request{kind, m.Signal}, true
	case *protocol.Notice:
		return request{kind, m.Notice}, true
	}
	return request{kind: kind}, kind == protocol.TypeResize
}

// IgnoreRequests has SIGNAL and RESIZE dropped as they come: for an application that never looks at Requests and Resizes.
func (c *Channel) IgnoreRequests() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.ignores = true
	for len(c.requests) > 0 { // whoever puts something in holds mu
		<-c.requests
	}
}

// request puts an unordered message where the application finds it ahead of data, unless an equal one waits there, or
// too many do. The caller holds mu.
func (c *Channel) request(f protocol.Frame, message any) error {
	if err := f.Decode(message); err != nil {
		return err
	}
	if c.closeSent || c.ignores {
		return nil // nobody listens (CH8)
	}
	is, _ := requestOf(f.Type, message)
	c.waiting = c.waiting[max(0, len(c.waiting)-len(c.requests)):] // the application has taken the others
	if slices.Contains(c.waiting, is) || len(c.requests) == cap(c.requests) {
		return nil
	}
	c.requests <- Event{Type: f.Type, Message: message}
	c.waiting = append(c.waiting, is)
	return nil
}

// resize keeps the newest size alone: a window that is dragged changes faster than any application looks (CH10).
func (c *Channel) resize(f protocol.Frame) error {
	var size protocol.Size
	if err := f.Decode(&size); err != nil {
		return err
	}
	if c.ignores {
		return nil
	}
	select {
	case <-c.resizes:
	default:
	}
	c.resizes <- size // holds one, and whoever puts something in holds mu
	return nil
}

// told says whether a SIGNAL, RESIZE or NOTICE need not be queued, since an equal one waits to be sent; of RESIZE the
// newer takes the other's place. A peer that reads nothing can make us queue no more than one of a kind. The caller
// holds mu.
func (c *Channel) told(is request, frame []byte) bool {
	for i := range c.s.control.len() {
		if waits := c.s.control.at(i); waits.c == c && waits.request == is {
			if is.kind == protocol.TypeResize {
				waits.frame = frame
			}
			return true
		}
	}
	return false
}
