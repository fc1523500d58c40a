//go:build !linux

package probe

import "net"

// Sent is not known on this system.
func Sent(net.Conn) (out Outgoing, ok bool) { return Outgoing{}, false }

// DelayAcks does nothing here: acks are left as they are.
func DelayAcks(net.Conn) {}
