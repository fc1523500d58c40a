package forward

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"syscall"

	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
)

// listen opens what a forward listens on: one address, or as ssh does both of loopback. One of them
// is enough where this machine has no other; if another program has it, that is a failure.
func listen(f *options.Forward, o *options.Options) ([]net.Listener, error) {
	if f.Path != "" {
		l, err := listenUnix(f.Path, o)
		if err != nil {
			return nil, cannotListen(f, err)
		}
		return []net.Listener{l}, nil
	}
	var addresses []string
	switch {
	case f.BindGiven && (f.Bind == "" || f.Bind == "*"), !f.BindGiven && o.GatewayPorts:
		addresses = []string{"0.0.0.0", "::"}
	case !f.BindGiven || f.Bind == "localhost":
		addresses = []string{"127.0.0.1", "::1"}
	default:
		addresses = []string{f.Bind}
	}
	var listeners []net.Listener
	var failed error
	for _, address := range addresses {
		network := "tcp"
		if ip := net.ParseIP(address); ip != nil && ip.To4() != nil {
			network = "tcp4"
		} else if ip != nil {
			network = "tcp6"
		}
		l, err := net.Listen(network, net.JoinHostPort(address, strconv.Itoa(f.Port)))
		switch {
		case err == nil:
			listeners = append(listeners, l)
		case errors.Is(err, syscall.EADDRINUSE), failed == nil:
			failed = err
		}
	}
	// another program must not get what is meant for the forward
	if len(listeners) > 0 && !errors.Is(failed, syscall.EADDRINUSE) {
		return listeners, nil
	}
	for _, l := range listeners {
		l.Close()
	}
	return nil, cannotListen(f, failed)
}

// listenUnix makes a Unix socket, which others cannot use unless StreamLocalBindMask lets them.
func listenUnix(path string, o *options.Options) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil && o.StreamLocalBindUnlink &&
		info.Mode().Type() == fs.ModeSocket {
		os.Remove(path)
	}
	restore := mask(int(o.StreamLocalBindMask))
	defer restore()
	return net.Listen("unix", path)
}

// cannotListen says why, and what else may be free.
func cannotListen(f *options.Forward, err error) error {
	hint := ""
	switch {
	case f.Path != "":
		hint = "-o StreamLocalBindUnlink=yes takes the place of a socket that is there"
	case errors.Is(err, os.ErrPermission):
		hint = "ports below 1024 are root's; " + typed(f, f.Port+8000) + " uses another"
	case f.Port < 65535:
		hint = "another program may have the port; " + typed(f, f.Port+1) + " uses another"
	}
	return report.Failed(err, hint, "cannot listen on %s: %v", placeName(f), report.Plain(err))
}

// placeName is where a forward listens, for people.
func placeName(f *options.Forward) string {
	switch {
	case f.Path != "":
		return protocol.Quote(f.Path)
	case !f.BindGiven:
		return fmt.Sprintf("port %d", f.Port)
	}
	return fmt.Sprintf("port %d of %s", f.Port, protocol.Quote(f.Bind))
}

// typed is the forward as it is typed, at a port.
func typed(f *options.Forward, port int) string {
	letter, words := "-L ", strconv.Itoa(port)
	switch {
	case f.Path != "":
		words = f.Path
	case f.BindGiven:
		words = net.JoinHostPort(f.Bind, words)
	}
	switch {
	case f.Remote:
		letter = "-R "
	case f.Dynamic:
		letter = "-D "
	}
	if f.Dynamic {
		return letter + words
	}
	return letter + words + ":" + f.Target.String()
}
