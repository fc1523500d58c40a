package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"minissh/protocol"
)

// Whether other machines reach what is listened on for clients, as sshd_config(5)'s GatewayPorts.
const (
	GatewayNo     = "no"              // loopback alone
	GatewayYes    = "yes"             // all addresses
	GatewayClient = "clientspecified" // the addresses that the client names
)

// bound is what is listened on for a client (FO7), with the rights of this process.
type bound struct {
	port      int    // 0: a Unix socket
	path      string // of an agent's socket, in a folder of its own; else ""
	listeners []net.Listener
	come      chan net.Conn // each listener holds one that nobody has taken; others wait outside
	over      chan struct{} // closed by close
	accepting sync.WaitGroup
}

// portTries is how many free ports are tried until one is free on all addresses.
const portTries = 8

// bind listens as a client asks, and as gateway allows.
func bind(on *protocol.Target, gateway string) (*bound, error) {
	b := &bound{come: make(chan net.Conn), over: make(chan struct{})}
	var err error
	if len(on.Path) > 0 {
		err = b.bindPath(string(on.Path))
	} else {
		addresses := addressesFor(on.Host, gateway)
		for try := range portTries {
			err = b.bindPort(addresses, on.Port)
			if err == nil || on.Port != 0 || try == portTries-1 ||
				!errors.Is(err, syscall.EADDRINUSE) {
				break
			}
		}
	}
	if err != nil {
		return nil, err
	}
	for _, l := range b.listeners {
		b.accepting.Go(func() { b.take(l) })
	}
	return b, nil
}

// agentFolder begins the name of a folder that has an agent's socket.
const agentFolder = "minissh-"

// bindAgent listens on a Unix socket in a new folder (FO9), where only this account gets.
func bindAgent() (*bound, error) {
	folder, err := os.MkdirTemp("", agentFolder)
	if err == nil {
		err = os.Chmod(folder, 0o700) // whatever the umask is
	}
	if err != nil {
		return nil, err
	}
	b := &bound{path: filepath.Join(folder, "agent."+strconv.Itoa(os.Getppid())),
		come: make(chan net.Conn), over: make(chan struct{})}
	if err := b.bindPath(b.path); err != nil {
		os.Remove(folder)
		return nil, err
	}
	b.accepting.Go(func() { b.take(b.listeners[0]) })
	return b, nil
}

// addressesFor is where to listen, as sshd decides it (channels.c, channel_fwd_bind_addr).
func addressesFor(host, gateway string) []string {
	switch {
	case gateway == GatewayYes, gateway == GatewayClient && (host == "" || host == "*"):
		return []string{"0.0.0.0", "::"}
	case host == "127.0.0.1", host == "::1", gateway == GatewayClient && host != "localhost":
		return []string{host}
	}
	return []string{"127.0.0.1", "::1"}
}

// bindPort listens on a port of all the addresses that this machine has. Another program must not
// get what is meant for the client, so one address that is taken is a failure.
func (b *bound) bindPort(addresses []string, port int) error {
	var failed error
	for _, address := range addresses {
		network := "tcp"
		if ip := net.ParseIP(address); ip != nil && ip.To4() != nil {
			network = "tcp4"
		} else if ip != nil {
			network = "tcp6"
		}
		l, err := net.Listen(network, net.JoinHostPort(address, strconv.Itoa(port)))
		switch {
		case err == nil:
			b.listeners = append(b.listeners, l)
			b.port = l.Addr().(*net.TCPAddr).Port
			port = b.port
		case errors.Is(err, syscall.EADDRINUSE), failed == nil:
			failed = err
		}
	}
	if len(b.listeners) > 0 && !errors.Is(failed, syscall.EADDRINUSE) {
		return nil
	}
	for _, l := range b.listeners {
		l.Close()
	}
	b.listeners = nil
	return failed
}

// longestPath is the longest path of a Unix socket here, in bytes: a zero byte comes after it.
const longestPath = len(syscall.RawSockaddrUnix{}.Path) - 1

// bindPath makes a Unix socket. One that nobody listens on any more is replaced: a helper that was
// killed has left it.
func (b *bound) bindPath(path string) error {
	if len(path) > longestPath {
		return fmt.Errorf("the path of a socket has at most %d bytes here", longestPath)
	}
	l, err := net.Listen("unix", path)
	if errors.Is(err, syscall.EADDRINUSE) {
		info, lost := os.Lstat(path)
		if lost == nil && info.Mode().Type() != fs.ModeSocket {
			return errors.New("a file is there that is not a socket")
		}
		if lost == nil {
			conn, dialed := net.DialTimeout("unix", path, time.Second)
			if dialed == nil {
				conn.Close()
			}
			if errors.Is(dialed, syscall.ECONNREFUSED) && os.Remove(path) == nil {
				l, err = net.Listen("unix", path)
			}
		}
	}
	if err == nil {
		b.listeners = []net.Listener{l}
	}
	return err
}

// take takes connections from one listener, each when the last one has been accepted.
func (b *bound) take(l net.Listener) {
	for {
		conn, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // no descriptors left, say: the next try may work
			select {
			case <-time.After(100 * time.Millisecond):
			case <-b.over:
			}
			continue
		}
		select {
		case b.come <- conn:
		case <-b.over:
			reset(conn)
			return
		}
	}
}

var errListenerEnded = errors.New("its listener has ended")

// accept waits for a connection.
func (b *bound) accept(ctx context.Context) (net.Conn, error) {
	select {
	case conn := <-b.come:
		return conn, nil
	case <-b.over:
		return nil, errListenerEnded
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// close ends it: what nobody has accepted is reset, and the path is removed.
func (b *bound) close() {
	close(b.over)
	for _, l := range b.listeners {
		l.Close()
	}
	b.accepting.Wait()
	if b.path != "" {
		os.Remove(filepath.Dir(b.path))
	}
}
