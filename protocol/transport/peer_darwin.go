package transport

import (
	"net"

	"golang.org/x/sys/unix"
)

// PeerUID asks the kernel which user is at the other end of a Unix socket (LOCAL_PEERCRED,
// unix(4)).
func PeerUID(conn *net.UnixConn) (uint32, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Xucred
	var asked error
	err = raw.Control(func(fd uintptr) {
		cred, asked = unix.GetsockoptXucred(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	})
	if err == nil {
		err = asked
	}
	if err != nil {
		return 0, err
	}
	return cred.Uid, nil
}
