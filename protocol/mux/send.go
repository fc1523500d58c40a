package mux

import (
	"errors"
	"io"

	"minissh/protocol"
)

// Write sends all of p as data of the given type and returns when the link's writer has it: it
// waits for credit, and for a link. Only one Write of each type may run at a time.
func (c *Channel) Write(kind protocol.Type, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	i := stream(kind)
	if err := c.writable(); err != nil {
		return 0, err
	}
	if c.eofSent[i] || c.out[i] != nil {
		return 0, errors.New("a Write of this type is under way, or its EOF was sent")
	}
	c.out[i] = p
	c.lineUp()
	for len(c.out[i]) > 0 {
		if err := c.writable(); err != nil {
			n := len(p) - len(c.out[i])
			c.out[i] = nil
			return n, err
		}
		if !c.s.inline() {
			c.room.Wait()
		}
	}
	c.out[i] = nil
	return len(p), nil
}

// Offer is Write for what can go out at once: p fits in a frame, there is credit for all of it, and
// nothing else is being sent or waits. It says whether p was sent; otherwise nothing of it was. A
// connection that takes nothing still delays it, so a caller that must not wait offers little.
func (c *Channel) Offer(kind protocol.Type, p []byte) bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	i, l := stream(kind), c.s.link
	if l == nil || l.writing || l.stop || l.due() || c.writable() != nil || c.eofSent[i] ||
		c.out[i] != nil {
		return false
	}
	if n := uint64(len(p)); n > pieceSize || n > c.limitOut-c.sentOut {
		return false
	}
	c.out[i] = p
	c.lineUp()
	c.s.inline()
	sent := len(c.out[i]) == 0
	c.out[i] = nil
	return sent
}

// Writer is Write for one type, as an io.Writer.
func (c *Channel) Writer(kind protocol.Type) io.Writer {
	return writerFunc(func(p []byte) (int, error) { return c.Write(kind, p) })
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// EOF ends the data of one type. A second one does nothing.
func (c *Channel) EOF(kind protocol.Type) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.sendEOF(kind)
}

// Send sends an OPENED, SIGNAL, RESIZE, NOTICE or EXIT message. It does not wait. While an equal
// SIGNAL or NOTICE waits to be sent, it is dropped, and a RESIZE replaces one that waits: otherwise
// the peer could make us queue without limit. A NOTICE after EXIT is dropped.
func (c *Channel) Send(kind protocol.Type, message any) error {
	frame, err := protocol.AppendMessage(nil, kind, c.id, message)
	if err != nil {
		return err
	}
	is, passes := requestOf(kind, message)
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if err := c.sendable(); err != nil || passes && c.told(is, frame) {
		return err
	}
	return c.send(is, frame)
}

// Close sends CLOSE with a reason (nil: all went well). What arrives later is dropped, except EXIT
// and CLOSE, which Next still returns. It is idempotent.
func (c *Channel) Close(reason *protocol.Reason) error {
	frame, err := c.closing(reason)
	if err != nil {
		return err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.close(frame)
	return nil
}

// End is EOF for STDOUT and STDERR, Send of EXIT, and Close: the end of a command, in one piece, so
// that the peer wakes only once for it.
func (c *Channel) End(exit *protocol.Exit) error {
	frame, err := protocol.AppendMessage(nil, protocol.TypeExit, c.id, exit.Fit())
	if err != nil {
		return err
	}
	closing, err := c.closing(nil)
	if err != nil {
		return err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	err = errors.Join(c.sendEOF(protocol.TypeStdout), c.sendEOF(protocol.TypeStderr))
	if err == nil {
		err = c.send(request{kind: protocol.TypeExit}, frame)
	}
	c.close(closing)
	c.s.inline()
	return err
}

// sendEOF is EOF. The caller holds mu.
func (c *Channel) sendEOF(kind protocol.Type) error {
	if err := c.sendable(); err != nil || c.eofSent[stream(kind)] {
		return err
	}
	if c.out[stream(kind)] != nil { // EOF would overtake what it still has to send
		return errors.New("EOF while a Write of the same type is under way")
	}
	c.eofSent[stream(kind)] = true
	c.s.enqueue(c, request{kind: protocol.TypeEOF}, protocol.AppendFrame(nil, protocol.TypeEOF, 0,
		c.id, []byte{byte(kind)}))
	return nil
}

// send is Send, which waits for nothing. The caller holds mu.
func (c *Channel) send(is request, frame []byte) error {
	if err := c.sendable(); err != nil {
		return err
	}
	switch is.kind {
	case protocol.TypeNotice:
		if c.exited {
			return nil
		}
	case protocol.TypeOpened:
		c.opened = true
	case protocol.TypeExit:
		c.exited = true
	}
	c.s.enqueue(c, is, frame)
	return nil
}

// closing encodes CLOSE.
func (c *Channel) closing(reason *protocol.Reason) ([]byte, error) {
	if reason == nil {
		reason = &protocol.Reason{}
	}
	return protocol.AppendMessage(nil, protocol.TypeClose, c.id, reason)
}

// close sends CLOSE. The caller holds mu.
func (c *Channel) close(frame []byte) {
	if c.failed || c.closeSent {
		return
	}
	c.closeSent = true
	c.s.enqueue(c, request{kind: protocol.TypeClose}, frame)
	c.room.Broadcast() // running Writes fail
}

// sendable says whether anything may still be sent. The caller holds mu.
func (c *Channel) sendable() error {
	switch {
	case c.failed:
		return c.s.ended
	case c.closeSent, c.closeReceived && c.ours:
		return ErrChannelClosed
	}
	return nil
}

// writable is sendable for data: nobody wants data after the peer's CLOSE. The caller holds mu.
func (c *Channel) writable() error {
	if err := c.sendable(); err != nil {
		return err
	}
	if c.closeReceived {
		return ErrChannelClosed
	}
	return nil
}
