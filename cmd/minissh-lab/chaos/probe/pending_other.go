//go:build !linux && !darwin && !windows

package probe

import "net"

// Pending is not known on this system.
func Pending(net.Conn) (n int, ok bool) { return 0, false }
