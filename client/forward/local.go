package forward

import (
	"errors"
	"net"
	"time"

	"minissh/client/options"
	"minissh/protocol"
	"minissh/protocol/mux"
)

const service = "forward" // in OPEN

// local listens for one forward (-L).
func (f *Forwards) local(forward *options.Forward) error {
	listeners, err := listen(forward, f.conn.Options)
	if err != nil {
		return err
	}
	f.listeners = append(f.listeners, listeners...)
	for _, l := range listeners {
		f.conn.Messages.Debug("listening on %s for %s", protocol.Quote(l.Addr().String()),
			protocol.Quote(forward.Target.String()))
		f.carrying.Go(func() { f.accept(l, &forward.Target) })
	}
	return nil
}

// accept takes connections until the listener is closed. It waits for a slot first: what comes
// meanwhile waits in the kernel.
func (f *Forwards) accept(l net.Listener, to *protocol.Target) {
	for {
		select {
		case f.slots <- struct{}{}:
		case <-f.closing:
			return
		case <-f.conn.Session.Done():
			return
		}
		conn, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			<-f.slots
			return
		case err != nil: // no descriptors left, say: the next try may work
			<-f.slots
			f.tell("cannot take a connection to " + l.Addr().String() + ": " + err.Error())
			select {
			case <-time.After(100 * time.Millisecond):
			case <-f.closing:
			}
			continue
		case !f.count(1):
			<-f.slots
			conn.Close()
			return
		}
		f.carrying.Go(func() {
			defer func() { f.count(-1); <-f.slots }()
			f.connect(conn, to)
		})
	}
}

// connect has the other side connect to a target, and carries a connection from here to there.
func (f *Forwards) connect(conn net.Conn, to *protocol.Target) {
	ch, err := f.ask(to)
	if err == nil {
		err = f.carry(conn, ch, to)
	} else {
		reset(conn)
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
	return f.conn.Session.OpenWaiting(&protocol.Open{Service: service, Connect: to, In: group.ID()})
}
