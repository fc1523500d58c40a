package daemon

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"

	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/transport"
)

// byUID is an Access that knows accounts by the uid at the other end of a Unix socket. An Access that does not is asked nothing there: the daemon's own account and
// root may come in, as that account.
type byUID interface {
	AuthorizeUID(user string, uid uint32) (*Grant, error)
}

// overflowUID stands for users that have no number here: those of another user namespace, or of a file server. It is nobody's identity (RULES A8).
func overflowUID() uint32 {
	text, err := os.ReadFile("/proc/sys/kernel/overflowuid")
	if err == nil {
		if uid, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32); err == nil {
			return uint32(uid)
		}
	}
	return 65534
}

// localConn is a connection whose client the kernel names.
func (s *Server) localConn(raw net.Conn) (*net.UnixConn, bool) {
	local, ok := raw.(*net.UnixConn)
	return local, ok && raw.LocalAddr().Network() == "unix" && !s.opts.TLSOnUnix
}

// originOf is where a connection comes from, before anything is read from it.
func (s *Server) originOf(raw net.Conn, addr netip.Addr) origin {
	local, ok := s.localConn(raw)
	if !ok {
		return origin{network: source(addr)}
	}
	uid, err := transport.PeerUID(local)
	if err != nil {
		uid = overflowUID()
	}
	return origin{uid: uid, first: s.owns(uid)}
}

// owns says whether a uid is root or the daemon's own.
func (s *Server) owns(uid uint32) bool { return uid == 0 || uid == uint32(os.Geteuid()) }

// sharerOf says whose share an authorized client's sessions count against.
func (s *Server) sharerOf(who *peer, key ssh.PublicKey) sharer {
	if key == nil {
		return sharer{id: fmt.Sprintf("uid %d", who.uid), words: fmt.Sprintf("uid %d", who.uid), first: s.owns(who.uid)}
	}
	if _, all := s.opts.Access.(byUID); all {
		return sharer{id: fmt.Sprintf("uid %d", who.account.UID), words: logName(who.account.Name), first: who.account.UID == 0}
	}
	return sharer{id: keys.Fingerprint(key), words: "this key"}
}

// localUID asks the kernel who is at the other end of a Unix socket, and says whether that uid has any business here.
func (s *Server) localUID(conn *net.UnixConn) (uint32, error) {
	uid, err := transport.PeerUID(conn)
	if err != nil {
		return 0, err
	}
	_, all := s.opts.Access.(byUID)
	if uid == overflowUID() || !all && uid != uint32(os.Getuid()) && uid != 0 {
		return 0, fmt.Errorf("uid %d may not use this socket", uid)
	}
	return uid, nil
}

// authorizeUID decides who comes in through a Unix socket: the kernel's uid is the identity, and the name in HELLO only picks among what it may be.
func (s *Server) authorizeUID(who *peer, hello *protocol.Hello) (owner string, err error) {
	user, what := logName(hello.User), fmt.Sprintf("uid %d", who.uid)
	var grant *Grant
	access, all := s.opts.Access.(byUID)
	switch {
	case all:
		grant, err = access.AuthorizeUID(hello.User, who.uid)
	case hello.User == s.opts.Account.Name:
		grant = &Grant{Where: "unix socket"}
	default:
		err = errUnknownUser
	}
	if err != nil {
		s.tally.refused(slog.LevelWarn, "Failed uid", who.uid, what, "Failed uid for "+invalid(err, user)+" "+from(who.addr)+": "+what, "error", err.Error())
		return "", alreadyLogged{protocol.Violate(protocol.CodeKeyNotAuthorized, "not allowed")}
	}
	who.admitted(grant, s.opts.Account)
	who.accepted = func() { s.tally.noted("Accepted uid", who, "Accepted uid for "+user+" "+from(who.addr)+": "+what) }
	return what, nil
}
