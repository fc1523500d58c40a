//go:build !linux

package daemon

import (
	"errors"
	"net"
)

// handover is for daemons that can be replaced while they serve.
type handover struct{}

// Handover is for daemons that can be replaced while they serve.
func (*Server) Handover(string) error {
	return errors.New("on this system a daemon is not replaced while it serves")
}

func (*Server) generation() string     { return "" }
func (*Server) elders() bool           { return false }
func (*Server) desks() []string        { return nil }
func (*Server) passesOn(net.Conn) bool { return false }
func (*handover) bequeath() bool       { return false }
func (*handover) close()               {}
