//go:build !linux

package probe

import "net"

// Segments is not known on this system.
func Segments(net.Conn) (n int, ok bool) { return 0, false }
