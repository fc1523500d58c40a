package authorized

import (
	"errors"
	"net"
	"strconv"
	"strings"

	"minissh/protocol/wildcard"
)

// destination splits host:port as sshd does (handle_permit), and rejects what sshd does not take;
// port * is any. With bare, a port may be alone: then host is "".
func destination(value string, bare bool) (host, port string, err error) {
	bad := errors.New("it names no port")
	if rest, bracketed := strings.CutPrefix(value, "["); bracketed {
		host, port, _ = strings.Cut(rest, "]")
		if port == "" || port[0] != ':' && port[0] != '/' {
			return "", "", bad
		}
		port = port[1:]
	} else if at := strings.IndexAny(value, ":/"); at >= 0 {
		host, port = value[:at], value[at+1:]
	} else if port = value; !bare {
		return "", "", bad
	}
	if n, err := net.LookupPort("tcp", port); port != "*" && (err != nil || n == 0) ||
		strings.ContainsAny(value, " \t,") {
		return "", "", bad
	}
	return host, port, nil
}

// CheckDestination says what is wrong with a value of permitopen=, or (bare) of permitlisten=.
func CheckDestination(value string, bare bool) error {
	_, _, err := destination(value, bare)
	return err
}

// MayOpen says whether a key may connect to a port of a host (FO6). As in sshd names are compared
// as text and not looked up. A key with permitopen= may open no Unix socket, for which host is "".
func (r *Restrictions) MayOpen(host string, port int) error {
	if r.PermitOpen == nil {
		return nil
	}
	for _, permitted := range r.PermitOpen {
		name, number, err := destination(permitted, false)
		if err == nil && host != "" && (name == host || name == "*") && isPort(number, port) {
			return nil
		}
	}
	return &RefusedError{Service: "this target", Option: "permitopen"}
}

// MayListen says whether a key may listen on a port of an address, which is "" for all of them
// (FO7). As in sshd the client's word for the address is compared with a pattern, and port 0, any,
// needs the port *. A key with permitlisten= may listen on no Unix socket.
func (r *Restrictions) MayListen(host string, port int, socket bool) error {
	if r.PermitListen == nil {
		return nil
	}
	for _, permitted := range r.PermitListen {
		name, number, err := destination(permitted, true)
		if name == "" {
			name = "*"
		}
		if err == nil && !socket && wildcard.Match(host, name) && isPort(number, port) {
			return nil
		}
	}
	return &RefusedError{Service: "this address", Option: "permitlisten"}
}

func isPort(name string, port int) bool {
	if name == "*" {
		return true
	}
	if n, err := strconv.Atoi(name); err == nil {
		return n == port
	}
	n, err := net.LookupPort("tcp", name)
	return err == nil && n == port
}
