package service

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"minissh/daemon/access"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// carry carries the bytes of a connection to its end (FO4). what is for the log.
func (h *Host) carry(ch *mux.Channel, who *access.Client, conn net.Conn, opened *protocol.Opened,
	what ...any) {
	began := time.Now()
	args := append([]any{"channel", ch.ID()}, what...)
	h.noted(who, "Starting connection", args...)
	ch.Send(protocol.TypeOpened, opened)
	c := &carrier{ch: ch, conn: conn}
	exit, reason := c.run()
	if reason != nil {
		ch.Close(reason)
	} else {
		ch.End(exit)
	}
	how := "ended"
	if reason != nil {
		how = string(reason.Code)
	} else if exit.How != protocol.HowExited {
		how = exit.How
	}
	h.noted(who, "Connection ended", append(args, "how", how, "bytes_in", c.in.Load(),
		"bytes_out", c.out.Load(), "duration_ms", time.Since(began).Milliseconds())...)
}

// carrier carries the bytes of one connection both ways (FO4).
type carrier struct {
	ch      *mux.Channel
	conn    net.Conn
	in, out atomic.Int64 // bytes, to the target and from it
}

var errBroken = refusal(protocol.CodeConnectionBroken, "the target reset the connection")

// run returns when both directions have ended, or the connection as a whole has; the connection is
// closed then.
func (c *carrier) run() (*protocol.Exit, *protocol.Reason) {
	ended := make(chan error, 2)
	var both sync.WaitGroup
	both.Go(func() { ended <- c.up() })
	both.Go(func() { ended <- c.down() })
	defer both.Wait()
	for range 2 {
		select {
		case err := <-ended:
			if err != nil && gone(c.ch) == "" {
				c.conn.Close()
				c.ch.Close(errBroken) // which up waits for
				return nil, errBroken
			}
		case <-c.ch.Gone():
			reset(c.conn)
			return &protocol.Exit{How: gone(c.ch)}, nil
		}
	}
	c.conn.Close()
	return &protocol.Exit{How: protocol.HowExited, Code: new(int)}, nil
}

// up carries STDIN to the target, until its EOF. The error is the target's.
func (c *carrier) up() error {
	for {
		e, err := c.ch.Take()
		switch {
		case err != nil:
			return nil
		case e.EOF:
			// fails if the target has reset what is over both ways: then nothing is lost
			c.conn.(mux.HalfCloser).CloseWrite()
			return nil
		}
		n, err := c.conn.Write(e.Data)
		if c.in.Add(int64(n)); err != nil {
			return err
		}
	}
}

// down carries what the target sends to STDOUT, until its end.
func (c *carrier) down() error {
	n, err := c.ch.Copy(protocol.TypeStdout, c.conn, nil)
	c.out.Add(n)
	if err == nil {
		c.ch.EOF(protocol.TypeStdout)
	}
	return err
}

// reset closes a connection so that the target learns that something is missing.
func reset(conn net.Conn) {
	if c, ok := conn.(interface{ SetLinger(int) error }); ok {
		c.SetLinger(0)
	}
	conn.Close()
}
