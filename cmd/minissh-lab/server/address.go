package server

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"

	"minissh/cmd/minissh-lab/speak"
	"minissh/protocol/transport"
)

// ParseAddress reads what people type for an address: `127.0.0.1:8080`,
// `[::1]:8080`, `:8080`, `8080`, `127.0.0.1`, `::1`, `unix:PATH`. What is missing is
// 127.0.0.1 and the dialect's port.
func ParseAddress(s string, port int, datagram bool) (network, address string, err error) {
	network = "tcp"
	if datagram {
		network = "udp"
	}
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		switch {
		case datagram:
			return "", "", errors.New("the UDP dialects speak UDP, not unix:PATH")
		case path == "":
			return "", "", errors.New("unix: wants a path, unix:/tmp/lab.sock")
		}
		return "unix", path, nil
	}
	host, portText := "127.0.0.1", strconv.Itoa(port)
	switch _, numErr := strconv.Atoi(s); {
	case s == "":
	case numErr == nil: // 8080
		portText = s
	case net.ParseIP(strings.Trim(s, "[]")) != nil: // 127.0.0.1, ::1, [::1]
		host = strings.Trim(s, "[]")
	case !strings.Contains(s, ":"): // a name
		host = s
	default:
		if host, portText, err = net.SplitHostPort(s); err != nil {
			return "", "", fmt.Errorf("address %s: want HOST:PORT, [v6]:PORT or unix:PATH",
				speak.Quote([]byte(s)))
		}
	}
	if n, err := strconv.Atoi(portText); err != nil || n < 0 || n > 65535 {
		return "", "", fmt.Errorf("port %s: want a number from 0 to 65535",
			speak.Quote([]byte(portText)))
	}
	return network, net.JoinHostPort(host, portText), nil
}

// Family is the network for listening on an address of ParseAddress's: 0.0.0.0 is IPv4 alone, and
// [::] IPv6 alone.
func Family(network, address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil || network == "unix" {
		return network
	}
	return transport.Family(network, host)
}

// InUse reports "address already in use". Windows has numbers of its own for it.
func InUse(err error) bool { return isErrno(err, syscall.EADDRINUSE, 10048) }

// Denied reports that the system does not let this user have the port (below 1024)
// or the path.
func Denied(err error) bool { return isErrno(err, syscall.EACCES, 10013) }

// NoSuchAddress reports that this machine does not have the address.
func NoSuchAddress(err error) bool { return isErrno(err, syscall.EADDRNOTAVAIL, 10049) }

func isErrno(err error, want ...syscall.Errno) bool {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return false
	}
	for _, w := range want {
		if errno == w {
			return true
		}
	}
	return false
}

// Beyond reports whether others than this machine reach the address, so that a
// server can say so.
func Beyond(a net.Addr) bool {
	var ip net.IP
	switch a := a.(type) {
	case *net.TCPAddr:
		ip = a.IP
	case *net.UDPAddr:
		ip = a.IP
	default:
		return false
	}
	return !ip.IsLoopback()
}
