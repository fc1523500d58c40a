package daemon

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"minissh/protocol"
)

// DefaultListen is where a daemon listens that was told nothing: loopback, both families.
var DefaultListen = []string{"127.0.0.1:7422", "[::1]:7422"}

// listen opens one address: "host:port", "[v6]:port", "host" (the default port), ":port" (every interface) or "unix:PATH".
func listen(address string, socketMode os.FileMode) ([]net.Listener, error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		l, err := listenUnix(path, socketMode)
		if err != nil {
			return nil, err
		}
		return []net.Listener{l}, nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = strings.Trim(address, "[]"), strconv.Itoa(protocol.DefaultPort)
	}
	if host == "" {
		l, err := net.Listen("tcp", net.JoinHostPort("", port))
		if err != nil {
			return nil, err
		}
		return []net.Listener{l}, nil
	}
	ips, err := net.LookupIP(host)
	if err != nil {
		return nil, fmt.Errorf("the address %q to listen on: %w", address, err)
	}
	var all []net.Listener
	for _, ip := range ips {
		l, err := net.Listen("tcp", net.JoinHostPort(ip.String(), port))
		if err != nil {
			closeAll(all)
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

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
		if conn, err := net.Dial("unix", path); err == nil {
			conn.Close()
			return nil, fmt.Errorf("another program listens on %s", path)
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
