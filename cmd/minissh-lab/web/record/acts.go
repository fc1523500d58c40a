package record

import (
	"errors"
	"io"
	"os"
	"time"

	"minissh/cmd/minissh-lab/dialect"
)

// retry is how long a send that waits for room is left alone.
const retry = time.Millisecond

// send calls send(), or goes on with one that waits for room.
func (c *connection) send() error {
	p := c.sends[c.next]
	limit := patience
	if c.Buffers > 0 {
		limit = retry // it may wait for a reader that this loop has yet to call
	}
	if !c.blocked {
		c.called = c.since()
	}
	c.a.SetWriteDeadline(time.Now().Add(limit))
	n, err := c.a.Write(p.data[c.partial:]) // no bytes: send(b'') is called, too
	c.partial += n
	c.written += n
	if c.Buffers > 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		if !c.blocked {
			c.blocked = true
			c.add(Event{Kind: KindBlock, From: c.written - n, To: c.written,
				Ask: len(p.data)})
		}
		c.sendDue = c.since() + retry
		return nil
	}
	if err != nil {
		return err
	}
	e := Event{Kind: KindSend, From: c.written - len(p.data), To: c.written}
	if c.blocked {
		e.Since = c.called.Microseconds()
		c.sendDue = c.since()
	}
	c.partial, c.blocked = 0, false
	c.next++
	c.add(e)
	if c.path != nil {
		held := c.Events[len(c.Events)-1].Held
		c.path.prompt = append(c.path.prompt, mark{c.written - held, c.sendDue})
	}
	c.sendDue += time.Duration(c.Gap) * time.Millisecond
	return nil
}

func (c *connection) end() error {
	if err := c.a.CloseWrite(); err != nil {
		return err
	}
	c.ended = true
	if c.path != nil {
		c.path.hold(c.since(), KindClose, nil)
	} else {
		c.arrived = true
	}
	c.add(Event{Kind: KindClose, From: c.written, To: c.written})
	return nil
}

func (c *connection) recv() error {
	ask := c.reader.ask()
	buf := make([]byte, ask)
	limit := patience
	if c.ready < 0 {
		limit = 5 * time.Millisecond // nobody says whether something is there: a try
	}
	c.b.SetReadDeadline(time.Now().Add(limit))
	n, err := c.b.Read(buf)
	if c.ready < 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	c.add(Event{Kind: KindRecv, From: c.read, To: c.read + n, Ask: ask, Ready: c.ready})
	c.read += n
	if n == 0 {
		c.over = true
		return nil
	}
	acks := c.reader.acks
	for range c.reader.feed(buf[:n]) {
		m := c.reader.got[c.counts[KindMessage]]
		c.add(Event{Kind: KindMessage, From: m.From, To: m.To})
	}
	if c.reader.acks > acks {
		c.ackDue = c.since()
		if c.acksSent > 0 || c.recvDue == 0 { // the first recv has waited already
			c.ackDue += time.Duration(c.Delay) * time.Millisecond
		}
	}
	c.recvDue = 0 // from now on it reads whenever something is there
	return nil
}

// sendAck is the handshake: the receiving program answers, the sender receives it.
func (c *connection) sendAck() error {
	text := []byte(dialect.AckText)
	c.b.SetWriteDeadline(time.Now().Add(patience))
	if _, err := c.b.Write(text); err != nil {
		return err
	}
	c.acksSent++
	if c.path == nil {
		return c.takeAck(c.ackDue, c.ackDue)
	}
	c.path.far.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(c.path.far, text); err != nil {
		return err
	}
	c.path.hold(c.ackDue, KindAck, text)
	return nil
}

// takeAck receives it at the sender, where it was due at a moment.
func (c *connection) takeAck(sent, due time.Duration) error {
	c.a.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(c.a, make([]byte, len(dialect.AckText))); err != nil {
		return err
	}
	c.acksGot++
	c.add(Event{Kind: KindAck, From: c.read, To: c.read, Since: sent.Microseconds()})
	c.sendDue = max(c.sendDue, due)
	return nil
}
