package access

import (
	"context"
	"net"
	"net/netip"
	"slices"

	"minissh/daemon/audit"
	"minissh/daemon/authorized"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/keys"
)

// Access decides who may log in.
type Access interface {
	// Authorize finds what a client's key (Proof) may do for its User, from where it is. The error
	// is for the log only: the client learns nothing (ID6). It is Revoked if no address and no
	// later time would make it another.
	Authorize(who *Client) (*Grant, error)
	// WouldDo picks one of the fingerprints that Authorize would accept, "" if none.
	WouldDo(who *Client, fingerprints []string) string
	// AnyoneCould says whether at least one key could log in.
	AnyoneCould() bool
}

// Further abilities of an Access. A daemon looks for each of them by its name.
type (
	// ByUID knows accounts by the uid at the other end of a Unix socket. Without it, the daemon's
	// own account and root may log in there, as that account.
	ByUID interface {
		AuthorizeUID(who *Client) (*Grant, error)
	}
	// Pairable reads the file of paired keys.
	Pairable interface {
		// PairedAccount is the file for a user's paired keys; the error is for the administrator.
		PairedAccount(user string) (process.Account, error)
		// Paired notes that a user has a new key.
		Paired(user string)
	}
	// Reloader forgets what it remembers about files, so that all is judged and reported anew.
	Reloader interface{ Reload() }
	// Changer goes on with other settings, for the logins to come.
	Changer interface{ Change(*Book) }
	// Settled can say which terms hold now for a client that it has let in. Without it those of the
	// daemon's options do. The error says that nobody can tell.
	Settled interface {
		Terms(who *Client) (*Terms, error)
	}
	// Reporter can say who could log in, and who could not, and why.
	Reporter interface {
		Report(context.Context) ([]AccountReport, error)
		// ReportFor is about one user's account, as logins from that client's place would meet it.
		ReportFor(context.Context, *Client) (AccountReport, error)
		// MayLogIn says whether the key whose Fingerprint the client has would be let in. The error
		// says that nobody can tell.
		MayLogIn(*Client) (bool, error)
	}
	// Warmer can make the first login as quick as later ones.
	Warmer interface{ Warm() }
	// Closer keeps something running, until it is closed: then nobody may log in any more. Close
	// may be called again.
	Closer interface{ Close() error }
)

// Revoked is why a login fails from everywhere, until somebody changes what is listed: a session
// that was begun so has ended then (RE3). Other reasons may pass by themselves.
type Revoked struct {
	Err error
	// Missing are files that could list the key and are not there: for a key that was listed in one
	// of them, the reason may pass, since the file may be being replaced.
	Missing []string
}

func (e Revoked) Error() string { return e.Err.Error() }
func (e Revoked) Unwrap() error { return e.Err }

// Grant is what an authorized client may do.
type Grant struct {
	Account *process.Account // everything is done as it; nil: the daemon's own account
	// authorized_keys has a command: it runs whatever is asked for (EX9)
	Forced      bool
	Command     string   // that command
	Environment []string // "NAME=value" pairs from authorized_keys
	Where       string   // "file:line" of the key, for the log
	File        string   // that lists the key; "": none does
	// what it may use of the service files; nil: all that its account may
	Folder     *Folder
	allows     func(authorized.Service) error
	mayOpen    func(host string, port int) error
	mayListen  func(host string, port int, socket bool) error
	restricted string // equal for grants with the same restrictions
	groups     *groupNames
	// of the key's line; nil: there is none
	line *authorized.Restrictions
	// of the channel that it is about; nil: nothing more is closed than by the key
	permits *Permits
}

// Same says whether two grants allow the same, as the same account: which line of which file lists
// the key, and from where it may come, does not count.
func (g *Grant) Same(other *Grant) bool {
	if (g.Account == nil) != (other.Account == nil) || g.Account != nil &&
		(g.Account.UID != other.Account.UID || g.Account.Name != other.Account.Name) {
		return false
	}
	return g.Forced == other.Forced && g.Command == other.Command &&
		g.restricted == other.restricted && slices.Equal(g.Environment, other.Environment)
}

// Allows says whether the service is open to this key; the error is for people.
func (g *Grant) Allows(service authorized.Service) error {
	if g.allows != nil {
		if err := g.allows(service); err != nil {
			return err
		}
	}
	return g.settingsAllow(service)
}

// MayConnect says whether this key may have a connection to a target (FO6); the error is for
// people.
func (g *Grant) MayConnect(target *protocol.Target) error {
	if g.mayOpen != nil {
		if err := g.mayOpen(target.Host, target.Port); err != nil {
			return err
		}
	}
	return g.settingsConnect(target)
}

// MayListen says whether this key may have something listened on (FO7); the error is for people.
func (g *Grant) MayListen(on *protocol.Target) error {
	if g.mayListen != nil {
		if err := g.mayListen(on.Host, on.Port, len(on.Path) > 0); err != nil {
			return err
		}
	}
	return g.settingsListen(on)
}

// Folder is what a key may use of the service files, and of this machine (FI12).
type Folder struct {
	Path string // absolute
	Mode string // authorized.FilesRead, FilesWrite or "": both
}

// Allows says whether a transfer in a direction (protocol.FilesGet, FilesPut) is allowed.
func (f *Folder) Allows(mode string) bool {
	switch f.Mode {
	case authorized.FilesRead:
		return mode == protocol.FilesGet
	case authorized.FilesWrite:
		return mode == protocol.FilesPut
	}
	return true
}

// Client is an authorized client on one link.
type Client struct {
	User    string          // as it calls itself
	UID     uint32          // on a Unix socket
	Key     string          // "ED25519 SHA256:…", or "uid N"
	Account process.Account // everything is done as it
	Addr    netip.AddrPort  // zero on a Unix socket
	Local   net.Addr
	Grant   *Grant
	// Proof is the key that logs in, by TLS or by a signature; no key: the kernel has named the uid
	Proof keys.Proof
	// of a key that somebody asks about (ReportFor); of clients Proof counts
	Fingerprint string
	// of its sessions: the fingerprint of the key that it shows in TLS (RE3, LO6), or "uid N"
	Owner string
	Share *Share // of its user, once it has a session
	// Session is the number of its session, as people see it; 0: it has none yet
	Session int64
	// of one of its channels: what it may do there
	Permits *Permits
	// Greeting is shown before a login shell on a terminal, by root's daemon
	Greeting string
	// MustChange says that the account's password has expired: nothing but changing it is allowed
	MustChange bool

	waited func() // ends its place among the logins that wait for its account's files; nil: none
}

// filesAreRead gives back a client's place among those who wait for its account's files.
func (who *Client) filesAreRead() {
	if who.waited != nil {
		who.waited()
	}
}

// LocalAddr is where a client was accepted; ok is false on a Unix socket.
func (who *Client) LocalAddr() (to netip.AddrPort, ok bool) {
	local, ok := who.Local.(*net.TCPAddr)
	if !ok || !who.Addr.IsValid() {
		return to, false
	}
	return netip.AddrPortFrom(local.AddrPort().Addr().Unmap(), local.AddrPort().Port()), true
}

// Under is a client in a channel where terms hold.
func (who *Client) Under(terms *Terms) *Client {
	now := *who
	now.Permits, now.Grant = &terms.Permits, who.Grant.under(&terms.Permits)
	if terms.Chroot != "" {
		now.Account = terms.confined(who.Account)
	}
	return &now
}

// Audited is the client as the audit log tells of it. loggedIn says whether its account is known.
func (c *Client) Audited(loggedIn bool) *audit.Who {
	who := &audit.Who{User: c.User, Key: c.Key, Addr: c.Addr, Session: c.Session, Known: loggedIn}
	if loggedIn {
		who.UID = c.Account.UID
	}
	if c.Proof.Cert != nil {
		who.KeyID = c.Proof.Cert.KeyId
	}
	return who
}
