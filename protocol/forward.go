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
	case (t.Host == "") == (len(t.Path) == 0):
		return Violate(CodeBadRequest, "a target is a host and a port, or a path")
	case len(t.Path) == 0 && (t.Port < 1 || t.Port > maxPort):
		return Violate(CodeBadRequest, "port is not 1 to %d", maxPort)
	}
	return t.CheckListen()
}

// CheckListen is Check for a place to listen on, where host may be empty and port 0 (FO7).
func (t *Target) CheckListen() error {
	switch {
	case len(t.Path) > 0 && (t.Port != 0 || t.Host != ""):
		return Violate(CodeBadRequest, "a path has neither a host nor a port")
	case len(t.Path) > 0 && (t.Path[0] != '/' || len(t.Path) > maxPath):
		return Violate(CodeBadRequest, "the path of a socket is absolute, and at most %d bytes",
			maxPath)
	case t.Port < 0 || t.Port > maxPort:
		return Violate(CodeBadRequest, "port is not 0 to %d", maxPort)
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

// CheckAgent finds what is wrong with a request of the service agent (FO9); the error is a
// *Violation with CodeBadRequest.
func (o *Open) CheckAgent() error {
	if o.Connect != nil || o.Listen != nil {
		return Violate(CodeBadRequest, "an agent has neither connect nor listen")
	}
	return o.CheckForward()
}

// CheckForward finds what is wrong with a request of the service forward (FO1); the error is a
// *Violation with CodeBadRequest.
func (o *Open) CheckForward() error {
	if err := o.CheckNumbers(); err != nil {
		return err
	}
	switch {
	case o.Connect != nil && o.Listen != nil || o.Accept && (o.Connect != nil || o.Listen != nil):
		return Violate(CodeBadRequest, "connect, listen and accept exclude one another")
	case o.Connect != nil:
		return o.Connect.Check()
	case o.Accept && o.In == 0:
		return Violate(CodeBadRequest, "accept needs in: the channel of a listener")
	case o.Accept:
		return nil
	case o.In != 0:
		return Violate(CodeBadRequest, "in is for connect and accept")
	case o.Listen != nil:
		return o.Listen.CheckListen()
	}
	return nil
}
