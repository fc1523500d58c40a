package daemon

import "net"

// Activated returns the sockets that a service manager passed. Windows has nothing like it.
func Activated() ([]net.Listener, error) { return nil, nil }
