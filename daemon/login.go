package daemon

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/access"
	"minissh/daemon/control"
	"minissh/daemon/logbook"
	"minissh/daemon/pam"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
	"minissh/protocol/transport"
)

// ServeConn takes one connection from its first byte to its end.
func (s *Server) ServeConn(raw net.Conn) {
	defer raw.Close()
	a := &arrival{s: s, raw: raw, addr: peerAddr(raw)}
	leave, ok := s.guard.Enter(raw, a.addr.Addr())
	if !ok {
		s.tally.Refused(slog.LevelWarn, "Connection refused", access.Source(a.addr.Addr()),
			logbook.From(a.addr),
			"Connection refused "+logbook.From(a.addr)+": too many unauthenticated connections")
		a.turnAway()
		return
	}
	if !s.stranger(raw) {
		leave()
		return
	}
	defer s.known(raw)
	defer leave()
	raw.SetDeadline(time.Now().Add(s.opts.LoginGrace))
	if s.passesOn(raw) {
		return
	}
	if err := a.secure(); err != nil {
		a.closed(err)
		return
	}
	session, hello, err := a.login()
	if errors.Is(err, control.ErrPaired) {
		return
	}
	if err != nil {
		a.refuse(err)
		return
	}
	leave()
	s.known(raw)
	a.conn.Authorized()
	raw.SetDeadline(time.Time{})
	a.stay(session, hello)
}

// arrival is a connection whose client is about to log in.
type arrival struct {
	s    *Server
	raw  net.Conn
	addr netip.AddrPort // zero on a Unix socket
	conn *transport.Conn
	key  ssh.PublicKey // nil on a Unix socket, whose uid counts
	who  *access.Client
	pam  *pam.Session // opened for a session that is not there yet; nil: there is none
}

// turnAway says "too many connections" (CA4) to a few at a time; the others are just closed.
func (a *arrival) turnAway() {
	if !a.addr.IsValid() {
		return
	}
	leave, ok := a.s.guard.EnterTurned(a.addr.Addr())
	if !ok {
		return
	}
	defer leave()
	a.raw.SetWriteDeadline(time.Now().Add(time.Second))
	if _, err := a.raw.Write(transport.Busy); err == nil {
		mux.Linger(a.raw)
	}
}

// secure finds out who is at the other end: by TLS, or from the kernel.
func (a *arrival) secure() (err error) {
	a.who = &access.Client{Addr: a.addr}
	if local, ok := a.s.guard.Local(a.raw); ok {
		a.who.UID, err = a.s.guard.UID(local)
		a.conn = transport.Plain(a.raw)
		return err
	}
	turn := a.s.handshakes.Of(access.Source(a.addr.Addr()))
	if a.conn, err = transport.Server(a.raw, a.s.identity.Load().tls, turn); err != nil {
		return err
	}
	if a.key, err = keys.FromCertificate(a.conn.Peer()); err != nil {
		a.conn.Close()
	}
	return err
}

// login reads HELLO, authorizes, and finds or makes the session. A *protocol.Violation is for the
// client.
func (a *arrival) login() (*mux.Session, *protocol.Hello, error) {
	f, err := protocol.NewReader(a.conn).Next()
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = protocol.Violate(protocol.CodeLoginTimeout, "no HELLO within %s",
				protocol.ExactlyInWords(a.s.opts.LoginGrace))
		}
		return nil, nil, err
	}
	if f.Type == protocol.TypePair {
		return nil, nil, a.s.desk.Pair(a.conn, a.key, a.addr, f)
	}
	if f.Type != protocol.TypeHello {
		return nil, nil, protocol.Violate(protocol.CodeUnexpectedFrame, "%v before HELLO", f.Type)
	}
	hello := new(protocol.Hello)
	if err := f.Decode(hello); err != nil {
		return nil, nil, err
	}
	if err := hello.Check(); err != nil {
		return nil, nil, err
	}
	a.who.User, a.who.Local = hello.User, a.conn.LocalAddr()
	if err := a.prove(hello); err != nil {
		return nil, nil, err
	}
	err = a.s.guard.Authorize(a.who, a.key, hello)
	if a.s.isStopping() {
		return nil, nil, protocol.Violate(protocol.CodeShuttingDown, stoppingWords)
	}
	known := err == nil
	var session *mux.Session
	if known {
		session, err = a.admit(hello)
	}
	if _, told := errors.AsType[logbook.Told](err); err != nil && !told {
		a.s.opts.Audit.Note("login refused", a.who.Audited(known), "error", err.Error())
	}
	if err != nil && !known {
		err = a.refused(hello, err)
	}
	return session, hello, err
}

// admit finds or makes the session of a client whose key is good.
func (a *arrival) admit(hello *protocol.Hello) (*mux.Session, error) {
	terms, err := a.s.terms(a.who) // it may take its time, so the table of sessions is not locked
	if err != nil {
		if session, _ := a.s.sessions.Find(a.who.Owner, hello); session != nil {
			session.Spare()
		}
		return nil, err
	}
	if err := a.askPAM(hello); err != nil {
		return nil, err
	}
	defer a.closePAM()
	session, err := a.attach(hello, terms)
	for err != nil && a.s.guard.GiveWay(a.who, err) {
		session, err = a.attach(hello, terms)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s with %s", err, logbook.Name(a.who.User), a.who.Key)
	}
	if err := a.resumes(session, terms); err != nil {
		return nil, err
	}
	a.s.guard.Accepted(a.who, hello.Software)
	return session, nil
}

// attach finds or makes the session.
func (a *arrival) attach(hello *protocol.Hello, terms *access.Terms) (*mux.Session, error) {
	return a.s.sessions.Attach(a.who.Owner, hello, func() (*mux.Session, error) {
		session, err := a.s.newSession(a.who, terms, a.pam)
		if err == nil {
			a.pam = nil
		}
		return session, err
	})
}

// refused is the answer to a login that was refused. If no address and no later time would change
// that, the session for which it came ends (RE3), but not if the file that listed its key is not
// there: it may be being replaced. Then the session waits, like that of a client that lives (RE4).
// Nobody else's login finds a session: a session is found by its key.
func (a *arrival) refused(hello *protocol.Hello, refusal error) error {
	revoked, ends := errors.AsType[access.Revoked](refusal)
	session, err := a.s.sessions.Find(a.who.Owner, hello)
	switch {
	case err != nil && ends:
		return logbook.Told{Err: err}
	case session == nil:
		return refusal
	case !ends, slices.Contains(revoked.Missing, control.VisitOf(session).First.Grant.File):
		session.Spare()
		return refusal
	}
	return a.end(session, "this key may no longer log in")
}

// resumes says whether a client may use a session: what its key allows now must be what it allowed
// when the session began (RE3).
func (a *arrival) resumes(session *mux.Session, now *access.Terms) error {
	first := control.VisitOf(session).First
	switch {
	case !first.Proof.Same(a.who.Proof):
		session.Spare()
		return protocol.Violate(protocol.CodeKeyNotAuthorized, "another key began this session")
	case first.Grant.Same(a.who.Grant):
		return a.settled(session, first, now)
	case a.s.guard.StillAllows(first):
		session.Spare()
		return protocol.Violate(protocol.CodeKeyNotAuthorized,
			"this key is listed with other options for your address than for the one where the "+
				"session began")
	}
	return a.end(session, "this key is listed with other options now")
}

// settled says whether a client may use a session from where it is now: what the settings say for
// that must be what they say for where the session began.
func (a *arrival) settled(session *mux.Session, first *access.Client, now *access.Terms) error {
	before, err := a.s.terms(first)
	switch {
	case err != nil:
		session.Spare()
		return err
	case before.Permits.Same(&now.Permits):
		return nil
	}
	session.Spare()
	return protocol.Violate(protocol.CodeKeyNotAuthorized,
		"other settings hold for your address than for the one where the session began")
}

// end ends a session whose key has changed, and returns what its client is told.
func (a *arrival) end(session *mux.Session, why string) error {
	a.s.tally.Noted("Session ended", a.who.User, a.addr,
		"Session ended for "+logbook.Name(a.who.User)+" "+logbook.From(a.addr)+": "+why,
		"key", a.who.Key)
	a.s.conns.Go(func() { // an old link may be there, and take some time to end
		session.Close(&protocol.Reason{Code: protocol.CodeEndedByAdmin, Message: why})
	})
	return logbook.Told{Err: protocol.Violate(protocol.CodeSessionEnded,
		"%s: the session has ended, and what ran in it is being stopped", why)}
}

// stay is the life of a client's link from its WELCOME on. The log says that the client has
// disconnected if its session is over then.
func (a *arrival) stay(session *mux.Session, hello *protocol.Hello) {
	link := newLink{a.conn, a, control.VisitOf(session)}
	err := session.Accept(link, hello, &protocol.Welcome{
		Uptime: a.s.uptime().Milliseconds(), User: a.who.Account.Name,
		Home: protocol.Bytes(a.who.Account.Home), Software: a.s.opts.Software,
		Generation: a.s.generation(), Banner: a.banner(hello),
	})
	v, ok := errors.AsType[*protocol.Violation](err)
	if ok && (v.Code == protocol.CodeStaleEpoch || v.Code == protocol.CodeSessionEnded ||
		v.Code == protocol.CodeSessionExpired) {
		a.refuse(err)
		return
	}
	if session.Err() == nil {
		return // another link may take it up again, or has done so
	}
	awaitEnd(session)
	reason := "goodbye"
	if err != nil {
		reason = err.Error()
	}
	a.who.Session = control.VisitOf(session).Number()
	a.s.opts.Audit.Note("session ended", a.who.Audited(true), "reason", reason)
	a.s.tally.Noted("Disconnected", a.who.User, a.addr, "Disconnected "+logbook.From(a.addr),
		"user", a.who.User, "reason", reason)
}

// awaitEnd waits a moment for what was done in a session that has ended, so that the log reports
// the connection's end after the ends of its commands, and never before their beginnings. What
// takes longer to end is reported when it does.
func awaitEnd(session *mux.Session) {
	over := make(chan struct{})
	go func() { session.Wait(); close(over) }()
	moment := time.NewTimer(time.Second)
	defer moment.Stop()
	select {
	case <-over:
	case <-moment.C:
	}
}

// refuse tells the client why it may not log in, and waits a moment so that it can read that.
func (a *arrival) refuse(err error) {
	a.closed(err)
	v, ok := errors.AsType[*protocol.Violation](err)
	if !ok {
		return
	}
	frame, err := protocol.AppendMessage(nil, protocol.TypeError, 0, v.Reason())
	if err != nil {
		return
	}
	a.conn.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := a.conn.Write(frame); err == nil {
		mux.Linger(a.conn)
	}
}

// closed logs that a connection ended before its client logged in, unless the log says so already:
// one line is enough for each.
func (a *arrival) closed(err error) {
	if _, told := errors.AsType[logbook.Told](err); !told {
		from := logbook.From(a.addr)
		a.s.tally.Refused(slog.LevelInfo, "Connection closed [preauth]",
			access.Source(a.addr.Addr()), from,
			"Connection closed "+from+" [preauth]", "error", err.Error())
	}
}
