package fakedaemon

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"minissh/client/dial"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
	"minissh/protocol/transport"
)

// Network is a network in memory with one daemon on it, for fake time too. A session outlives its
// links. What is exported may be set before the first link.
type Network struct {
	Dialer *dial.Dialer
	Said   *Messages // what the client says

	// Link is called with each link before its first byte, n counting from 0. An error is what the
	// client gets instead of it.
	Link func(n int, l *Link) error
	// Away is called before that, if it is set: it waits for as long as the network is away.
	Away func(context.Context) error

	Daemon mux.Config // of the daemon's sessions
	Up     time.Duration
	// Turns are what the daemon does instead, link by link, the last for all further ones.
	Turns []func(*Guest)
	Host  keys.Identity // of the links that are still to come

	t        *testing.T
	registry *mux.Registry
	served   sync.WaitGroup

	mu    sync.Mutex // guards the rest
	ended bool       // nothing is served any more
	began []time.Time
	links []*Link
	made  []*mux.Session // the daemon's
}

// NewNetwork makes a network whose daemon lets accept serve each channel, and holds sessions for a
// day. It ends with the test.
func NewNetwork(t *testing.T, accept func(*mux.Channel)) *Network {
	t.Helper()
	own := NewKey(t)
	o := &options.Options{
		Alias: "fake", HostName: "192.0.2.1", Port: protocol.DefaultPort, User: "tester",
		AddressFamily: "any", EscapeChar: '~', LogLevel: options.LevelInfo,
		ResumeFor: options.ResumeDefault, ServerAliveCountMax: 3,
	}
	n := &Network{Said: new(Messages), t: t, Host: NewKey(t), Up: time.Hour,
		registry: mux.NewRegistry(100),
		Link:     func(int, *Link) error { return nil }}
	n.Daemon = mux.Config{Role: mux.Daemon, Accept: accept, Resend: 1 << 20, Hold: 24 * time.Hour}
	n.Dialer = &dial.Dialer{Options: o, Messages: report.New(n.Said, o), Host: n.Host.Public,
		Identity: &own, Network: n.dial}
	t.Cleanup(n.end)
	return n
}

// end ends whatever is left.
func (n *Network) end() {
	n.mu.Lock()
	n.ended = true
	links, made := n.links, n.made
	n.mu.Unlock()
	for _, l := range links {
		l.Close()
	}
	n.served.Wait()
	for _, s := range made {
		s.Close(nil)
		s.Wait()
	}
}

// Links are all the links so far.
func (n *Network) Links() []*Link {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]*Link(nil), n.links...)
}

// Dials are the times at which the client has tried to connect.
func (n *Network) Dials() []time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]time.Time(nil), n.began...)
}

// Sessions are those that the daemon has made.
func (n *Network) Sessions() []*mux.Session {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]*mux.Session(nil), n.made...)
}

// dial is the network as the client's dialer sees it.
func (n *Network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, near := net.Pipe()
	far, daemon := net.Pipe()
	l := NewLink(near, far)
	n.mu.Lock()
	number := len(n.began)
	n.began = append(n.began, time.Now())
	n.links = append(n.links, l)
	n.mu.Unlock()
	var err error
	if n.Away != nil {
		err = n.Away(ctx)
	}
	if err == nil {
		err = n.Link(number, l)
	}
	if err == nil {
		err = n.start(number, l, daemon)
	}
	if err != nil {
		for _, conn := range []net.Conn{client, near, far, daemon} {
			conn.Close()
		}
		return nil, err
	}
	return client, ctx.Err()
}

// start lets a link run and be served, unless the network has ended: a client may be dialing yet.
func (n *Network) start(number int, l *Link, daemon net.Conn) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ended {
		return net.ErrClosed
	}
	n.served.Go(l.Run)
	n.served.Go(func() {
		defer daemon.Close()
		n.serve(number, daemon)
	})
	return nil
}

// serve is the daemon's side of one link.
func (n *Network) serve(number int, raw net.Conn) {
	cert, err := keys.Certificate(n.Host)
	if err != nil {
		n.t.Error(err)
		return
	}
	g := greet(raw, cert)
	if g == nil {
		return
	}
	if len(n.Turns) > 0 {
		n.Turns[min(number, len(n.Turns)-1)](g)
		return
	}
	session, err := n.registry.Attach("key", &g.Hello, func() (*mux.Session, error) {
		s := mux.New(n.Daemon)
		n.mu.Lock()
		defer n.mu.Unlock()
		n.made = append(n.made, s)
		return s, nil
	})
	if err == nil {
		err = session.Accept(g.Conn, &g.Hello, &protocol.Welcome{User: "tester",
			Home: protocol.Bytes("/home/tester"), Uptime: n.Up.Milliseconds()})
	}
	if v, ok := errors.AsType[*protocol.Violation](err); ok && (session == nil ||
		session.Err() != nil || v.Code == protocol.CodeStaleEpoch) {
		refusal, _ := protocol.AppendMessage(nil, protocol.TypeError, 0, v.Reason())
		if _, err := g.Write(refusal); err == nil {
			mux.Linger(g.Conn)
		}
	}
}

// greet is a connection up to its HELLO; nil if it does not come so far.
func greet(raw net.Conn, cert tls.Certificate) *Guest {
	conn, err := transport.Server(raw, transport.ServerConfig(cert), nil)
	if err != nil {
		return nil
	}
	conn.Authorized()
	key, err := keys.FromCertificate(conn.Peer())
	if err != nil {
		return nil
	}
	g := &Guest{Conn: conn, Raw: raw, in: protocol.NewReader(conn), Key: key}
	if first := g.Next(); first.Type != protocol.TypeHello ||
		first.Decode(&g.Hello) != nil || g.Hello.Check() != nil {
		return nil
	}
	return g
}
