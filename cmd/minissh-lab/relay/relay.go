package relay

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"minissh/cmd/minissh-lab/server"
	"minissh/cmd/minissh-lab/tape"
)

const (
	maxConns  = 64               // connections at a time
	dialLimit = 10 * time.Second // for the server to accept one
	afterFail = 50 * time.Millisecond
	startTime = 10 * time.Second // for a server that is being started
)

// Config is what a relay is made from. Networks and addresses are server.ParseAddress's, of tcp or
// unix.
type Config struct {
	Network, Address             string // where clients connect to
	TargetNetwork, TargetAddress string // the server
	Tape                         *tape.Tape
	// Ended is closed when the server's program has ended; until then one that cannot be reached
	// is waited for, since it may still be starting. Nil: it is not waited for.
	Ended <-chan struct{}
	// Linked is told of each connection by its number on the tape: the client's address, and ours
	// at the server. Nil for nobody. Several goroutines may call it.
	Linked func(n int, client, ours net.Addr)
}

// ErrItself is a server's address that is the relay's own.
var ErrItself = errors.New("the server's address is the relay's own")

// Relay is a listening socket.
type Relay struct {
	cfg Config
	l   net.Listener
}

// Listen binds the address. Its errors are net.Listen's, or ErrItself.
func Listen(cfg Config) (*Relay, error) {
	if cfg.Network == "unix" && cfg.TargetNetwork == "unix" && cfg.Address == cfg.TargetAddress {
		return nil, ErrItself // before a file that a server has left there is removed
	}
	l, err := server.ListenStream(cfg.Network, cfg.Address)
	if err != nil {
		return nil, err
	}
	if isAt(l.Addr(), cfg) {
		l.Close()
		return nil, ErrItself
	}
	return &Relay{cfg, l}, nil
}

// isAt reports whether the server's address is one where we listen.
func isAt(a net.Addr, cfg Config) bool {
	own, ok := a.(*net.TCPAddr)
	if !ok || cfg.TargetNetwork != "tcp" {
		return false
	}
	to, err := net.ResolveTCPAddr("tcp", cfg.TargetAddress)
	return err == nil && to.Port == own.Port && (to.IP.Equal(own.IP) || to.IP == nil ||
		to.IP.IsUnspecified() || own.IP.IsUnspecified())
}

// Addr is the bound address.
func (r *Relay) Addr() net.Addr { return r.l.Addr() }

// Close gives the address back. Serve closes too: Close is for a relay that is never served.
func (r *Relay) Close() error { return r.l.Close() }

// Stop takes no new connection: Serve returns when those under way have ended.
func (r *Relay) Stop() { r.l.Close() }

// Serve relays until ctx ends, or after Stop until the last connection has ended (both nil), or
// until listening fails; then it waits for every connection to end. It does not close the tape.
func (r *Relay) Serve(ctx context.Context) error {
	defer r.l.Close()
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	defer context.AfterFunc(ctx, func() { r.l.Close() })()
	slots := make(chan struct{}, maxConns)
	for {
		conn, err := r.l.Accept()
		switch {
		case err != nil && ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			all.Wait()
			return nil
		case err != nil:
			select { // such as too many open files: it must not spin
			case <-time.After(afterFail):
			case <-ctx.Done():
			}
			continue
		}
		select {
		case slots <- struct{}{}:
		default:
			abort(conn) // nobody's own programs open so many
			continue
		}
		all.Go(func() {
			defer func() { <-slots }()
			r.serve(ctx, conn)
		})
	}
}

// serve is the life of one connection.
func (r *Relay) serve(ctx context.Context, client net.Conn) {
	n := r.cfg.Tape.Connect()
	target, err := r.dial(ctx)
	if err != nil {
		if ctx.Err() == nil {
			r.cfg.Tape.Add(tape.Event{Conn: n, Kind: tape.Refused})
		}
		abort(client)
		return
	}
	if r.cfg.Linked != nil {
		r.cfg.Linked(n, client.RemoteAddr(), target.LocalAddr())
	}
	k := &link{n: n, tape: r.cfg.Tape, client: client, server: target,
		ended: map[tape.Way]bool{}}
	defer context.AfterFunc(ctx, k.close)()
	k.run()
}

// dial connects to the server. One that is being started is tried again: its listening cannot be
// seen in another way that leaves its first accept to the client.
func (r *Relay) dial(ctx context.Context) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialLimit}
	for began := time.Now(); ; {
		c, err := dialer.DialContext(ctx, r.cfg.TargetNetwork, r.cfg.TargetAddress)
		if err == nil || r.cfg.Ended == nil || time.Since(began) > startTime {
			return c, err
		}
		select {
		case <-r.cfg.Ended:
			return nil, err
		case <-ctx.Done():
			return nil, err
		case <-time.After(afterFail):
		}
	}
}

// abort closes a connection with a RST, where it has one.
func abort(conn net.Conn) {
	if c, ok := conn.(*net.TCPConn); ok {
		c.SetLinger(0)
	}
	conn.Close()
}
