package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"minissh/daemon/control"
	"minissh/protocol/keys"
	"minissh/protocol/transport"
)

// DefaultListen is where a daemon listens by default: loopback, both families.
var DefaultListen = []string{"127.0.0.1:7422", "[::1]:7422"}

// Listen opens addresses, all or none. Beyond loopback it refuses while nobody could log in.
func (s *Server) Listen(addresses ...string) error {
	dropped, err := s.dropUnwanted(addresses)
	if err != nil {
		return err
	}
	patience := time.Now()
	if dropped {
		patience = patience.Add(dropTime)
	}
	var all []net.Listener
	for _, address := range addresses {
		opened, err := s.listen(address)
		for errors.Is(err, syscall.EADDRINUSE) && time.Now().Before(patience) {
			<-time.After(dropLook)
			opened, err = s.listen(address)
		}
		last := address == addresses[len(addresses)-1]
		if err != nil && noSuchFamily(err) && slices.Equal(addresses, DefaultListen) &&
			(len(all) > 0 || !last) {
			continue
		}
		if err != nil {
			closeAll(all)
			return err
		}
		all = append(all, opened...)
	}
	for _, l := range all {
		if beyondLoopback(l) && !s.desk.Open() {
			closeAll(all)
			return &ListenError{
				What: fmt.Sprintf("will not listen on %v: %v", l.Addr(), errNobody),
				Advice: "minisshd pair lets somebody in, with a code; minisshd check says which " +
					"keys are listed, and why each is not used",
				Err: errNobody,
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners = append(s.listeners, all...)
	return nil
}

// ListenOn takes sockets that listen already. A service manager opened them, so they cannot be
// refused while nobody could log in. Instead each connection from beyond loopback is then dropped
// unread, and the log says so (RULES A12).
func (s *Server) ListenOn(listeners ...net.Listener) {
	for _, l := range listeners {
		if beyondLoopback(l) && !s.desk.Open() {
			s.log.Warn("Connections from beyond loopback will be dropped until somebody could "+
				"log in",
				"address", l.Addr().String(), "error", errNobody)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners = append(s.listeners, listeners...)
	s.activated = append(s.activated, listeners...)
}

// unlink has the names of Unix sockets removed that were opened here, or by an earlier generation:
// those of a service manager are its own. The caller holds mu.
func (s *Server) unlink() {
	for _, l := range s.listeners {
		if l, ok := l.(*net.UnixListener); ok && !slices.Contains(s.activated, net.Listener(l)) {
			l.SetUnlinkOnClose(true)
		}
	}
}

// listening are the listeners so far.
func (s *Server) listening() []net.Listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.listeners)
}

// Addresses lists what the daemon listens on, as --listen takes them.
func (s *Server) Addresses() (list []string) {
	for _, l := range s.listening() {
		address := l.Addr().String()
		if l.Addr().Network() == "unix" {
			address = "unix:" + address
		}
		list = append(list, address)
	}
	return list
}

// BeyondLoopback says whether others than this machine can reach one of the listeners.
func (s *Server) BeyondLoopback() bool { return slices.ContainsFunc(s.listening(), beyondLoopback) }

// Announced is what others on the LAN may learn: the host key's fingerprint, and the ports and
// addresses (unspecified: all of the family) beyond loopback; none while nobody could log in or
// pair, since connections are dropped then (RULES A12).
func (s *Server) Announced() (fingerprint string, at []netip.AddrPort) {
	for _, l := range s.listening() {
		if !beyondLoopback(l) {
			continue
		}
		where := l.Addr().(*net.TCPAddr).AddrPort()
		where = netip.AddrPortFrom(where.Addr().Unmap(), where.Port())
		at = append(at, where)
		if _, six := l.(onlyIPv6); where.Addr() == netip.IPv6Unspecified() && !six {
			at = append(at, netip.AddrPortFrom(netip.IPv4Unspecified(), where.Port()))
		}
	}
	if len(at) == 0 || !s.desk.Open() {
		return "", nil
	}
	return keys.Fingerprint(s.identity.Load().public), at
}

// place is where the daemon is found now.
func (s *Server) place() control.Place {
	at := control.Place{HostKey: s.identity.Load().words()}
	for _, l := range s.listening() {
		tcp, ok := l.Addr().(*net.TCPAddr)
		switch {
		case !ok:
		case !tcp.IP.IsLoopback():
			at.Reachable = append(at.Reachable, reachable(l, tcp.AddrPort())...)
		case at.Port == 0:
			at.Port = tcp.AddrPort().Port()
		}
	}
	slices.SortStableFunc(at.Reachable, func(a, b netip.AddrPort) int {
		return a.Addr().BitLen() - b.Addr().BitLen()
	})
	at.Reachable = slices.Compact(at.Reachable)
	return at
}

// reachable lists addresses at which other machines may find a listener, as people type them.
func reachable(l net.Listener, at netip.AddrPort) (list []netip.AddrPort) {
	at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	if !at.Addr().IsUnspecified() {
		return []netip.AddrPort{at}
	}
	_, six := l.(onlyIPv6)
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		network, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		ip, _ := netip.AddrFromSlice(network.IP)
		ip = ip.Unmap()
		if ip.IsGlobalUnicast() && (ip.Is4() && !six || ip.Is6() && at.Addr().Is6()) {
			list = append(list, netip.AddrPortFrom(ip, at.Port()))
		}
	}
	return list
}

// heldKey begins the names under which a supervisor holds sockets that were opened here.
const heldKey = "listen/"

// How long a service manager may take to close what it is told not to keep, and how often we look.
const (
	dropTime = 2 * time.Second
	dropLook = 50 * time.Millisecond
)

// dropUnwanted closes what earlier generations have left open, and what these addresses do not say:
// it may be in the way of what they say, for as long as dropTime.
func (s *Server) dropUnwanted(addresses []string) (dropped bool, err error) {
	if s.opts.Generation == nil {
		return false, nil
	}
	var wanted []string
	for _, text := range addresses {
		a, err := parseAddress(text)
		if err != nil {
			return false, err
		}
		if a.path != "" {
			wanted = append(wanted, heldKey+text)
			continue
		}
		hosts, err := a.hosts()
		if err != nil {
			return false, err
		}
		for _, host := range hosts {
			wanted = append(wanted, heldKey+net.JoinHostPort(host, a.port))
		}
	}
	return s.opts.Generation.Want(heldKey, wanted)
}

// listen opens one address (parseAddress), or takes what an earlier generation has opened.
func (s *Server) listen(text string) ([]net.Listener, error) {
	a, err := parseAddress(text)
	if err != nil {
		return nil, err
	}
	if a.path != "" {
		l, err := control.Listening(s.opts.Generation, heldKey+text, a.path, s.opts.SocketMode)
		if err != nil {
			return nil, err
		}
		return []net.Listener{l}, nil
	}
	hosts, err := a.hosts()
	if err != nil {
		return nil, err
	}
	var all []net.Listener
	for _, host := range hosts {
		l, err := s.listenTCP(host, net.JoinHostPort(host, a.port))
		if err != nil {
			closeAll(all)
			return nil, listenFailed(host, err)
		}
		if addr, err := netip.ParseAddr(host); err == nil && addr.Is6() {
			l = onlyIPv6{l}
		}
		all = append(all, l)
	}
	return all, nil
}

func (s *Server) listenTCP(host, address string) (net.Listener, error) {
	if held := s.opts.Generation.Take(heldKey + address); held != nil {
		defer held.Close()
		return net.FileListener(held)
	}
	l, err := net.Listen(transport.Family("tcp", host), address)
	if err != nil {
		return nil, err
	}
	if err := s.opts.Generation.Keep(heldKey+address, l.(*net.TCPListener)); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Leave has another generation of the daemon accept the connections from now on, and answer at the
// control socket: Serve returns. Who is there stays.
func (s *Server) Leave() {
	s.mu.Lock()
	left := s.left || s.stopped
	s.left = true
	all := slices.Clone(s.listeners)
	s.mu.Unlock()
	if left {
		return
	}
	for _, l := range all {
		if l, ok := l.(*net.UnixListener); ok {
			l.SetUnlinkOnClose(false)
		}
	}
	closeAll(all)
	s.desk.Leave()
}

// AwaitIdle returns when nobody is here any more or about to be, and another daemon remembers the
// sessions that have ended; or when ctx ends, with its error.
func (s *Server) AwaitIdle(ctx context.Context) error {
	ticks := time.NewTicker(idleLook)
	defer ticks.Stop()
	var since time.Time // of being alone
	for !s.idle() {
		switch {
		case !s.alone():
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
		case time.Since(since) > heirTime:
			return nil
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

const (
	// idleLook is how often AwaitIdle looks.
	idleLook = 200 * time.Millisecond
	// heirTime is how long a daemon stays that only remembers sessions, and finds no other that
	// could: a restart takes less.
	heirTime = time.Minute
)

func (s *Server) idle() bool {
	if !s.alone() {
		return false
	}
	if s.sessions.Remembers() && (s.handover == nil || !s.handover.bequeath()) {
		return false
	}
	return s.alone() // still: connections came until then
}

// alone says whether nobody is here or about to be, and no job's keeper needs us.
func (s *Server) alone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.arrived.Load() == 0 && len(s.strangers) == 0 && len(s.sessions.Entries()) == 0 &&
		s.host.Outliving.Load() == 0
}

// noSuchFamily says that a machine has no addresses of a family, as when IPv6 is switched off: a
// default address of that family is left out.
func noSuchFamily(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}

// onlyIPv6 is a listener on an IPv6 address: on [::] this distinguishes it from one on both
// families.
type onlyIPv6 struct{ net.Listener }

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		l.Close()
	}
}

// beyondLoopback says whether others than this machine can reach the listener.
func beyondLoopback(l net.Listener) bool {
	addr, ok := l.Addr().(*net.TCPAddr)
	return ok && !addr.IP.IsLoopback()
}

// errNobody is why a daemon does not listen beyond loopback.
var errNobody = errors.New("nobody could log in: no usable key is listed")

// peerAddr is the address that a connection comes from; the zero Addr for a Unix socket.
func peerAddr(conn net.Conn) netip.AddrPort {
	if addr, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		ap := addr.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}
