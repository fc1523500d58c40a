//go:build !linux

package probe

import "net"

// Segments is not known on this system.
func Segments(net.Conn) (n int, ok bool) { return 0, false }

// Sent is not known on this system.
func Sent(net.Conn) (out Outgoing, ok bool) { return Outgoing{}, false }

// Received is not known on this system.
func Received(net.Conn) (segments, bytes int, ok bool) { return 0, 0, false }

// DelayAcks does nothing here: acks are left as they are.
func DelayAcks(net.Conn) {}

// Unread is not known on this system.
func Unread(net.Conn) (n int, ok bool) { return 0, false }
