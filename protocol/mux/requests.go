package mux

import (
	"slices"

	"minissh/protocol"
)

// Some frames pass waiting data (CH10): SIGNAL and RESIZE to the acceptor; OPENED and NOTICE to the
// opener. None of them costs credit, so each is bounded here in number, in both directions, and by
// FR5 in size.

// request distinguishes SIGNALs and NOTICEs: of equal ones that wait, one counts.
type request struct {
	kind protocol.Type
	name string
}

// requestOf is what a message counts as, and whether one of it may stand for several.
func requestOf(kind protocol.Type, message any) (r request, passes bool) {
	switch m := message.(type) {
	case *protocol.Signal:
		return request{kind, m.Signal}, true
	case *protocol.Notice:
		return request{kind, m.Notice}, true
	}
	return request{kind: kind}, kind == protocol.TypeResize
}

// IgnoreRequests drops SIGNAL and RESIZE as they come: for an application that never looks at
// Requests and Resizes.
func (c *Channel) IgnoreRequests() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.ignores = true
	for len(c.requests) > 0 { // whoever puts something in holds mu
		<-c.requests
	}
}

// request puts an unordered message where the application finds it before data, unless an equal one
// waits there, or too many do. The caller holds mu.
func (c *Channel) request(f protocol.Frame, message any) error {
	if err := f.Decode(message); err != nil {
		return err
	}
	if c.closeSent || c.ignores {
		return nil // nobody listens (CH8)
	}
	is, _ := requestOf(f.Type, message)
	// the application has taken the others
	c.waiting = c.waiting[max(0, len(c.waiting)-len(c.requests)):]
	if slices.Contains(c.waiting, is) || len(c.requests) == cap(c.requests) {
		return nil
	}
	c.requests <- Event{Type: f.Type, Message: message}
	c.waiting = append(c.waiting, is)
	return nil
}

// resize keeps only the newest size: a window that is dragged changes faster than an application
// reads (CH10).
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

// told says whether a SIGNAL, RESIZE or NOTICE need not be queued, since an equal one waits to be
// sent; a newer RESIZE replaces the older one. A peer that reads nothing cannot make us queue more
// than one of a kind. The caller holds mu.
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
