package client

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/client/knownhosts"
	"minissh/client/options"
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
	Messages io.Writer                           // for people: standard error
	Ask      Asker                               // questions to the user; nil if there is nobody to ask
	Trace    func(mux.Direction, protocol.Frame) // nil: nobody watches
	Software string                              // name and version, told to the daemon

	// For `try`: a connection that is there already, its daemon's key, and our own.
	Conn     net.Conn
	Host     ssh.PublicKey
	Identity *keys.Identity

	// LoggedIn, if not nil, is called once when the daemon has let us in and nothing will be asked any more.
	LoggedIn func()

	begun    *call                                                                // what Begin has begun, until a call is made of it
	shown    atomic.Pointer[terminal]                                             // where a pty is shown, if one is
	crashed  func()                                                               // puts a terminal back that is in raw mode; called before a panic in the session ends this process
	underWay func()                                                               // called once, when what we ask for is on its way, or somebody is asked something; until then a signal just ends this process
	size     protocol.Size                                                        // of the window, as last told to the other side
	remember *knownhosts.Verdict                                                  // to be written to known_hosts when the handshake is done
	warned   sync.Once                                                            // of the key log
	dialing  func(ctx context.Context, network, address string) (net.Conn, error) // instead of a net.Dialer's; nil: none
	spent    time.Duration                                                        // of ConnectTimeout, by the calls of this Dial
	saying   sync.Mutex                                                           // one message at a time
}

// Connection is a session with a daemon that let us in.
type Connection struct {
	Session *mux.Session
	Welcome *protocol.Welcome
}

func (d *Dialer) loggedIn() {
	if d.LoggedIn != nil {
		d.LoggedIn()
	}
}

func (d *Dialer) waits() {
	if d.underWay != nil {
		d.underWay()
		d.underWay = nil
	}
}

// say tells something from the given level of -v on.
func (d *Dialer) say(level options.LogLevel, format string, args ...any) {
	if d.Options.LogLevel >= level {
		d.saying.Lock()
		defer d.saying.Unlock()
		fmt.Fprintf(d.Messages, "minissh: "+format+"\n", args...)
	}
}

func (d *Dialer) debug(format string, args ...any) { d.say(options.LevelDebug1, format, args...) }

// Dial connects. prepare is called with each new session before its first byte is sent: what it opens travels together with
// HELLO, so that a command costs no further round trip (SE3). If the daemon refuses a key, the next attempt has a new session.
func (d *Dialer) Dial(ctx context.Context, prepare func(*mux.Session) error) (*Connection, error) {
	if d.Options.Socket != "" && d.Conn == nil {
		d.notWanted()
		d.waits()
		return d.dialSocket(ctx, prepare)
	}
	d.spent = 0
	call := d.call(ctx, d.checkHost)
	defer func() { call.hangUp() }()
	call.awaitGreeting() // nothing keeps our first bytes waiting; the rest is done while the daemon answers
	go coldstart.WarmUp()
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
		if next.locked && next.identity == nil {
			call.hangUp() // a question waits for a person: no connection is open meanwhile (RULES A4)
			d.waits()
		}
		identity, err := next.load(d)
		if err != nil {
			d.unusableFile(err)
			if next = ring.after(next, ""); next == nil {
				return nil, fail(err, "minissh -i FILE names another key", "no key is left to log in with")
			}
			continue
		}
		if call.over() {
			call = d.call(ctx, d.checkHost) // a call that ConnectTimeout has ended is not made again: its attempt says so
		}
		d.debug("trying the key %s (%s)", next.source, next.fingerprint)
		conn, err := d.attempt(call, identity, &offer{others: ring.others(next), pinned: pinned}, prepare)
		if err == nil {
			ring.worked(next)
			return conn, nil
		}
		var unknown *unknownHost
		if errors.As(err, &unknown) {
			// The connection is closed meanwhile, and the next one must show the same key (RULES A4).
			d.waits()
			if err := d.askAboutHost(unknown); err != nil {
				return nil, err
			}
			pinned = unknown.verdict.Key
			continue
		}
		var unsigned *unsigned
		if errors.As(err, &unsigned) {
			d.debug("%v; trying the next key", unsigned)
			if next = ring.untried(); next == nil {
				return nil, fail(unsigned, "minissh -i FILE uses a key's file; -v tells which keys are tried", "%v, and no other key is left to log in with", unsigned)
			}
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
	envelope tls.Certificate
	others   []string // fingerprints of our other keys
	pinned   ssh.PublicKey
	known    *knownhosts.DB
}

// attempt makes one session on a call. The call is over then.
func (d *Dialer) attempt(c *call, identity *keys.Identity, o *offer, prepare func(*mux.Session) error) (conn *Connection, err error) {
	defer c.hangUp()
	signer := noteFailures(identity)
	if o.envelope, err = coldstart.Certificate(signer.identity()); err != nil {
		return nil, err
	}
	o.known = d.knownHosts()
	c.show(o)
	session, err := d.session(prepare)
	if err != nil {
		return nil, err
	}
	secure, err := c.answer()
	if err != nil {
		session.Close(nil)
		if signer.failed != nil {
			err = signer.failed
		}
		return nil, err
	}
	return d.logIn(c.ctx, secure, session, o.others)
}

// session makes a session with what is to be said first in it.
func (d *Dialer) session(prepare func(*mux.Session) error) (*mux.Session, error) {
	session := mux.New(mux.Config{Role: mux.Client, Trace: d.Trace, Crashed: d.crashed, Connecting: func() {
		d.waits()
		protocol.WarmUp()
	}})
	if err := prepare(session); err != nil {
		session.Close(nil)
		return nil, err
	}
	return session, nil
}

// dialSocket is Dial over a Unix socket, where the kernel says who we are.
func (d *Dialer) dialSocket(ctx context.Context, prepare func(*mux.Session) error) (*Connection, error) {
	ctx, cancel := d.limited(ctx)
	defer cancel()
	if file := d.Options.KeyLog; file != "" {
		d.say(options.LevelInfo, "nothing is written to %s: a Unix socket has no TLS, so there are no secrets", protocol.Quote(file))
	}
	raw, err := d.dialRaw(ctx)
	if err != nil {
		return nil, err
	}
	uid, err := transport.PeerUID(raw.(*net.UnixConn))
	if err == nil && uid != 0 && int64(uid) != int64(os.Getuid()) {
		err = fmt.Errorf("user %d listens on it, who is neither root nor you", uid)
	}
	if err != nil {
		raw.Close()
		return nil, fail(err, "", "will not use the socket %s: %v", d.Options.Socket, err)
	}
	session, err := d.session(prepare)
	if err != nil {
		raw.Close()
		return nil, err
	}
	conn := transport.Plain(raw)
	conn.Authorized()
	return d.logIn(ctx, conn, session, nil)
}

// longestWait is no limit any more.
const longestWait = 100 * 365 * 24 * time.Hour

// limited is ctx with the time that is left for connecting: ConnectTimeout for each of ConnectionAttempts, and a second between. That counts once over all
// addresses of a host (Go divides it among them; ssh takes as long for each) and all calls of one Dial; while a person is asked no call is under way, so
// that a question costs nothing of it.
func (d *Dialer) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	timeout, more := d.Options.ConnectTimeout, time.Duration(max(d.Options.ConnectionAttempts, 1)-1)
	if timeout <= 0 || more > longestWait/(timeout+time.Second) {
		return context.WithCancel(ctx)
	}
	timeout += more * (timeout + time.Second)
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, timeout-d.spent)
	return ctx, sync.OnceFunc(func() {
		d.spent += time.Since(begun)
		cancel()
	})
}

// logIn puts a session on a connection.
func (d *Dialer) logIn(ctx context.Context, conn *transport.Conn, session *mux.Session, others []string) (*Connection, error) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	welcome, err := session.Connect(conn, &protocol.Hello{User: d.Options.User, Software: d.Software, Keys: others})
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
	conn, err := d.dialTCP(ctx, network, address)
	if err == nil {
		return conn, nil
	}
	skipped := ""
	if len(d.Options.Skipped) > 0 {
		skipped = "what is meant for sshd does not count here: " + strings.Join(d.Options.Skipped, ", ") + "; ~/.config/minissh/config is read for minissh alone"
	}
	var dns *net.DNSError
	var slow net.Error
	var failure *Failure
	switch {
	case errors.As(err, &failure):
		return nil, err
	case errors.As(err, &dns):
		return nil, fail(err, skipped, "Could not resolve hostname %s: %v", d.Options.HostName, dns.Err)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
		return nil, fail(err, skipped, "connect to host %s port %d: Connection timed out", d.Options.HostName, d.Options.Port)
	case d.Options.BindAddress != "" && errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fail(err, "minissh -b ADDRESS names an address of this machine", "BindAddress %s cannot be used: %v", d.Options.BindAddress, plainError(err))
	}
	return nil, fail(err, cmp.Or(skipped, fmt.Sprintf("is minisshd running there, and listening on an address that can be reached? Its port is %d unless -p or its --listen says otherwise", protocol.DefaultPort)),
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
