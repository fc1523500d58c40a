//go:build !linux

package transport

import (
	"net"
	"time"
)

const answersKnown = false

// acknowledged is unknown on this system.
func acknowledged(*net.TCPConn, time.Duration) bool { return false }
