package forward

import (
	"errors"
	"io"
	"net"
	"time"

	"minissh/client/options"
	"minissh/protocol"
	"minissh/protocol/mux"
)

const service = "forward" // in OPEN

// local listens for one forward (-L).
func (f *Forwards) local(forward *options.Forward) error {
	return f.listen(forward, forward.Target.String(), f.slots, func(conn net.Conn, _ *connection) {
		f.connect(conn, &forward.Target, nil)
	})
}

// listen has serve called for each connection that comes; what is for people.
func (f *Forwards) listen(forward *options.Forward, what string, slots chan struct{},
	serve func(net.Conn, *connection)) error {
	listeners, err := listen(forward, f.conn.Options)
	if err != nil {
		return err
	}
	f.note(&live{Forward: forward, end: func() {
		for _, l := range listeners {
			l.Close()
		}
	}})
	for _, l := range listeners {
		f.conn.Messages.Debug("listening on %s for %s", protocol.Quote(l.Addr().String()),
			protocol.Quote(what))
		f.carrying.Go(func() { f.accept(l, what, slots, serve) })
	}
	return nil
}

// accept takes connections until the listener is closed. It waits for a slot first: what comes
// meanwhile waits in the kernel.
func (f *Forwards) accept(l net.Listener, what string, slots chan struct{},
	serve func(net.Conn, *connection)) {
	for {
		select {
		case slots <- struct{}{}:
		case <-f.closing:
			return
		case <-f.conn.Session.Done():
			return
		}
		conn, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			<-slots
			return
		case err != nil: // no descriptors left, say: the next try may work
			<-slots
			f.tell("cannot take a connection to " + l.Addr().String() + ": " + err.Error())
			select {
			case <-time.After(100 * time.Millisecond):
			case <-f.closing:
			}
			continue
		}
		c, over := f.begin(conn.RemoteAddr().String(), what)
		if c == nil {
			<-slots
			conn.Close()
			return
		}
		f.carrying.Go(func() {
			defer func() { over(); <-slots }()
			serve(conn, c)
		})
	}
}

// connect has the other side connect to a target, and carries a connection from here to there.
// answer, if not nil, is how the program here is told whether there is one.
func (f *Forwards) connect(conn net.Conn, to *protocol.Target,
	answer func(io.Writer, *protocol.Reason) error) {
	ch, err := f.ask(to)
	if err == nil && answer != nil {
		if reason := opened(ch); reason != nil {
			err = &protocol.RemoteError{Reason: *reason}
		}
	}
	said, refused := errors.AsType[*protocol.RemoteError](err)
	switch {
	case err == nil && (answer == nil || answer(conn, nil) == nil):
		err = f.carry(conn, ch)
	case err == nil: // the program here has gone
		ch.Close(nil)
		conn.Close()
	case answer == nil:
		reset(conn)
	default:
		reason := &protocol.Reason{Code: protocol.CodeInternal}
		if refused {
			reason = &said.Reason
		}
		answer(conn, reason)
		conn.Close()
	}
	if said, ok := errors.AsType[*protocol.RemoteError](err); ok {
		err = Failed(f.conn.Options.Alias, to, &said.Reason)
	}
	if err != nil && f.conn.Session.Err() == nil {
		f.tell(err.Error())
	}
}

// ask opens the channel of a connection.
func (f *Forwards) ask(to *protocol.Target) (*mux.Channel, error) {
	group, err := f.group.get()
	if err != nil {
		return nil, err
	}
	return f.conn.Session.OpenWaiting(&protocol.Open{Service: service, Connect: to,
		In: int64(group.ID())})
}
