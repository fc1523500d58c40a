//go:build !linux

package probe

import "net"

// Unread is not known on this system.
func Unread(net.Conn) (n int, ok bool) { return 0, false }
