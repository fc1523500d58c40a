//go:build unix

package daemon

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"minissh/protocol"
)

// sd_listen_fds(3): a service manager passes descriptors from this one on.
const firstActivated = 3

// mostActivated is how many sockets are taken from a service manager.
const mostActivated = 256

// Activated returns the listening sockets that a service manager opened for this process
// (LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES of sd_listen_fds(3)); none if it passed none, or
// passed them to another process. The variables are removed in any case. Each socket must be a
// stream socket, of TCP or Unix, that listens already; another one is an error, which names it.
// Their descriptors are close-on-exec. It is to be called once, before anything else opens files.
//
// stored, which may be nil, gets the others first: descriptors that the service manager has kept,
// by the names that it was told. It says whether it takes one.
func Activated(stored func(name string, fd int) bool) ([]net.Listener, error) {
	pid, count, names := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS"),
		strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		os.Unsetenv(name)
	}
	if pid != strconv.Itoa(os.Getpid()) || count == "" {
		return nil, nil
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || n > mostActivated {
		return nil, fmt.Errorf("LISTEN_FDS is %s, which is not a number of sockets up to %d",
			protocol.Quote(count), mostActivated)
	}
	for fd := firstActivated; fd < firstActivated+n; fd++ {
		syscall.CloseOnExec(fd)
	}
	var all []net.Listener
	for i := range n {
		name := "unknown"
		if i < len(names) && names[i] != "" {
			name = names[i]
		}
		if stored != nil && stored(name, firstActivated+i) {
			continue
		}
		l, err := activated(os.NewFile(uintptr(firstActivated+i), "activated"))
		if err != nil {
			closeAll(all)
			return nil, fmt.Errorf("the socket %s (descriptor %d) that the service manager "+
				"passed: %w", protocol.Quote(name), firstActivated+i, err)
		}
		all = append(all, l)
	}
	return all, nil
}

// Passed makes listeners of sockets that a service manager opened, which an earlier generation has
// checked. It closes the files.
func Passed(files []*os.File) (all []net.Listener, err error) {
	for i, f := range files {
		l, err := activated(f)
		if err != nil {
			closeAll(all)
			return nil, fmt.Errorf("the socket %d that the supervisor passed: %w", i, err)
		}
		all = append(all, l)
	}
	return all, nil
}

// activated makes a listener of a file, which it closes.
func activated(f *os.File) (net.Listener, error) {
	defer f.Close()
	fd := int(f.Fd())
	kind, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TYPE)
	if err != nil {
		return nil, err
	}
	if kind != syscall.SOCK_STREAM {
		return nil, errors.New("it is not a stream socket: ListenStream= makes one")
	}
	if listens, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET,
		syscall.SO_ACCEPTCONN); err == nil && listens == 0 {
		return nil, errors.New("it does not listen: the socket unit needs Accept=no")
	}
	l, err := net.FileListener(f) // with a descriptor of its own
	if err != nil {
		return nil, err
	}
	switch l.(type) {
	case *net.TCPListener, *net.UnixListener:
		return l, nil
	}
	l.Close()
	return nil, fmt.Errorf("minisshd does not speak over %s", l.Addr().Network())
}
