//go:build linux || darwin

package process

import (
	"net"
	"os"
	"syscall"
)

// SocketFD is the descriptor of a helper's socket: see StartSocket.
const SocketFD = 3

// StartSocket is StartSelf for a helper that passes descriptors to the daemon: the helper also
// inherits, as its descriptor SocketFD, one end of a socket that keeps messages apart. The other
// end is returned; the caller closes it. On macOS it does not end with the helper: watch Done.
//
// What is passed is the user's too: the daemon must not believe in a descriptor's kind or flags,
// which the user's other processes can change at any time.
func StartSocket(acct Account, verb string, args ...string) (*Process, *net.UnixConn, error) {
	spec, err := selfSpec(acct, verb, args...)
	if err != nil {
		return nil, nil, err
	}
	return startSocket(spec)
}

// StartLastingSocket is StartSocket for a helper that may outlive the session: see StartLasting.
func StartLastingSocket(acct Account, verb string) (*Process, *net.UnixConn, error) {
	spec, err := selfSpec(acct, verb)
	if err != nil {
		return nil, nil, err
	}
	spec.lasts = true
	return startSocket(spec)
}

func startSocket(spec Spec) (*Process, *net.UnixConn, error) {
	spec.socket = new(*net.UnixConn)
	p, err := Start(spec)
	if err != nil {
		return nil, nil, err
	}
	return p, *spec.socket, nil
}

// addSocket makes a socket for the command's next descriptor, and gives our end to spec.
func (s *pipeSet) addSocket(spec Spec) error {
	theirs, ours, err := socketPair()
	if err != nil {
		return err
	}
	s.child, s.pipes = append(s.child, theirs), append(s.pipes, theirs)
	file := os.NewFile(uintptr(ours), "socket")
	defer file.Close() // FileConn duplicates it
	conn, err := net.FileConn(file)
	if err != nil {
		return err
	}
	s.socket, _ = conn.(*net.UnixConn)
	*spec.socket = s.socket
	return nil
}

func socketPair() (theirs, ours int, err error) {
	// the lock keeps a fork from coming between the two steps
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, messageSocket, 0)
	if err != nil {
		return 0, 0, err
	}
	syscall.CloseOnExec(pair[0])
	syscall.CloseOnExec(pair[1])
	return pair[0], pair[1], nil
}
