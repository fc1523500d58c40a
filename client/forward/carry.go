package forward

import (
	"net"
	"sync"

	"minissh/protocol"
	"minissh/protocol/mux"
)

// carry carries the bytes of a connection that we have and of one that the other side makes, until
// both directions have ended, or the whole has (FO4). Then the connection is closed. The error is a
// *protocol.RemoteError if the other side has given a reason; it is nil if somebody here has cut
// the connection off.
func (f *Forwards) carry(conn net.Conn, ch *mux.Channel) error {
	ended := make(chan struct{})
	var both sync.WaitGroup
	both.Go(func() { // from here to there
		if _, err := ch.Copy(protocol.TypeStdin, conn, nil); err != nil {
			ch.Close(nil) // somebody here has reset it, or we have closed it
			return
		}
		ch.EOF(protocol.TypeStdin)
	})
	both.Go(func() {
		select {
		case <-f.closing:
			ch.Close(nil)
			reset(conn)
		case <-ended:
		}
	})
	defer both.Wait()
	defer close(ended)
	reason, whole := receive(conn, ch)
	if !whole {
		reset(conn)
	}
	conn.Close()
	ch.Close(nil)
	if reason != nil && reason.Code != "" && reason.Code != protocol.CodeConnectionBroken {
		return &protocol.RemoteError{Reason: *reason}
	}
	return nil
}

// receive carries what comes from the other side until the channel's end. whole: both directions
// have ended, and nothing is missing.
func receive(conn net.Conn, ch *mux.Channel) (reason *protocol.Reason, whole bool) {
	for {
		e, err := ch.Take()
		if err != nil {
			return reason, whole
		}
		switch message := e.Message.(type) {
		case *protocol.Exit:
			whole = message.How == protocol.HowExited
		case *protocol.Reason:
			if !whole {
				reason = message
			}
		}
		if e.Type != protocol.TypeStdout {
			continue
		}
		if e.EOF {
			closeWrite(conn)
		} else if _, err := conn.Write(e.Data); err != nil {
			ch.Close(nil) // nobody here wants it any more; Take tells when the other side knows
		}
	}
}

// closeWrite ends what is sent over a connection, and nothing else.
func closeWrite(conn net.Conn) {
	if c, ok := conn.(mux.HalfCloser); ok {
		c.CloseWrite()
	}
}

// reset closes a connection so that the other program learns that something is missing.
func reset(conn net.Conn) {
	if c, ok := conn.(*net.TCPConn); ok {
		c.SetLinger(0)
	}
	conn.Close()
}
