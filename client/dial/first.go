package dial

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/transport"
)

// How often and for how long the first link is tried for again, if it is lost before the daemon has
// answered.
const (
	firstTries = 6
	firstTime  = 10 * time.Second
)

// firstLink puts a new session on its first link and returns the daemon's answer. If the link is
// lost before that, nobody knows whether the daemon has begun what was asked for. So the same
// session asks again over other links (RE5): another session could begin it twice. The error is
// that of the first link, unless the daemon has answered later.
func (d *Dialer) firstLink(ctx context.Context, session *mux.Session, conn *transport.Conn,
	hello protocol.Hello, more again) (*protocol.Welcome, error) {
	welcome, lost := greet(ctx, session, conn, hello, more.sign)
	if lost == nil || d.hold() == 0 || !mayAskAgain(session, lost) {
		return welcome, lost
	}
	limited, cancel := context.WithTimeout(ctx, firstTime)
	defer cancel()
	for try := range firstTries {
		d.Messages.Debug("the link was lost before the daemon answered: %v", lost)
		select {
		case <-time.After(waitBefore(try)):
		case <-limited.Done():
		}
		if limited.Err() != nil {
			return nil, cmp.Or(ctx.Err(), lost)
		}
		tcp, cancel := context.WithTimeout(limited, time.Second)
		conn, err := more.connect(limited, tcp, "")
		cancel()
		if err != nil {
			continue
		}
		welcome, err := greet(limited, session, conn, hello, more.sign)
		said, refused := errors.AsType[*protocol.RemoteError](err)
		switch {
		case err == nil:
			return welcome, nil
		case refused && (said.Code == protocol.CodeKeyNotAuthorized || ofOldSession(said.Code)):
			return nil, lost // the first link may have begun it: no other key begins it again
		case !mayAskAgain(session, err):
			return nil, err
		}
	}
	return nil, lost
}

// greet says HELLO on a connection, for which it has as long as ctx. sign, which may be nil, signs
// it, and may take longer.
func greet(ctx context.Context, session *mux.Session, conn *transport.Conn, hello protocol.Hello,
	sign signLogin) (welcome *protocol.Welcome, err error) {
	if sign != nil {
		if hello.Auth, err = sign(conn); err != nil {
			conn.Close()
			return nil, err
		}
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	welcome, err = session.Connect(conn, &hello)
	if !stop() && ctx.Err() != nil {
		err = ctx.Err()
	}
	return welcome, err
}

// mayAskAgain says whether a link was lost on the way: nobody has refused anything, and the session
// lives.
func mayAskAgain(session *mux.Session, err error) bool {
	var said *protocol.RemoteError
	var record tls.RecordHeaderError
	var op *net.OpError
	switch {
	case session.Err() != nil, errors.As(err, new(*unsigned)), errors.As(err, &said),
		errors.As(err, &record),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	case errors.As(err, &op):
		return op.Op != "remote error" && op.Op != "local error" // alerts of TLS
	}
	return true
}

// ofOldSession says whether a code is about a session that the daemon has had.
func ofOldSession(code protocol.Code) bool {
	return code == protocol.CodeSessionExpired || code == protocol.CodeSessionEnded ||
		code == protocol.CodeStaleEpoch
}
