package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/client/knownhosts"
	"minissh/client/options"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
	"minissh/protocol/transport"
)

// mostAttempts is how many keys are tried, each on a connection of its own.
const mostAttempts = 6

// Dialer connects to the host that its options name.
type Dialer struct {
	Options  *options.Options
	Messages io.Writer                           // for people: standard error
	Ask      Asker                               // questions to the user; nil if there is nobody to ask
	Trace    func(mux.Direction, protocol.Frame) // nil: nobody watches
	Software string                              // name and version, told to the daemon

	// For `try`: a connection that is there already, its daemon's key, and our own.
	Conn     net.Conn
	Host     ssh.PublicKey
	Identity *keys.Identity

	remember *knownhosts.Verdict // to be written to known_hosts when the handshake is done
}

// Connection is a session with a daemon that let us in.
type Connection struct {
	Session *mux.Session
	Welcome *protocol.Welcome
}

// say tells something from the given level of -v on.
func (d *Dialer) say(level options.LogLevel, format string, args ...any) {
	if d.Options.LogLevel >= level {
		fmt.Fprintf(d.Messages, "minissh: "+format+"\n", args...)
	}
}

func (d *Dialer) debug(format string, args ...any) { d.say(options.LevelDebug1, format, args...) }

// Dial connects. prepare is called with each new session before its first byte is sent: what it opens travels together with
// HELLO, so that a command costs no further round trip (P7.3). If the daemon refuses a key, the next attempt has a new session.
func (d *Dialer) Dial(ctx context.Context, prepare func(*mux.Session) error) (*Connection, error) {
	if d.Options.Socket != "" && d.Conn == nil {
		return d.attempt(ctx, nil, nil, prepare)
	}
	ring, err := d.keyRing()
	if err != nil {
		return nil, err
	}
	var pinned ssh.PublicKey // a host key that the user was asked about
	next := ring.first()
	if next == nil {
		return nil, ring.empty()
	}
	for range mostAttempts {
		identity, err := next.load(d)
		if err != nil {
			d.say(options.LevelInfo, "the key %s cannot be used: %v", next.source, err)
			if next = ring.after(next, ""); next == nil {
				return nil, fail(err, "minissh -i FILE names another key", "no key is left to log in with")
			}
			continue
		}
		conn, err := d.attempt(ctx, &offer{identity: identity, others: ring.others(next), pinned: pinned}, next, prepare)
		if err == nil {
			ring.worked(next)
			return conn, nil
		}
		var unknown *unknownHost
		if errors.As(err, &unknown) {
			// The question waits for a person: the connection is closed meanwhile, and the next one must show the same key (RULES A4).
			if err := d.askAboutHost(unknown); err != nil {
				return nil, err
			}
			pinned = unknown.verdict.Key
			continue
		}
		var said *protocol.RemoteError
		if !errors.As(err, &said) || said.Code != protocol.CodeKeyNotAuthorized {
			return nil, err
		}
		d.debug("the key %s (%s) may not log in as %s", next.source, next.fingerprint, d.Options.User)
		refused := next
		if next = ring.after(next, said.Key); next == nil {
			return nil, d.notAuthorized(ring, refused)
		}
	}
	return nil, fail(nil, "minissh -i FILE chooses the key to try first", "%d keys were refused", mostAttempts)
}

// offer is what one attempt shows.
type offer struct {
	identity *keys.Identity
	others   []string // fingerprints
	pinned   ssh.PublicKey
}

// attempt makes one connection and one session.
func (d *Dialer) attempt(ctx context.Context, o *offer, _ *candidate, prepare func(*mux.Session) error) (*Connection, error) {
	if timeout := d.Options.ConnectTimeout; timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	conn, err := d.connect(ctx, o)
	if err != nil {
		return nil, err
	}
	session := mux.New(mux.Config{Role: mux.Client, Trace: d.Trace})
	if err := prepare(session); err != nil {
		conn.Close()
		session.Close(nil)
		return nil, err
	}
	hello := &protocol.Hello{User: d.Options.User, Software: d.Software}
	if o != nil {
		hello.Keys = o.others
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	welcome, err := session.Connect(conn, hello)
	if !stop() && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		session.Close(nil)
		return nil, d.explain(err)
	}
	d.debug("logged in as %s", protocol.Quote(welcome.User))
	return &Connection{Session: session, Welcome: welcome}, nil
}

// connect makes the connection below a link, TLS included.
func (d *Dialer) connect(ctx context.Context, o *offer) (*transport.Conn, error) {
	raw := d.Conn
	if raw == nil {
		var err error
		if raw, err = d.dialRaw(ctx); err != nil {
			return nil, err
		}
	}
	if o == nil {
		uid, err := transport.PeerUID(raw.(*net.UnixConn))
		if err == nil && uid != 0 && int64(uid) != int64(os.Getuid()) {
			err = fmt.Errorf("user %d listens on it, who is neither root nor you", uid)
		}
		if err != nil {
			raw.Close()
			return nil, fail(err, "", "will not use the socket %s: %v", d.Options.Socket, err)
		}
		conn := transport.Plain(raw)
		conn.Authorized()
		return conn, nil
	}
	go keys.WarmUp() // while the daemon computes its part of the handshake
	envelope, err := keys.Certificate(*o.identity)
	if err != nil {
		raw.Close()
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { raw.SetDeadline(time.Unix(1, 0)) })
	conn, err := transport.Client(raw, envelope, func(host *x509.Certificate) error {
		key, err := keys.FromCertificate(host)
		if err != nil {
			return err
		}
		return d.checkHost(key, raw.RemoteAddr(), o.pinned)
	})
	if !stop() && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		raw.Close()
		return nil, d.explain(err)
	}
	d.rememberHost()
	return conn, nil
}

func (d *Dialer) dialRaw(ctx context.Context) (net.Conn, error) {
	if d.Options.Socket != "" {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", d.Options.Socket)
		if err != nil {
			return nil, fail(err, "minisshd --listen unix:PATH makes one", "no daemon answers on the socket %s: %v", d.Options.Socket, plainError(err))
		}
		return conn, nil
	}
	network := map[string]string{"inet": "tcp4", "inet6": "tcp6"}[d.Options.AddressFamily]
	if network == "" {
		network = "tcp"
	}
	address := net.JoinHostPort(d.Options.HostName, strconv.Itoa(d.Options.Port))
	d.debug("connecting to %s", address)
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil {
		return conn, nil
	}
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return nil, fail(err, "", "Could not resolve hostname %s: %v", d.Options.HostName, dns.Err)
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fail(err, "", "connect to host %s port %d: Connection timed out", d.Options.HostName, d.Options.Port)
	}
	return nil, fail(err, fmt.Sprintf("is minisshd running there, and listening on an address that can be reached? Its port is %d unless -p or its --listen says otherwise", protocol.DefaultPort),
		"connect to host %s port %d: %v", d.Options.HostName, d.Options.Port, plainError(err))
}

// plainError is the innermost reason of a failed dial, without the addresses that the message has already.
func plainError(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	return err
}

// explain puts what ended a handshake or a login into words.
func (d *Dialer) explain(err error) error {
	var said *protocol.RemoteError
	var record tls.RecordHeaderError
	var failure *Failure
	var unknown *unknownHost
	var untrusted *knownhosts.Refusal
	host := d.Options.Alias
	switch {
	case errors.As(err, &failure), errors.As(err, &unknown), errors.As(err, &untrusted):
		return err
	case errors.As(err, &said):
		if said.Code == protocol.CodeKeyNotAuthorized {
			return err // another key may do
		}
		return fail(err, remoteHint(said.Code), "%s refused: %v", host, said)
	case errors.As(err, &record):
		return fail(err, fmt.Sprintf("what listens there is no minisshd; the default port is %d, -p chooses another", protocol.DefaultPort),
			"%s does not speak TLS: it answered %s", host, protocol.Quote(string(record.RecordHeader[:])))
	case transport.IsBusy(err):
		return fail(err, "wait a moment and try again", "%s has too many unauthenticated connections", host)
	case errors.Is(err, context.DeadlineExceeded):
		return fail(err, "", "%s did not finish the handshake in time: Connection timed out", host)
	case errors.Is(err, context.Canceled):
		return fail(err, "", "interrupted")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fail(err, "the daemon's log says why", "%s closed the connection before letting us in", host)
	}
	return fail(err, "", "the connection to %s failed: %v", host, err)
}

func remoteHint(code protocol.Code) string {
	switch code {
	case protocol.CodeTooManySessions:
		return "the daemon's limit is --max-sessions"
	case protocol.CodeUnsupportedProtocol:
		return "use a minissh and a minisshd of the same version"
	case protocol.CodeShuttingDown:
		return "wait until it has started again"
	}
	return ""
}

// notAuthorized is what is said when no key of ours may log in.
func (d *Dialer) notAuthorized(ring *keyRing, last *candidate) error {
	advice := fmt.Sprintf("on %s, add your public key to ~/.ssh/authorized_keys of %s; yours is %s", d.Options.Alias, d.Options.User, last.publicLine())
	return fail(nil, advice, "%s@%s: Permission denied (publickey); keys tried or offered: %s", d.Options.User, d.Options.Alias, ring.sources())
}
