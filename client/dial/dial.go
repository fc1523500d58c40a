// Package dial makes a connection from the given options, or says why there is none.
//
// Reading order: dial.go (one attempt after another, each with a key and a connection of its own),
// keyring.go and certificates.go (which keys, in which order), network.go (TCP, its timeouts, Unix
// sockets), proxy.go (a program that makes the connection), secure.go (TLS), signing.go (keys that
// ask a person), hostkey.go (known_hosts and the question), hostcertificate.go (a host that an
// authority vouches for), hostcommand.go (KnownHostsCommand), signed.go (keys that sign the login),
// first.go (HELLO and its answer), refused.go (why not, in words), hold.go (how long a session is
// kept), resume.go, attempt.go and redial.go (another link when one is lost), lost.go (what is told
// of that). pair.go is for a host that has never heard of us.
package dial

import (
	"context"
	"errors"
	"net"

	"golang.org/x/crypto/ssh"

	"minissh/client/knownhosts"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/client/terminal"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/keys/coldstart"
	"minissh/protocol/mux"
	"minissh/protocol/transport"
)

// mostAttempts is how many keys are tried, each on a connection of its own.
const mostAttempts = 6

// Dialer connects to the host that its options name.
type Dialer struct {
	Options  *options.Options
	Messages *report.Messages
	// for questions to the user; nil if there is nobody to ask
	Ask      terminal.Asker
	Trace    func(mux.Direction, protocol.Frame) // nil: nobody watches
	Software string                              // name and version, told to the daemon
	NoHost   string                              // the hint if it is perhaps not a host
	// LoggedIn, if not nil, is called with each new connection. Its error ends that.
	LoggedIn func(*Connection) error
	// LoginFirst: what is asked for comes after LoggedIn has returned, and not together with HELLO.
	LoginFirst bool
	// Agent is the channel of the listener to which our agent is lent (FO9); 0: none. LoggedIn may
	// set it.
	Agent int64
	// a person sits at what runs, and may come back much later
	OnTerminal bool
	// Network, if not nil, makes connections instead of a net.Dialer. Nobody looks then whether
	// this machine's network has changed.
	Network func(ctx context.Context, network, address string) (net.Conn, error)

	// Shared is what it has in common with other Dialers; nil: nothing.
	Shared *Shared
	// AskHost, if not nil, is asked about the key of an unknown host in place of the user, and may
	// take its time. Its error refuses the host.
	AskHost func(knownhosts.Verdict) error

	// For `try`: an existing connection, its daemon's key, and our own.
	Conn     net.Conn
	Host     ssh.PublicKey
	Identity *keys.Identity

	// Shown is the key that the host has proved to hold; nil: none yet. Dial sets it.
	Shown ssh.PublicKey

	linkMost int64 // bytes over one link, for tests; 0: SE8's
}

// Forwards are what a session carries besides commands (client/forward).
type Forwards interface {
	// Linger waits, when the command has ended, until no connection is open.
	Linger()
	// Command does what is typed after ~C, and says how that went.
	Command(ctx context.Context, line string) (said string, err error)
	// List tells, for people, what is forwarded and which connections are open.
	List() (forwards, connections []string)
}

// Connection is a session with a daemon that we have logged in to.
type Connection struct {
	Session  *mux.Session
	Welcome  *protocol.Welcome
	Options  *options.Options
	Messages *report.Messages
	Agent    int64 // channel of the listener to which our agent is lent (FO9); 0: none

	// Forwards, if not nil, are what else the session carries.
	Forwards Forwards
	// Shared, if not nil, are other processes' commands (client/master). Linger waits, when ours
	// has ended, until they have.
	Shared interface{ Linger() }

	// Announce tells of a lost link in lines on standard error. It is what Watch has done first.
	Announce func(*Loss)

	keeper *keeper // nil: the session ends with its link
}

// Dial connects. prepare is called with each new session before its first byte is sent: what it
// opens travels together with HELLO, so that a command costs no further round trip (SE3). If the
// daemon refuses a key, the next attempt has a new session.
func (d *Dialer) Dial(ctx context.Context, prepare func(*mux.Session) error) (*Connection, error) {
	if d.Options.Socket != "" && d.Conn == nil {
		return d.dialSocket(ctx, prepare)
	}
	l, err := d.login()
	if err != nil {
		return nil, err
	}
	return l.run(ctx, prepare)
}

// login is one run of Dial, or of Pair.
type login struct {
	*Dialer
	way    *network
	ring   *keyRing
	pinned ssh.PublicKey // the host key that the user was asked about
	warned bool          // of the key log
	// the host's key has been shown as a picture
	pictured bool
	// the user has been told that the host's certificate does not count
	doubted bool
	more    string // what the daemon has said of a key that it refuses, beyond that
}

func (d *Dialer) login() (*login, error) {
	ring, err := d.keyRing()
	return &login{Dialer: d, way: d.newNetwork(), ring: ring}, err
}

func (l *login) run(ctx context.Context, prepare func(*mux.Session) error) (*Connection, error) {
	next := l.ring.first()
	if next == nil {
		return nil, l.ring.empty(l.NoHost)
	}
	for range mostAttempts {
		// This may ask for a passphrase. A question waits for a person, so no connection is open
		// meanwhile (RULES A4).
		identity, err := l.ring.load(next, l.Ask)
		if err != nil {
			l.ring.unusableFile(err)
			if next = l.ring.after(next, ""); next == nil {
				return nil, report.Failed(err, "minissh -i FILE names another key",
					"no key is left to log in with").Of(report.ClassAuth)
			}
			continue
		}
		l.Messages.Debug("trying the key %s (%s)", next.source, next.fingerprint)
		conn, err := l.attempt(ctx, identity, l.ring.others(next), prepare)
		if err == nil {
			l.ring.worked(next)
			return conn, nil
		}
		if next, err = l.afterRefusal(next, err); err != nil {
			return nil, err
		}
	}
	return nil, report.Failed(nil, "minissh -i FILE chooses the key to try first",
		"%d keys were refused", mostAttempts).Of(report.ClassAuth)
}

// afterRefusal says with which key to try once more after an attempt with one has failed. An error
// ends the attempts.
func (l *login) afterRefusal(tried *candidate, err error) (next *candidate, end error) {
	var unknown *unknownHost
	var unsigned *unsigned
	var said *protocol.RemoteError
	switch {
	case errors.As(err, &unknown):
		// The connection is closed, and the next one must show the same key (RULES A4).
		if err := l.askAboutHost(unknown); err != nil {
			return nil, err
		}
		l.pinned = unknown.verdict.Key
		return tried, nil
	case errors.As(err, &unsigned):
		l.Messages.Debug("%v; trying the next key", unsigned)
		if next = l.ring.untried(); next == nil {
			return nil,
				report.Failed(unsigned,
					"minissh -i FILE uses a key's file; -v tells which keys are tried",
					"%v, and no other key is left to log in with", unsigned)
		}
		return next, nil
	case errors.As(err, &said) && said.Code == protocol.CodeBadHello && tried.cert != nil:
		// a daemon that knows of no certificates (CE2), and has judged no key
		if next = l.ring.untried(); next != nil {
			return next, nil
		}
		return nil, err
	case !errors.As(err, &said) || said.Code != protocol.CodeKeyNotAuthorized:
		return nil, err
	case said.Message != protocol.OnlyThisKey && l.more == "":
		l.more = said.Message
	}
	l.Messages.Debug("the key %s (%s) may not log in as %s", tried.source, tried.fingerprint,
		l.Options.User)
	if next = l.ring.after(tried, said.Key); next == nil {
		return nil, l.notAuthorized(l.ring, tried, l.more)
	}
	return next, nil
}

// attempt makes one session on a connection of its own. others are the fingerprints of our other
// keys.
func (l *login) attempt(ctx context.Context, identity *keys.Identity, others []string,
	prepare func(*mux.Session) error) (*Connection, error) {
	check := l.hostCheck()
	shown, sign, err := l.linkKey(identity, func() ssh.PublicKey { return check.seen })
	if err != nil {
		return nil, err
	}
	signer := noteFailures(shown)
	envelope, err := coldstart.Certificate(signer.identity())
	if err != nil {
		return nil, err
	}
	ctx, cancel := l.way.limited(ctx)
	defer cancel()
	conn, err := l.secure(ctx, envelope, check.judge)
	if err != nil {
		if signer.failed != nil {
			err = signer.failed
		}
		return nil, err
	}
	l.Shown = check.seen
	check.remember()
	return l.enter(ctx, conn, others, prepare,
		again{l.reconnect(signer, envelope, check.seen), sign})
}

// enter puts a session on a connection: HELLO and what prepare opens go out together, and it waits
// for the answer. The connection is closed if the login fails. more makes another one, if this
// one is lost.
func (d *Dialer) enter(ctx context.Context, conn *transport.Conn, others []string,
	prepare func(*mux.Session) error, more again) (*Connection, error) {
	session := mux.New(d.config())
	if !d.LoginFirst {
		if err := prepare(session); err != nil {
			session.Close(nil)
			conn.Close()
			return nil, err
		}
	}
	hello := protocol.Hello{User: d.Options.User, Software: d.Software, Keys: others,
		Hold: wholeSeconds(d.hold())}
	welcome, err := d.firstLink(ctx, session, conn, hello, more)
	if err != nil {
		session.Close(nil)
		return nil, d.explain(err)
	}
	d.Messages.Debug("logged in as %s", protocol.Quote(welcome.User))
	d.showBanner(welcome.Banner)
	c := &Connection{Session: session, Welcome: welcome, Options: d.Options, Messages: d.Messages,
		Announce: d.announce()}
	if d.hold() > 0 && welcome.Resend > 0 {
		c.keeper = d.newKeeper(session, welcome, hello, more)
		c.Watch(c.Announce)
		go c.keeper.run()
	}
	if d.LoggedIn != nil {
		if err := d.LoggedIn(c); err != nil {
			session.Close(nil)
			return nil, err
		}
		c.Agent = d.Agent
	}
	if d.LoginFirst {
		if err := prepare(session); err != nil {
			session.Close(nil)
			return nil, err
		}
	}
	return c, nil
}
