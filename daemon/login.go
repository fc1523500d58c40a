package daemon

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
	"minissh/protocol/transport"
)

// Access decides who may come in.
type Access interface {
	// Authorize finds what a key may do for a user from an address (zero: a Unix socket). The error is for the log only: the client is told nothing (ID6).
	Authorize(user string, key ssh.PublicKey, from netip.Addr) (*Grant, error)
	// WouldDo picks one of the fingerprints that Authorize would accept, "" if none.
	WouldDo(user string, fingerprints []string, from netip.Addr) string
	// AnyoneCould says whether at least one key could log in.
	AnyoneCould() bool
}

// Grant is what an authorized client may do.
type Grant struct {
	Account     *process.Account // whom everything is done as; nil: the daemon's own account
	Forced      bool             // a command stands in authorized_keys: it runs whatever is asked (EX9)
	Command     string           // that command
	Environment []string         // "NAME=value" pairs from authorized_keys
	Where       string           // "file:line" of the key, for the log
	Folder      *Folder          // what it may use of the service files; nil: all that its account may
	allows      func(service string) error
	restricted  string // equal for grants with the same restrictions
}

// Allows says whether the service is open to this key; the error is for people.
func (g *Grant) Allows(service string) error {
	if g.allows == nil {
		return nil
	}
	return g.allows(service)
}

// peer is an authorized client on one link.
type peer struct {
	user    string
	uid     uint32          // on a Unix socket
	account process.Account // whom everything is done as
	addr    netip.AddrPort  // zero on a Unix socket
	local   net.Addr
	grant   *Grant
	key     string // in words, for people
	// accepted logs in sshd's words that the client has come in, once there is room for its session: one who is refused for want of it has one line, which says so.
	accepted func()
	visit    *visit // of the session that this link began; nil if it took one up again
}

// admitted notes what the client may do, and as whom.
func (p *peer) admitted(grant *Grant, own process.Account) {
	p.grant, p.account = grant, own
	if grant.Account != nil {
		p.account = *grant.Account
	}
}

// from is sshd's "from ADDRESS port N", which programs look for in logs.
func from(addr netip.AddrPort) string {
	if !addr.IsValid() {
		return "from unix socket"
	}
	return fmt.Sprintf("from %s port %d", addr.Addr().WithZone(""), addr.Port())
}

// ServeConn takes one connection from its first byte to its end.
func (s *Server) ServeConn(raw net.Conn) {
	defer raw.Close()
	addr := peerAddr(raw)
	leave, ok := s.gate.enter(s.originOf(raw, addr.Addr()))
	if !ok {
		s.tally.refused(slog.LevelWarn, "Connection refused", source(addr.Addr()), from(addr), "Connection refused "+from(addr)+": too many unauthenticated connections")
		s.turnAway(raw, addr)
		return
	}
	defer leave()
	if !s.stranger(raw) {
		return
	}
	defer s.known(raw)
	raw.SetDeadline(time.Now().Add(s.opts.LoginGrace))
	conn, key, uid, err := s.secure(raw)
	if err != nil {
		s.closed(addr, err)
		return
	}
	session, hello, who, err := s.login(conn, key, uid, addr)
	if errors.Is(err, errPaired) {
		return
	}
	if err != nil {
		s.refuse(conn, addr, err)
		return
	}
	leave()
	s.known(raw)
	conn.Authorized()
	raw.SetDeadline(time.Time{})
	welcome := &protocol.Welcome{
		Uptime: time.Since(s.started).Milliseconds(), User: who.account.Name, Home: protocol.Bytes(who.account.Home), Software: s.opts.Software,
	}
	stopWatch := s.expireIdle(session, who)
	err = session.Accept(conn, hello, welcome)
	stopWatch()
	var v *protocol.Violation
	if errors.As(err, &v) && (v.Code == protocol.CodeStaleEpoch || v.Code == protocol.CodeSessionEnded || v.Code == protocol.CodeSessionExpired) {
		s.refuse(conn, addr, err)
		return
	}
	awaitEnd(session)
	s.tally.noted("Disconnected", who, "Disconnected "+from(who.addr), "user", who.user, "reason", reasonText(err))
}

// awaitEnd waits a moment for what was done in a session that has ended, so that the log tells of the connection's end behind the ends of its commands, and never
// ahead of their beginnings. What takes longer to end is told when it does.
func awaitEnd(session *mux.Session) {
	if session.Err() == nil {
		return // another link may take it up again
	}
	over := make(chan struct{})
	go func() { session.Wait(); close(over) }()
	moment := time.NewTimer(time.Second)
	defer moment.Stop()
	select {
	case <-over:
	case <-moment.C:
	}
}

func reasonText(err error) string {
	if err == nil {
		return "goodbye"
	}
	return err.Error()
}

// turnAway says "too many connections" (CA4) to a few at a time; the others are just closed.
func (s *Server) turnAway(raw net.Conn, addr netip.AddrPort) {
	if !addr.IsValid() {
		return
	}
	leave, ok := s.refusals.enter(origin{network: source(addr.Addr())})
	if !ok {
		return
	}
	defer leave()
	raw.SetWriteDeadline(time.Now().Add(time.Second))
	if _, err := raw.Write(transport.Busy); err == nil {
		mux.Linger(raw)
	}
}

// secure learns who is at the other end: by TLS, or from the kernel. The key is nil on a Unix socket, whose uid counts instead.
func (s *Server) secure(raw net.Conn) (*transport.Conn, ssh.PublicKey, uint32, error) {
	if local, ok := s.localConn(raw); ok {
		uid, err := s.localUID(local)
		if err != nil {
			return nil, nil, 0, err
		}
		return transport.Plain(raw), nil, uid, nil
	}
	conn, err := transport.Server(raw, s.shown().tls, s.handshakes)
	if err != nil {
		return nil, nil, 0, err
	}
	key, err := keys.FromCertificate(conn.Peer())
	if err != nil {
		conn.Close()
		return nil, nil, 0, err
	}
	return conn, key, 0, nil
}

// login reads HELLO, authorizes, and finds or makes the session. The error is a *protocol.Violation if the client is to be told.
func (s *Server) login(conn *transport.Conn, key ssh.PublicKey, uid uint32, addr netip.AddrPort) (*mux.Session, *protocol.Hello, *peer, error) {
	f, err := protocol.NewReader(conn).Next()
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = protocol.Violate(protocol.CodeLoginTimeout, "no HELLO within %v", s.opts.LoginGrace)
		}
		return nil, nil, nil, err
	}
	if f.Type == protocol.TypePair {
		return nil, nil, nil, s.pair(conn, key, addr, f)
	}
	if f.Type != protocol.TypeHello {
		return nil, nil, nil, protocol.Violate(protocol.CodeUnexpectedFrame, "%v before HELLO", f.Type)
	}
	hello := new(protocol.Hello)
	if err := f.Decode(hello); err != nil {
		return nil, nil, nil, err
	}
	if err := hello.Check(); err != nil {
		return nil, nil, nil, err
	}
	who := &peer{user: hello.User, uid: uid, addr: addr, local: conn.LocalAddr()}
	owner, err := s.authorize(who, key, hello)
	if err != nil {
		return nil, nil, nil, err
	}
	select {
	case <-s.stopping:
		return nil, nil, nil, protocol.Violate(protocol.CodeShuttingDown, "minisshd is being stopped")
	default:
	}
	who.key = fmt.Sprintf("uid %d", uid)
	if key != nil {
		who.key = keys.TypeName(key) + " " + keys.Fingerprint(key)
	}
	session, err := s.sessions.Attach(owner, hello, func() (*mux.Session, error) {
		mine, err := s.shares.enterSession(s.sharerOf(who, key))
		if err != nil {
			return nil, err
		}
		who.visit = s.newVisit(who, mine)
		return mux.New(mux.Config{
			Role: mux.Daemon, Channels: s.opts.MaxChannels, Budget: mine.windows, Label: who.visit,
			Accept: func(ch *mux.Channel) { s.serve(ch, who) }, Gone: mine.leaveSession,
		}), nil
	})
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%w: %s with %s", err, logName(who.user), who.key)
	}
	who.accepted()
	visitOf(session).arrives(who)
	return session, hello, who, nil
}

// authorize decides whether the client may come in, logs it in sshd's words, and names the owner of its sessions.
func (s *Server) authorize(who *peer, key ssh.PublicKey, hello *protocol.Hello) (owner string, err error) {
	if key == nil {
		return s.authorizeUID(who, hello)
	}
	began := time.Now()
	user, fingerprint := logName(hello.User), keys.Fingerprint(key)
	if v := s.penalized(who.addr.Addr(), fingerprint); v != nil {
		return "", v
	}
	what := keys.TypeName(key) + " " + fingerprint
	waited, err := s.shares.enterLogin(hello.User)
	if err != nil {
		return "", err
	}
	defer waited()
	grant, err := s.opts.Access.Authorize(hello.User, key, who.addr.Addr())
	if err != nil {
		if _, all := s.opts.Access.(byUID); !all && hello.User != s.opts.Account.Name {
			err = invalidUser{err}
		}
		refusal := protocol.Violate(protocol.CodeKeyNotAuthorized, "this key may not log in as this user")
		refusal.Key = s.opts.Access.WouldDo(hello.User, hello.Keys, who.addr.Addr())
		s.failed(who, "Failed publickey for "+invalid(err, user)+" "+from(who.addr)+": "+what, err, refusal.Key)
		if waited(); refusal.Key == "" {
			s.takeTime(began)
		}
		return "", alreadyLogged{refusal}
	}
	s.penalties.loggedIn(who.addr.Addr(), fingerprint)
	who.admitted(grant, s.opts.Account)
	who.accepted = func() {
		s.tally.noted("Accepted publickey", who, "Accepted publickey for "+user+" "+from(who.addr)+": "+what, "listed", grant.Where, "software", hello.Software)
	}
	owner = fingerprint + " " + grant.restricted // a session belongs to a key with its restrictions (RE3)
	if grant.Forced {
		owner += " " + grant.Command
	}
	return owner, nil
}

// invalid marks a user that is not served, as sshd does.
func invalid(err error, user string) string {
	var not invalidUser
	if errors.As(err, &not) {
		return "invalid user " + user
	}
	return user
}

// takeTime lets a refusal be told after RefusalTime, or twice, four times, … that much: what an unknown user, an unknown key or an account that may not
// log in took to find out shows in no clock.
func (s *Server) takeTime(began time.Time) {
	wait := s.opts.RefusalTime
	if wait <= 0 {
		return
	}
	spent := time.Since(began)
	for wait < spent {
		wait *= 2
	}
	timer := time.NewTimer(wait - spent)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.stopping:
	}
}

// logName quotes a user name that is not plainly one, so that nobody forges a "from ADDRESS" (RULES A13). Blanks are escaped too: what reads logs for
// sshd's phrases may look for the first "from" after the user.
func logName(user string) string {
	for i, c := range []byte(user) {
		letter := c >= 'a' && c <= 'z' || c == '_'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '-') {
			return quotedName(user)
		}
	}
	if user == "" || len(user) > 64 {
		return quotedName(user)
	}
	return user
}

func quotedName(user string) string {
	return strings.ReplaceAll(strconv.QuoteToASCII(clip(user, 64)), " ", `\x20`)
}

func clip(s string, most int) string {
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// refuse tells the client why it may not come in, if it can be told, and waits a moment so that it can read that.
func (s *Server) refuse(conn *transport.Conn, addr netip.AddrPort, err error) {
	s.closed(addr, err)
	var v *protocol.Violation
	if !errors.As(err, &v) {
		return
	}
	frame, err := protocol.AppendMessage(nil, protocol.TypeError, 0, v.Reason())
	if err != nil {
		return
	}
	conn.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := conn.Write(frame); err == nil {
		mux.Linger(conn)
	}
}
