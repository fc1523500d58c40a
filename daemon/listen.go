package daemon

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"

	"minissh/protocol/transport"
)

// DefaultListen is where a daemon listens that was told nothing: loopback, both families.
var DefaultListen = []string{"127.0.0.1:7422", "[::1]:7422"}

// listen opens one address (parseAddress).
func listen(text string, socketMode os.FileMode) ([]net.Listener, error) {
	a, err := parseAddress(text)
	if err != nil {
		return nil, err
	}
	if a.path != "" {
		l, err := listenUnix(a.path, socketMode)
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
		l, err := net.Listen(transport.Family("tcp", host), net.JoinHostPort(host, a.port))
		if err != nil {
			closeAll(all)
			return nil, listenFailed(err)
		}
		if addr, err := netip.ParseAddr(host); err == nil && addr.Is6() {
			l = onlyIPv6{l}
		}
		all = append(all, l)
	}
	return all, nil
}

// noSuchFamily says that a machine has no addresses of a family, as where IPv6 is switched off: what is listened on
// unasked does without it.
func noSuchFamily(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}

// onlyIPv6 is a listener on an IPv6 address: on [::] it is told by this from one of both families.
type onlyIPv6 struct{ net.Listener }

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		l.Close()
	}
}

// listenUnix listens on a socket file with those permissions. A socket that nobody listens on any more is replaced.
func listenUnix(path string, mode os.FileMode) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != os.ModeSocket {
			return nil, fmt.Errorf("%s is there and is no socket: choose another path", path)
		}
		// Only a refusal shows that nobody listens: with EAGAIN somebody is busy, and with EACCES it is none of our business.
		if conn, err := net.Dial("unix", path); err == nil {
			conn.Close()
			return nil, fmt.Errorf("another program listens on %s", path)
		} else if !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("another program may listen on %s: %w", path, err)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	var l net.Listener
	err := withUmask(0o777&^int(mode), func() (err error) {
		l, err = net.Listen("unix", path)
		return err
	})
	return l, err
}

// beyondLoopback says whether others than this machine can reach the listener.
func beyondLoopback(l net.Listener) bool {
	addr, ok := l.Addr().(*net.TCPAddr)
	return ok && !addr.IP.IsLoopback()
}

// errNobody is why a daemon does not listen beyond loopback.
var errNobody = errors.New("nobody could log in: no usable key is listed")

// peerAddr is the address a connection comes from; the zero Addr for a Unix socket.
func peerAddr(conn net.Conn) netip.AddrPort {
	if addr, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		ap := addr.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}
