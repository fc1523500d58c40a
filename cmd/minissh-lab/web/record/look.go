package record

import (
	"time"

	"minissh/cmd/minissh-lab/chaos/probe"
)

// look asks the kernel what has changed: segments that left, what was acknowledged, bytes that
// wait; and the path takes what has come to it.
func (c *connection) look() error {
	now, looked := c.now(), c.looked
	was := c.seen
	out, told := probe.Sent(c.a)
	if told {
		if !c.known {
			c.known, c.first, was = true, out, out
		}
		if out.Segments > c.seen.Segments {
			from, to := c.seen.Bytes-c.seen.Resent, out.Bytes-out.Resent
			c.add(Event{
				Kind: KindSegment, N: c.seen.Segments + 1, From: from, To: to,
				Count: out.Segments - c.seen.Segments, Since: c.looked, Held: out.Held,
			})
		}
		c.seen = out
	}
	if c.path != nil {
		if err := c.path.take(c.since()); err != nil {
			return err
		}
	}
	before := c.ready
	n, ok := probe.Pending(c.b)
	if !ok {
		c.ready = -1
	} else {
		c.ready, c.Buffer = n, true
		if n > before && c.start != (time.Time{}) {
			c.add(Event{Kind: KindBuffer, From: c.read, To: c.read + n})
		}
	}
	if told {
		c.acknowledged(was, out, looked)
	}
	c.looked = now
	return nil
}

// acknowledged writes down what TCP itself has told the sender. A path's relay tells it what says
// nothing about the receiver. A system that does not know windows calls the first one 0.
func (c *connection) acknowledged(before, out probe.Outgoing, since int64) {
	was, is := before.Acked-c.first.Acked, min(out.Acked-c.first.Acked, c.written)
	turned := (out.Window == 0) != (before.Window == 0)
	if c.path != nil || c.first.Window == 0 || is <= was && !turned {
		return
	}
	c.Acks = append(c.Acks, Ack{At: c.now(), Since: since, To: max(is, was), Window: out.Window})
}

// add writes an event down.
func (c *connection) add(e Event) {
	c.counts[e.Kind]++
	e.At = c.now()
	if e.N == 0 {
		e.N = c.counts[e.Kind]
	}
	if e.Kind == KindSend {
		if out, ok := probe.Sent(c.a); ok { // else it is not known, and 0
			e.Held = out.Held
		}
	}
	c.Events = append(c.Events, e)
}

func (c *connection) since() time.Duration { return time.Since(c.start) }

func (c *connection) now() int64 { return c.since().Microseconds() }

func (c *connection) pause(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}
