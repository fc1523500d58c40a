package protocol

import (
	"net"
	"strconv"
	"strings"
	"unicode"
)

// Target is where a connection goes (FO1): a host and a port, or the path of a Unix socket.
type Target struct {
	Host string `json:"host,omitempty"` // a name or an address
	Port int    `json:"port,omitempty"`
	Path Bytes  `json:"path,omitempty"`
}

const (
	maxHost = 255 // bytes
	maxPath = 1024
	maxPort = 65535
)

// Check finds what is wrong with a target; the error is a *Violation with CodeBadRequest.
func (t *Target) Check() error {
	switch {
	case (t.Host == "") == (len(t.Path) == 0) || len(t.Path) > 0 && t.Port != 0:
		return Violate(CodeBadRequest, "a target is a host and a port, or a path")
	case len(t.Path) > 0 && (t.Path[0] != '/' || len(t.Path) > maxPath):
		return Violate(CodeBadRequest, "the path of a socket is absolute, and at most %d bytes",
			maxPath)
	case len(t.Path) == 0 && (t.Port < 1 || t.Port > maxPort):
		return Violate(CodeBadRequest, "port is not 1 to %d", maxPort)
	case len(t.Host) > maxHost || strings.ContainsFunc(t.Host, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}):
		return Violate(CodeBadRequest, "host is not a name or an address")
	}
	return nil
}

// String is host:port, [address]:port, or the path. It holds the peer's words: quote it.
func (t *Target) String() string {
	if len(t.Path) > 0 {
		return string(t.Path)
	}
	return net.JoinHostPort(t.Host, strconv.Itoa(t.Port))
}

// CheckForward finds what is wrong with a request of the service forward (FO1); the error is a
// *Violation with CodeBadRequest.
func (o *Open) CheckForward() error {
	if o.Connect == nil {
		if o.In != 0 {
			return Violate(CodeBadRequest, "connect must be given with in")
		}
		return nil
	}
	return o.Connect.Check()
}
