//go:build linux || darwin

package transport

import (
	"errors"
	"net"
)

// PeerUID asks the kernel which user is at the other end of a Unix socket: for a client the user
// that listens, for a daemon the user that connected.
func PeerUID(conn *net.UnixConn) (uid uint32, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var asked error
	err = raw.Control(func(fd uintptr) { uid, asked = peerUID(int(fd)) })
	return uid, errors.Join(err, asked)
}
