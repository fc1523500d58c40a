package access

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

	"minissh/daemon/logbook"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/transport"
)

// Guard admits clients or refuses them, and logs it in sshd's words. It asks its Access, and knows
// which sources fail and which users have enough.
type Guard struct {
	rules     Rules
	byUID     ByUID // nil: the daemon serves its own account alone
	tally     *logbook.Tally
	stopping  <-chan struct{} // closed when nobody waits any more
	penalties *penalties
	strangers *gate
	turned    *gate // connections that are being told that there are too many
	shares    *shares
}

// NewGuard makes a guard. stopping is closed when the daemon is stopped.
func NewGuard(rules Rules, tally *logbook.Tally, stopping <-chan struct{}) *Guard {
	rules.Defaults()
	g := &Guard{
		rules: rules, tally: tally, stopping: stopping,
		penalties: newPenalties(rules.PenaltyExempt, rules.Now),
		strangers: newGate(rules.MaxStartups, rules.MaxPerSource, max(rules.Shares.Reserve, 0)),
		turned:    newGate(32, 8, 0), shares: newShares(&rules),
	}
	g.byUID, _ = rules.Access.(ByUID)
	return g
}

// Enter takes a place among the connections whose client is not known yet, or says that all are
// taken. leave may be called more than once.
func (g *Guard) Enter(raw net.Conn, addr netip.Addr) (leave func(), ok bool) {
	return g.strangers.enter(g.originOf(raw, addr))
}

// EnterTurned takes a place among those that are told that there are too many.
func (g *Guard) EnterTurned(addr netip.Addr) (leave func(), ok bool) {
	return g.turned.enter(origin{network: Source(addr)})
}

// Local is a connection whose client the kernel names.
func (g *Guard) Local(raw net.Conn) (*net.UnixConn, bool) {
	local, ok := raw.(*net.UnixConn)
	return local, ok && raw.LocalAddr().Network() == "unix" && !g.rules.TLSOnUnix
}

// originOf is where a connection comes from, before anything is read from it.
func (g *Guard) originOf(raw net.Conn, addr netip.Addr) origin {
	local, ok := g.Local(raw)
	if !ok {
		return origin{network: Source(addr)}
	}
	uid, err := transport.PeerUID(local)
	if err != nil {
		uid = OverflowUID()
	}
	return origin{uid: uid, first: owns(uid)}
}

// owns says whether a uid is root or the daemon's own.
func owns(uid uint32) bool { return uid == 0 || uid == uint32(os.Geteuid()) }

// OverflowUID is the uid of users without a number here: from another user namespace, or a file
// server. It identifies nobody (RULES A8).
func OverflowUID() uint32 {
	text, err := os.ReadFile("/proc/sys/kernel/overflowuid")
	if err == nil {
		if uid, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32); err == nil {
			return uint32(uid)
		}
	}
	return 65534
}

// UID asks the kernel who is at the other end of a Unix socket; the error says who may not be.
func (g *Guard) UID(conn *net.UnixConn) (uint32, error) {
	uid, err := transport.PeerUID(conn)
	if err != nil {
		return 0, err
	}
	if uid == OverflowUID() || g.byUID == nil && uid != uint32(os.Getuid()) && uid != 0 {
		return 0, fmt.Errorf("uid %d may not use this socket", uid)
	}
	return uid, nil
}

// Authorize decides whether a client may log in with who's Proof (without a key: with the uid of a
// Unix socket), and logs why not. link is the key that it shows in TLS. It sets who's Key and
// Owner, Account and Grant. An error for the client is a
// *protocol.Violation, and Revoked if the Access says so. When the daemon is being stopped,
// the error is another one, and nothing is logged.
func (g *Guard) Authorize(who *Client, link ssh.PublicKey, hello *protocol.Hello) error {
	if link == nil {
		who.Key = fmt.Sprintf("uid %d", who.UID)
		who.Owner = who.Key
		return g.authorizeUID(who)
	}
	began := time.Now()
	fingerprint := keys.Fingerprint(who.Proof.Key)
	who.Key, who.Owner = nameOf(who.Proof.Key), keys.Fingerprint(link)
	if err := g.punished(who, fingerprint); err != nil {
		return err
	}
	waited, err := g.shares.enterLogin(who.User)
	if err != nil {
		return err
	}
	defer waited()
	who.waited = waited
	defer func() { who.waited = nil }()
	grant, err := g.rules.Access.Authorize(who)
	select {
	case <-g.stopping: // perhaps the key was not judged
		return errStopping
	default:
	}
	if err != nil {
		refusal := protocol.Violate(protocol.CodeKeyNotAuthorized, protocol.OnlyThisKey)
		refusal.Key = g.rules.Access.WouldDo(who, hello.Keys)
		g.failed(who, err, refusal.Key)
		if waited(); refusal.Key == "" {
			g.takeTime(began)
		}
		return forClient(refusal, err)
	}
	g.penalties.loggedIn(who.Addr.Addr(), fingerprint)
	g.grant(who, grant)
	return nil
}

// nameOf is a key for logs and shares.
func nameOf(key ssh.PublicKey) string { return keys.TypeName(key) + " " + keys.Fingerprint(key) }

// punished is the answer to a client whose source is kept out; nil: it is heard.
func (g *Guard) punished(who *Client, fingerprint string) error {
	wait := g.penalties.refuses(who.Addr.Addr(), fingerprint)
	if wait <= 0 {
		return nil
	}
	unit := time.Second
	if wait >= 2*time.Minute {
		unit = time.Minute
	}
	return protocol.Violate(protocol.CodeTooManyFailures,
		"too many logins from your address have failed; try again in %s",
		protocol.ExactlyInWords(wait.Truncate(unit)+unit))
}

// Forged refuses a login whose signature is not the key's (LO4): it counts as a failure, of an
// address whose keys are not known.
func (g *Guard) Forged(who *Client, key ssh.PublicKey, why error) error {
	began := time.Now()
	who.Key = nameOf(key)
	if err := g.punished(who, ""); err != nil {
		return err
	}
	g.failed(who, why, "")
	g.takeTime(began)
	return logbook.Told{Err: protocol.Violate(protocol.CodeKeyNotAuthorized,
		protocol.OnlyThisKey)}
}

var errStopping = errors.New("the daemon is being stopped")

// forClient is what a client is told of an error that the log has told of.
func forClient(refusal *protocol.Violation, err error) error {
	if revoked, ok := errors.AsType[Revoked](err); ok {
		return logbook.Told{Err: Revoked{refusal, revoked.Missing}}
	}
	return logbook.Told{Err: refusal}
}

// StillAllows says whether a client could log in now as it did: with the same key as the same user
// from the same address, and may do the same.
func (g *Guard) StillAllows(who *Client) bool {
	if who.Proof.Key == nil {
		now := *who
		return g.findUID(&now) == nil && now.Grant.Same(who.Grant)
	}
	grant, err := g.rules.Access.Authorize(who)
	return err == nil && grant.Same(who.Grant)
}

// grant notes what a client may do, and as whom.
func (g *Guard) grant(who *Client, grant *Grant) {
	who.Grant, who.Account = grant, g.rules.Account
	if grant.Account != nil {
		who.Account = *grant.Account
	}
}

// authorizeUID decides who may log in through a Unix socket: the kernel's uid is the identity, and
// the name in HELLO only chooses among what it may be.
func (g *Guard) authorizeUID(who *Client) error {
	if err := g.findUID(who); err != nil {
		g.rules.Audit.Note("login refused", who.Audited(false), "error", err.Error())
		g.tally.Refused(slog.LevelWarn, "Failed uid", who.UID, who.Key,
			"Failed uid for "+named(err, who)+" "+logbook.From(who.Addr)+": "+who.Key, "error",
			err.Error())
		return forClient(protocol.Violate(protocol.CodeKeyNotAuthorized, "not allowed"), err)
	}
	return nil
}

// findUID is authorizeUID without a word.
func (g *Guard) findUID(who *Client) error {
	grant, err := &Grant{Where: "unix socket"}, error(nil)
	switch {
	case g.byUID != nil:
		grant, err = g.byUID.AuthorizeUID(who)
	case who.User != g.rules.Account.Name:
		err = errUnknownUser
	}
	if err == nil {
		g.grant(who, grant)
	}
	return err
}

// Accepted logs in sshd's words that a client has logged in, once there is room for its session: a
// client that is refused for want of room has only the line that says so.
func (g *Guard) Accepted(who *Client, software string) {
	kind, args := "Accepted uid", []any(nil)
	if who.Proof.Key != nil {
		kind, args = "Accepted publickey", []any{"listed", who.Grant.Where, "software", software}
		if who.Proof.Cert != nil {
			args = append(args, "certificate", keys.DescribeCertificate(who.Proof.Cert))
		}
	}
	g.rules.Audit.Note("login", who.Audited(true), append(args, "how", kind)...)
	g.tally.Noted(kind, who.User, who.Addr,
		kind+" for "+logbook.Name(who.User)+" "+logbook.From(who.Addr)+": "+who.Key, args...)
}

// failed notes a failed login, and logs one line about it: with another of the client's keys that
// would be accepted, and with the penalty for its address, if there is one.
func (g *Guard) failed(who *Client, err error, other string) {
	if g.byUID == nil && who.User != g.rules.Account.Name {
		err = invalidUser{err}
	}
	args := []any{"error", err.Error()}
	if other != "" {
		args = append(args, "another_key", other)
	}
	if who.Proof.Cert != nil {
		args = append(args, "certificate", keys.DescribeCertificate(who.Proof.Cert))
	}
	if next := g.penalties.failed(who.Addr.Addr(), other != ""); next > 0 {
		args = append(args, "penalty_seconds", int(next/time.Second))
	}
	g.rules.Audit.Note("login refused", who.Audited(false), args...)
	g.tally.Refused(slog.LevelWarn, "Failed publickey", Source(who.Addr.Addr()),
		logbook.From(who.Addr),
		"Failed publickey for "+named(err, who)+" "+logbook.From(who.Addr)+": "+who.Key, args...)
}

// named is the user in a refusal's line, marked as sshd does if it is not served.
func named(err error, who *Client) string {
	if _, not := errors.AsType[invalidUser](err); not {
		return "invalid user " + logbook.Name(who.User)
	}
	return logbook.Name(who.User)
}

// takeTime delays a refusal to RefusalTime, or twice, four times, … as long, so that no clock shows
// how long it took to look up a user, a key or an account.
func (g *Guard) takeTime(began time.Time) {
	wait := g.rules.RefusalTime
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
	case <-g.stopping:
	}
}

// EnterSession takes a place for a client's session. The error is a *protocol.Violation; GiveWay
// may be able to make room.
func (g *Guard) EnterSession(who *Client, most Most) (*Place, error) {
	return g.shares.enterSession(g.sharerOf(who), who.Key, most)
}

// sharerOf says against whose share an authorized client's sessions count.
func (g *Guard) sharerOf(who *Client) sharer {
	switch {
	case who.Proof.Key == nil:
		return sharer{id: who.Key, words: who.Key, first: owns(who.UID)}
	case g.byUID != nil:
		id := fmt.Sprintf("uid %d", who.Account.UID)
		return sharer{id: id, words: logbook.Name(who.Account.Name), first: who.Account.UID == 0}
	}
	return sharer{id: who.Key, words: "this key"}
}
