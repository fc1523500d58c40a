package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"minissh/daemon/logbook"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
	"minissh/protocol/transport"
)

// Options is what a daemon is told. Nothing in it changes after New.
type Options struct {
	HostKey  keys.Identity   // its envelope is what clients see
	Account  process.Account // whom commands run as
	Access   Access          // who may come in
	Log      *slog.Logger    // nil: nothing is logged
	Software string          // name and version told to clients

	LoginGrace    time.Duration  // for TLS and HELLO together; 0: 20 seconds (ID8)
	StopGrace     time.Duration  // between HUP and KILL; 0: 5 seconds (EX7)
	HelperStart   time.Duration  // for a helper's first answer; 0: 30 seconds
	HelperGrace   time.Duration  // for a helper to end by itself when its channel is gone; 0: StopGrace (FI10)
	ShutdownGrace time.Duration  // for commands to end by themselves when the daemon is stopped; 0: 10 seconds
	MaxStartups   int            // unauthenticated connections at once; 0: 200
	MaxPerSource  int            // of them from one source; 0: 100
	MaxSessions   int            // 0: 4,096
	MaxChannels   int            // per session; 0: 64; at least 16 (CH2)
	MaxWindows    int64          // bytes by which windows may grow over all sessions; 0: 512 MiB
	Shares        Shares         // of these, and of commands, what one user may take
	IdleTimeout   time.Duration  // sessions in which nothing was sent for so long are ended; 0: never
	SocketMode    os.FileMode    // of Unix sockets; 0: 0600
	RefusalTime   time.Duration  // refusals of keys are told after it, or a power of two of it; 0: at once
	PenaltyExempt []netip.Prefix // never penalized, beside loopback
	KeyLog        io.Writer      // takes the TLS secrets of every connection; nil: nobody gets them
	TLSOnUnix     bool           // speak TLS on Unix sockets too: for a socketpair whose other end is another program of ours
}

func (o *Options) defaults() {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	defTime := func(p *time.Duration, v time.Duration) {
		if *p == 0 {
			*p = v
		}
	}
	def(&o.MaxStartups, 200)
	def(&o.MaxPerSource, 100)
	def(&o.MaxSessions, 4096)
	def(&o.MaxChannels, 64)
	o.MaxChannels = max(o.MaxChannels, protocol.MinChannels)
	defTime(&o.LoginGrace, 20*time.Second)
	defTime(&o.StopGrace, 5*time.Second)
	defTime(&o.ShutdownGrace, 10*time.Second)
	defTime(&o.HelperStart, 30*time.Second)
	defTime(&o.HelperGrace, o.StopGrace)
	if o.MaxWindows == 0 {
		o.MaxWindows = 512 << 20
	}
	o.Shares.defaults(o)
	if o.SocketMode == 0 {
		o.SocketMode = 0o600
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Log = slog.New(logbook.Clip(o.Log.Handler()))
}

// Server is a daemon at work.
type Server struct {
	opts      Options
	log       *slog.Logger
	tally     *tally // logs refusals
	identity  atomic.Pointer[identity]
	penalties *penalties
	started   time.Time
	gate      *gate
	refusals  *gate // connections that are being told that there are too many
	shares    *shares
	// handshakes of strangers leave half of the processors to those who are at work.
	handshakes transport.Turns
	sessions   *mux.Registry
	pairings   *pairings
	stopping   chan struct{}   // closed when Shutdown begins
	hurried    context.Context // ends when Shutdown may wait for no command any more
	hurry      func()

	conns    sync.WaitGroup // goroutines that serve a connection
	commands sync.WaitGroup // channels being served
	ending   sync.WaitGroup // sessions that an administrator ends
	visitors atomic.Int64   // sessions so far

	mu        sync.Mutex // guards the rest
	stopped   bool
	listeners []net.Listener
	controls  []*control        // sockets where this daemon is asked
	strangers map[net.Conn]bool // connections that are not authorized yet
}

// New makes a daemon that does not listen yet.
func New(opts Options) (*Server, error) {
	opts.defaults()
	id, err := newIdentity(opts.HostKey, opts.KeyLog)
	if err != nil {
		return nil, err
	}
	s := &Server{
		opts: opts, log: opts.Log, tally: newTally(opts.Log), penalties: newPenalties(opts.PenaltyExempt), started: time.Now(),
		gate: newGate(opts.MaxStartups, opts.MaxPerSource, max(opts.Shares.Reserve, 0)), refusals: newGate(32, 8, 0),
		handshakes: transport.NewTurns(max(1, runtime.GOMAXPROCS(0)/2)),
		shares:     newShares(&opts), sessions: mux.NewRegistry(opts.MaxSessions), pairings: newPairings(),
		stopping: make(chan struct{}), strangers: map[net.Conn]bool{},
	}
	s.hurried, s.hurry = context.WithCancel(context.Background())
	s.identity.Store(id)
	return s, nil
}

// Listen opens addresses, all or none. Beyond loopback it refuses while nobody could log in.
func (s *Server) Listen(addresses ...string) error {
	var all []net.Listener
	for _, address := range addresses {
		opened, err := listen(address, s.opts.SocketMode)
		if err != nil && noSuchFamily(err) && slices.Equal(addresses, DefaultListen) && (len(all) > 0 || address != addresses[len(addresses)-1]) {
			continue
		}
		if err != nil {
			closeAll(all)
			return err
		}
		all = append(all, opened...)
	}
	for _, l := range all {
		if beyondLoopback(l) && !s.anyoneCould() {
			closeAll(all)
			return &ListenError{What: fmt.Sprintf("will not listen on %v: %v", l.Addr(), errNobody), Advice: "minisshd pair lets somebody in, with a code; minisshd check says which keys are listed, and why each is not used", Err: errNobody}
		}
	}
	s.mu.Lock()
	s.listeners = append(s.listeners, all...)
	s.mu.Unlock()
	return nil
}

// ListenOn takes sockets that listen already: a service manager opened them, so that they cannot be refused where nobody could log in.
// Instead each connection from beyond loopback is dropped unread while that is so, and the log says it (RULES A12).
func (s *Server) ListenOn(listeners ...net.Listener) {
	for _, l := range listeners {
		if beyondLoopback(l) && !s.anyoneCould() {
			s.log.Warn("Connections from beyond loopback will be dropped until somebody could log in", "address", l.Addr().String(), "error", errNobody)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners = append(s.listeners, listeners...)
}

// anyoneCould says whether the daemon may be reached from beyond loopback: somebody could log in, or pair (RULES A12).
func (s *Server) anyoneCould() bool { return s.pairings.underWay() || s.AnyoneCould() }

// AnyoneCould says whether at least one key could log in.
func (s *Server) AnyoneCould() bool { return s.opts.Access.AnyoneCould() }

// Addresses lists what the daemon listens on, as --listen takes them.
func (s *Server) Addresses() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, l := range s.listeners {
		address := l.Addr().String()
		if l.Addr().Network() == "unix" {
			address = "unix:" + address
		}
		list = append(list, address)
	}
	return list
}

// Ready is the one line that tells where the daemon listens and which key it shows.
func (s *Server) Ready() string {
	key := s.shown().public
	return fmt.Sprintf("minisshd: listening on %s host key %s %s", strings.Join(s.Addresses(), " "), keys.TypeName(key), keys.Fingerprint(key))
}

// Serve accepts connections until Shutdown.
func (s *Server) Serve() {
	s.mu.Lock()
	listeners := s.listeners
	s.mu.Unlock()
	var accepting sync.WaitGroup
	for _, l := range listeners {
		accepting.Go(func() { s.accept(l) })
	}
	accepting.Wait()
}

func (s *Server) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // no descriptors left, say: the next try may do
			s.tally.refused(slog.LevelError, "Accept failed", l, l.Addr().String(), "Accept failed", "address", l.Addr().String(), "error", err)
			select {
			case <-time.After(100 * time.Millisecond):
			case <-s.stopping:
			}
			continue
		}
		s.conns.Go(func() {
			if s.mayKnock(l, conn) {
				s.ServeConn(conn)
			}
		})
	}
}

// mayKnock drops a connection from beyond loopback while nobody could log in (RULES A12).
func (s *Server) mayKnock(l net.Listener, conn net.Conn) bool {
	if !beyondLoopback(l) || s.anyoneCould() {
		return true
	}
	addr := peerAddr(conn)
	s.tally.refused(slog.LevelWarn, "Connection dropped", source(addr.Addr()), from(addr), "Connection dropped", "from", addr.String(), "error", errNobody)
	conn.Close()
	return false
}

// Shutdown stops accepting, tells everyone, lets commands that run end for ShutdownGrace, then hangs up on everyone and waits until all
// is gone. When ctx ends, it hangs up at once, and commands are killed without StopGrace.
func (s *Server) Shutdown(ctx context.Context) {
	s.mu.Lock()
	if s.stopped {
		s.mu.Unlock()
		return
	}
	s.stopped = true
	close(s.stopping)
	closeAll(s.listeners)
	for conn := range s.strangers {
		conn.Close()
	}
	s.mu.Unlock()
	defer context.AfterFunc(ctx, s.hurry)()
	var closing sync.WaitGroup
	s.announceStop(s.sessions.Entries(), &closing)
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
	s.tally.close()
	s.mu.Lock()
	controls := s.controls
	s.mu.Unlock()
	for _, c := range controls {
		c.close()
	}
	s.ending.Wait()
}

// Close gives back what the daemon still holds after Shutdown.
func (s *Server) Close() error {
	if access, ok := s.opts.Access.(io.Closer); ok {
		return access.Close()
	}
	return nil
}

// stranger notes a connection that is not authorized, so that Shutdown can end it; false if the daemon is stopping.
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
