package transport

import (
	"net"

	"golang.org/x/sys/unix"
)

// PeerUID asks the kernel which user is at the other end of a Unix socket (SO_PEERCRED, unix(7)):
// for a client the user that listens, for a daemon the user that connected.
func PeerUID(conn *net.UnixConn) (uint32, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	var asked error
	err = raw.Control(func(fd uintptr) {
		cred, asked = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err == nil {
		err = asked
	}
	if err != nil {
		return 0, err
	}
	return cred.Uid, nil
}
