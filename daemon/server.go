package daemon

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/access"
	"minissh/daemon/control"
	"minissh/daemon/logbook"
	"minissh/daemon/logins"
	"minissh/daemon/pam"
	"minissh/daemon/service"
	"minissh/daemon/supervise"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
	"minissh/protocol/transport"
)

// Options are a daemon's settings. Nothing in them changes after New. Where the Access is Settled,
// its terms hold for Hold, IdleTimeout, MaxChannels, and what comes after Subsystems.
type Options struct {
	access.Rules               // who may log in
	HostKey      keys.Identity // its envelope is what clients see
	Log          *slog.Logger  // nil: nothing is logged
	Software     string        // name and version told to clients

	LoginGrace    time.Duration // for TLS and HELLO together; 0: 20 seconds (ID8)
	StopGrace     time.Duration // between HUP and KILL; 0: 5 seconds (EX7)
	HelperStart   time.Duration // for a helper's first answer; 0: 30 seconds
	HelperGrace   time.Duration // for a helper whose channel is gone to end; 0: StopGrace (FI10)
	ShutdownGrace time.Duration // for commands to end when the daemon is stopped; 0: 10 seconds
	Hold          time.Duration // a session lives without a link; 0: 24 hours; below 0: never (RE4)
	IdleTimeout   time.Duration // ends sessions in which nothing was sent for so long; 0: never
	Started       time.Time     // what uptime_ms counts from; zero: New
	MaxChannels   int           // per session; 0: 64; at least 16 (CH2)
	SocketMode    os.FileMode   // of Unix sockets; 0: 0600
	// what passes the sockets on to the next daemon; nil: nobody does
	Generation *supervise.Generation
	KeyLog     io.Writer // takes the TLS secrets of every connection; nil: nobody gets them
	// commands that a client starts by a name; nil: service.DefaultSubsystems
	Subsystems map[string]string
	Forwarding string // what may be forwarded: one of service's Forward constants; "": all
	// who reaches what is listened on for clients: one of service's Gateway constants; "": this
	// machine
	GatewayPorts string
	NoAgents     bool // programs here may not use a client's agent
	// asked about every login of an account, and opens its session; nil: PAM is not asked
	PAM *pam.Service
	// where sessions on terminals are recorded; nil: nowhere
	Logins *logins.Book

	killed time.Duration // of a session whose client seems to be dead; 0: mux's own (RE4)
}

func (o *Options) defaults() {
	o.Rules.Defaults()
	o.LoginGrace = cmp.Or(o.LoginGrace, 20*time.Second)
	o.StopGrace = cmp.Or(o.StopGrace, 5*time.Second)
	o.HelperStart = cmp.Or(o.HelperStart, 30*time.Second)
	o.HelperGrace = cmp.Or(o.HelperGrace, o.StopGrace)
	o.ShutdownGrace = cmp.Or(o.ShutdownGrace, 10*time.Second)
	o.Hold = cmp.Or(o.Hold, 24*time.Hour)
	o.Started = cmp.Or(o.Started, time.Now())
	o.MaxChannels = max(cmp.Or(o.MaxChannels, 64), protocol.MinChannels)
	o.SocketMode = cmp.Or(o.SocketMode, 0o600)
	if o.Subsystems == nil {
		o.Subsystems = service.DefaultSubsystems()
	}
	o.Forwarding = cmp.Or(o.Forwarding, service.ForwardYes)
	o.GatewayPorts = cmp.Or(o.GatewayPorts, service.GatewayNo)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Log = slog.New(logbook.Clip(o.Log.Handler()))
}

// Server is a daemon at work.
type Server struct {
	opts     Options
	log      *slog.Logger
	tally    *logbook.Tally // logs refusals
	identity atomic.Pointer[identity]
	handover *handover                 // nil: nobody comes back here once it is replaced
	since    atomic.Pointer[time.Time] // what uptime_ms counts from; nil: Options.Started
	guard    *access.Guard
	desk     *control.Desk
	host     service.Host
	sessions *mux.Registry
	// strangers' handshakes leave half of the processors to those who work
	handshakes *transport.Turns
	stopping   chan struct{} // closed when Shutdown begins
	hurry      func()        // Shutdown no longer waits for commands

	conns    sync.WaitGroup // goroutines that serve a connection
	commands sync.WaitGroup // channels being served

	mu        sync.Mutex // guards the rest
	stopped   bool
	left      bool // another generation accepts the connections
	listeners []net.Listener
	activated []net.Listener    // those that a service manager opened
	strangers map[net.Conn]bool // connections that are not authorized yet
	arrived   atomic.Int64      // connections that are being served, from the first moment on
}

// New makes a daemon that does not listen yet.
func New(opts Options) (*Server, error) {
	opts.defaults()
	id, err := newIdentity(opts.HostKey, opts.KeyLog)
	if err != nil {
		return nil, err
	}
	tally, stopping := logbook.NewTally(opts.Log), make(chan struct{})
	s := &Server{
		opts: opts, log: opts.Log, tally: tally, stopping: stopping,
		guard:      access.NewGuard(opts.Rules, tally, stopping),
		sessions:   mux.NewRegistry(opts.MaxSessions),
		handshakes: transport.NewTurns(max(1, runtime.GOMAXPROCS(0)/2)),
		host: service.Host{
			StopGrace: opts.StopGrace, HelperStart: opts.HelperStart, HelperGrace: opts.HelperGrace,
			Log: opts.Log, Tally: tally, Stopping: stopping, Logins: opts.Logins,
			Audit: opts.Audit,
		},
		strangers: map[net.Conn]bool{},
	}
	s.host.Hurried, s.hurry = context.WithCancel(context.Background())
	s.desk = control.NewDesk(control.Config{
		Account: opts.Account, Access: opts.Access, Sessions: s.sessions, StopGrace: opts.StopGrace,
		Software: opts.Software, Log: opts.Log, Tally: tally, Place: s.place,
		Generation: opts.Generation, Older: s.desks, Audit: opts.Audit,
	})
	s.identity.Store(id)
	return s, nil
}

// terms are those that hold now for a client. The error is for people.
func (s *Server) terms(who *access.Client) (*access.Terms, error) {
	if settled, ok := s.opts.Access.(access.Settled); ok {
		if terms, err := settled.Terms(who); err != nil || terms.Forwarding != "" {
			return terms, err
		}
	}
	o := &s.opts
	return &access.Terms{Hold: o.Hold, IdleTimeout: o.IdleTimeout, MaxChannels: o.MaxChannels,
		Permits: access.Permits{Subsystems: o.Subsystems, Forwarding: o.Forwarding,
			GatewayPorts: o.GatewayPorts, NoAgents: o.NoAgents}}, nil
}

// Desk is where people can ask the daemon. Shutdown closes it, after everything else.
func (s *Server) Desk() *control.Desk { return s.desk }

// identity is what the daemon shows to clients: its host key. Reload may replace it for the next
// ones.
type identity struct {
	public ssh.PublicKey
	tls    *tls.Config
}

func newIdentity(key keys.Identity, keyLog io.Writer) (*identity, error) {
	envelope, err := keys.Certificate(key)
	if err != nil {
		return nil, err
	}
	config := transport.ServerConfig(envelope)
	config.KeyLogWriter = keyLog
	return &identity{key.Public, config}, nil
}

// words are the key's type and fingerprint.
func (i *identity) words() string {
	return keys.TypeName(i.public) + " " + keys.Fingerprint(i.public)
}

// Reload reads again what was read at the start: a new host key for new connections, and what an
// Access remembers. What is wrong with authorized_keys files is reported anew, and listeners beyond
// loopback are judged anew (RULES A12). Nobody is disconnected.
func (s *Server) Reload(hostKey keys.Identity) error {
	id, err := newIdentity(hostKey, s.opts.KeyLog)
	if err != nil {
		return err
	}
	if before := s.identity.Swap(id); keys.Fingerprint(before.public) != keys.Fingerprint(
		id.public) {
		s.log.Warn("The host key has changed", "from", keys.Fingerprint(before.public), "to",
			keys.Fingerprint(id.public))
	}
	if remembers, ok := s.opts.Access.(access.Reloader); ok {
		remembers.Reload()
	}
	for _, l := range s.listening() {
		if beyondLoopback(l) && !s.opts.Access.AnyoneCould() {
			s.log.Warn("Connections from beyond loopback are dropped until somebody could log in",
				"address", l.Addr().String(), "error", errNobody)
		}
	}
	return nil
}

// Ready is the one line that says where the daemon listens and which key it shows.
func (s *Server) Ready() string {
	return fmt.Sprintf("minisshd: listening on %s host key %s", strings.Join(s.Addresses(), " "),
		s.identity.Load().words())
}

// uptime is for how long no other daemon can have begun a session that this one does not know
// (RE5).
func (s *Server) uptime() time.Duration {
	if since := s.since.Load(); since != nil {
		return max(0, time.Since(*since))
	}
	return time.Since(s.opts.Started)
}

// Serve accepts connections until Leave or Shutdown.
func (s *Server) Serve() {
	if s.opts.Generation != nil {
		// the one before accepts none any more, and lets nobody in after its LoginGrace
		since := time.Now().Add(s.opts.LoginGrace)
		s.since.Store(&since)
	}
	if s.opts.PAM != nil {
		go s.opts.PAM.Warm()
	}
	s.opts.Logins.Bury()
	var accepting sync.WaitGroup
	for _, l := range s.listening() {
		accepting.Go(func() { s.accept(l) })
	}
	accepting.Wait()
}

// accept drops connections from beyond loopback while nobody could log in. Where sessions are left,
// one may be for the client of such a session, who has to learn that his key was taken out (RE3).
func (s *Server) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // no descriptors left, say: the next try may work
			s.tally.Refused(slog.LevelError, "Accept failed", l, l.Addr().String(), "Accept failed",
				"address", l.Addr().String(), "error", err)
			select {
			case <-time.After(100 * time.Millisecond):
			case <-s.stopping:
			}
			continue
		}
		s.arrived.Add(1)
		s.conns.Go(func() {
			defer s.arrived.Add(-1)
			if !beyondLoopback(l) || s.desk.Open() || len(s.sessions.Entries()) > 0 ||
				s.elders() {
				s.ServeConn(conn)
				return
			}
			addr := peerAddr(conn)
			s.tally.Refused(slog.LevelWarn, "Connection dropped", access.Source(addr.Addr()),
				logbook.From(addr),
				"Connection dropped", "from", addr.String(), "error", errNobody)
			conn.Close()
		})
	}
}

// Shutdown stops accepting, tells everyone, lets running commands end for ShutdownGrace, then hangs
// up on everyone and waits until all is gone. When ctx ends, it hangs up at once, and commands are
// killed without StopGrace.
func (s *Server) Shutdown(ctx context.Context) {
	s.mu.Lock()
	if s.stopped {
		s.mu.Unlock()
		return
	}
	s.stopped = true
	close(s.stopping)
	if !s.left {
		s.unlink()
	}
	closeAll(s.listeners)
	for conn := range s.strangers {
		conn.Close()
	}
	s.mu.Unlock()
	if s.handover != nil {
		s.handover.close()
	}
	s.Close() // logins that still wait for users' files end
	s.desk.Refuse()
	defer context.AfterFunc(ctx, s.hurry)()
	var closing sync.WaitGroup
	s.announceStop(&closing)
	ended := make(chan struct{})
	go func() { s.commands.Wait(); close(ended) }()
	timer := time.NewTimer(s.opts.ShutdownGrace)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	case <-ctx.Done():
	}
	for _, entry := range s.sessions.Entries() {
		closing.Go(func() { entry.Session.Close(stoppingReason()) })
	}
	closing.Wait()
	<-ended
	s.conns.Wait()
	s.opts.Logins.Close()
	s.tally.Close()
	s.desk.Close()
}

// Close releases what the daemon holds for logins: there can be no more.
func (s *Server) Close() error {
	if s.opts.PAM != nil {
		s.opts.PAM.Close()
	}
	if keeps, ok := s.opts.Access.(access.Closer); ok {
		return keeps.Close()
	}
	return nil
}

// stranger notes a connection that Shutdown is to end; false if the daemon is stopping.
func (s *Server) stranger(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.strangers[conn] = true
	}
	return !s.stopped
}

func (s *Server) known(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.strangers, conn)
}
