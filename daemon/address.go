package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"

	"minissh/daemon/control"
	"minissh/protocol"
	"minissh/protocol/transport"
)

// ListenError is why a daemon does not listen somewhere.
type ListenError struct {
	What, Advice string
	Err          error // what caused it, may be nil
}

func (e *ListenError) Error() string { return e.What }
func (e *ListenError) Unwrap() error { return e.Err }

// Hint is what to type; "" if nothing is known.
func (e *ListenError) Hint() string { return e.Advice }

// address is what --listen names: a socket's path, or a host (none: every interface) and a port.
type address struct{ path, host, port string }

const forms = "--listen 127.0.0.1:7422, [::1]:7422, :7422 (every interface), or unix:/path"

// parseAddress reads "host:port", "[v6]:port", "host" (the default port), ":port" (every interface)
// or "unix:PATH". An empty address is refused: a forgotten variable must open nothing.
func parseAddress(text string) (address, error) {
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		return address{path: path}, checkSocketPath(path)
	}
	if text != "" && strings.Trim(text, "0123456789") == "" {
		return address{}, &ListenError{
			What: protocol.Quote(text) + " is a port without an address to listen on",
			Advice: "--listen 127.0.0.1:" + clipPort(text) + " for this machine alone, or :" +
				clipPort(text) + " for every interface",
		}
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		host, port = text, strconv.Itoa(protocol.DefaultPort)
		if inner, ok := strings.CutPrefix(text, "["); ok {
			host, ok = strings.CutSuffix(inner, "]")
			if !ok {
				return address{},
					&ListenError{What: protocol.Quote(text) + " is not an address to listen on",
						Advice: forms, Err: err}
			}
		}
	}
	if host == "" && port == "" || text == "" || text == "[]" {
		return address{},
			&ListenError{What: protocol.Quote(text) + " is not an address to listen on",
				Advice: forms}
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return address{},
			&ListenError{What: fmt.Sprintf("the port %s to listen on is not a number from 0 to "+
				"65535", protocol.Quote(port)), Advice: forms, Err: err}
	}
	return address{host: host, port: port}, nil
}

// clipPort is a port for a hint.
func clipPort(text string) string {
	if _, err := net.LookupPort("tcp", text); err != nil {
		return strconv.Itoa(protocol.DefaultPort)
	}
	return text
}

// hosts are a host's addresses, for net.Listen; "" is every interface of both families.
func (a address) hosts() (list []string, err error) {
	if a.host == "" {
		return []string{""}, nil
	}
	if ip, err := netip.ParseAddr(a.host); err == nil { // with its zone, which a look-up drops
		return []string{ip.Unmap().String()}, nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(context.Background(), "ip", a.host)
	if err != nil {
		return nil, &ListenError{
			What: "the host " + protocol.Quote(a.host) + " to listen on cannot be found: " +
				protocol.Quote(err.Error()), Advice: forms, Err: err,
		}
	}
	for _, ip := range ips {
		list = append(list, ip.Unmap().String())
	}
	return list, nil
}

// checkSocketPath refuses what is not a file: the kernel's names without one (those with an @, and
// the one it invents) have no permissions.
func checkSocketPath(path string) error {
	switch {
	case path == "" || path[0] == '@':
		return &ListenError{What: "unix: needs the path of a file after it", Advice: forms}
	case len(path) > control.MaxSocketPath:
		return &ListenError{
			What: fmt.Sprintf("%s is too long for a socket's path: the most is %d bytes",
				protocol.Quote(path), control.MaxSocketPath)}
	}
	return nil
}

// listenFailed says in words why an address cannot be used.
func listenFailed(host string, err error) error {
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		advice := "ip address, or ifconfig, lists this machine's addresses"
		last := strings.LastIndexByte(host, ':')
		if ip, err := netip.ParseAddr(host[:max(last, 0)]); err == nil && ip.Is6() {
			// "::1:7422" is an IPv6 address as a whole, and hardly meant so
			advice = "--listen " + net.JoinHostPort(host[:last], host[last+1:]) +
				", if that is an address and a port"
		}
		return &ListenError{What: protocol.Quote(host) + " is not an address of this machine",
			Advice: advice, Err: err}
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return &ListenError{What: err.Error(), Advice: "another program has that port, perhaps a " +
			"minisshd (minisshd who), or another --listen of this one; --listen names another " +
			"one", Err: err}
	}
	return err
}

// Resolve says what an address of --listen means, and whether others than this machine could reach
// it.
func Resolve(text string) (list []string, beyond bool, err error) {
	a, err := parseAddress(text)
	switch {
	case err != nil:
		return nil, false, err
	case a.path != "":
		return []string{text}, false, nil
	}
	hosts, err := a.hosts()
	for _, host := range hosts {
		addr, err := netip.ParseAddr(host)
		list = append(list, net.JoinHostPort(host, a.port))
		beyond = beyond || err != nil || !addr.IsLoopback()
	}
	return list, beyond, err
}

// CheckOurs says why Listen would refuse an address: it is not one of this machine. It opens ports
// for UDP, so that nothing listens meanwhile.
func CheckOurs(text string) error {
	a, err := parseAddress(text)
	if err != nil || a.path != "" || a.host == "" {
		return err
	}
	hosts, err := a.hosts()
	for _, host := range hosts {
		probe, err := net.ListenPacket(transport.Family("udp", host), net.JoinHostPort(host, "0"))
		if err != nil {
			return listenFailed(host, err)
		}
		probe.Close()
	}
	return err
}
