package forward

import (
	"net"
	"time"

	"minissh/client/options"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// greetTime is how long a SOCKS client may take to say what it wants, and mostGreeting how many may
// do so at once: they hold no channel.
const (
	greetTime    = 30 * time.Second
	mostGreeting = 256
)

// dynamic listens for SOCKS clients (-D).
func (f *Forwards) dynamic(forward *options.Forward) error {
	greeting := make(chan struct{}, mostGreeting)
	return f.listen(forward, "SOCKS", greeting, func(conn net.Conn, c *connection) {
		conn.SetDeadline(time.Now().Add(greetTime))
		a, err := readSOCKS(conn)
		conn.SetDeadline(time.Time{})
		if err != nil {
			f.conn.Messages.Debug("a SOCKS client of port %d: %s", forward.Port,
				protocol.Quote(err.Error()))
			conn.Close()
			return
		}
		select {
		case f.slots <- struct{}{}:
			defer func() { <-f.slots }()
			f.leads(c, &a.to)
			f.connect(conn, &a.to, a.answer)
		case <-f.closing:
			conn.Close()
		case <-f.conn.Session.Done():
			conn.Close()
		}
	})
}

// opened waits for the other side's answer; nil: the connection is made.
func opened(ch *mux.Channel) *protocol.Reason {
	select {
	case <-ch.Requests():
		return nil
	case <-ch.Gone():
	}
	if len(ch.Requests()) > 0 { // it was made, and has ended
		return nil
	}
	return ended(ch)
}
