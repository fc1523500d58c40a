package dial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/names"
	"minissh/protocol/transport"
)

// network is the way to a host: from which of our addresses, to which of its own, how often and for
// how long.
type network struct {
	*options.Options
	messages *report.Messages
	noHost   string // Dialer.NoHost
	mayAsk   bool   // there is somebody to ask
	// nil: a net.Dialer's
	dialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// of ConnectTimeout, by earlier attempts
	spent time.Duration
}

func (d *Dialer) newNetwork() *network {
	return &network{Options: d.Options, messages: d.Messages, noHost: d.NoHost,
		dialContext: d.Network, mayAsk: d.Ask != nil}
}

// longestWait is as good as no limit.
const longestWait = 100 * 365 * 24 * time.Hour

// limited is ctx with the time that is left for connecting: ConnectTimeout for each of
// ConnectionAttempts, and a second between. It counts once for all addresses of a host (Go divides
// it among them; ssh takes as long for each) and all connections of one Dial. While a person is
// asked there is no connection, so a question takes nothing from it.
func (n *network) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	timeout, more := n.ConnectTimeout, time.Duration(max(n.ConnectionAttempts, 1)-1)
	if timeout <= 0 || more > longestWait/(timeout+time.Second) {
		return context.WithCancel(ctx)
	}
	timeout += more * (timeout + time.Second)
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, timeout-n.spent)
	return ctx, sync.OnceFunc(func() {
		n.spent += time.Since(begun)
		cancel()
	})
}

// dial connects, and says in words why that failed.
func (n *network) dial(ctx context.Context) (net.Conn, error) {
	if n.Socket != "" {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", n.Socket)
		if err != nil {
			return nil, report.Failed(err, "minisshd --listen unix:PATH makes one",
				"no daemon answers on the socket %s: %v", n.Socket, report.Plain(err))
		}
		return conn, nil
	}
	if n.Proxied() {
		return n.startProxy(ctx, n.mayAsk)
	}
	address := net.JoinHostPort(n.HostName, strconv.Itoa(n.Port))
	n.messages.Debug("connecting to %s", address)
	conn, err := n.dialTCP(ctx, n.family(), address)
	if err == nil {
		return conn, nil
	}
	skipped := ""
	if len(n.Skipped) > 0 {
		skipped = "what is meant for sshd does not count here: " + strings.Join(n.Skipped, ", ") +
			"; ~/.config/minissh/config is read for minissh alone"
	}
	var dns *net.DNSError
	var slow net.Error
	var failure *report.Failure
	switch {
	case errors.As(err, &failure):
		return nil, err
	case errors.As(err, &dns):
		return nil, report.Failed(err, cmp.Or(n.noHost, skipped),
			"Could not resolve hostname %s: %v", n.HostName, dns.Err)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
		return nil, report.Failed(err, skipped, "connect to host %s port %d: Connection timed out",
			n.HostName, n.Port)
	case n.BindAddress != "" && errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, report.Failed(err, "minissh -b ADDRESS names an address of this machine",
			"BindAddress %s cannot be used: %v", n.BindAddress, report.Plain(err))
	}
	return nil,
		report.Failed(err, cmp.Or(skipped, fmt.Sprintf("is minisshd running there, and listening "+
			"on an address that can be reached? Its port is %d unless -p or its --listen says "+
			"otherwise", protocol.DefaultPort)),
			"connect to host %s port %d: %v", n.HostName, n.Port, report.Plain(err))
}

// family is the network that AddressFamily asks for, as package net names it.
func (n *network) family() string {
	return cmp.Or(map[string]string{"inet": "tcp4", "inet6": "tcp6"}[n.AddressFamily], "tcp")
}

// dialTCP dials until it succeeds, at most ConnectionAttempts times, a second apart as in ssh, each
// for at most ConnectTimeout.
func (n *network) dialTCP(ctx context.Context, network, address string) (conn net.Conn, err error) {
	dial := n.dialContext
	if dial == nil {
		dialer, err := n.localEnd(ctx, network)
		if err != nil {
			return nil, err
		}
		dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			return names.Dial(ctx, dialer, network, address)
		}
	}
	for attempt := 1; ; attempt++ {
		attempting, cancel := ctx, context.CancelFunc(func() {})
		if most := n.ConnectTimeout; most > 0 {
			attempting, cancel = context.WithTimeout(ctx, most)
		}
		conn, err = dial(attempting, network, address)
		cancel()
		if err == nil || attempt >= n.ConnectionAttempts {
			return conn, err
		}
		n.messages.Debug("attempt %d of %d failed: %v", attempt, n.ConnectionAttempts,
			report.Plain(err))
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// localEnd is the dialer of a connection: from the address that BindAddress (-b) names, else from
// one of the interface that BindInterface (-B) names. What cannot be used is an error, since the
// other side, or a firewall between, may go by our address.
func (n *network) localEnd(ctx context.Context, network string) (*net.Dialer, error) {
	dialer := &net.Dialer{KeepAlive: -1} // a link has its own signs of life (SE6)
	var candidates []net.IPAddr
	var named string
	switch {
	case n.BindAddress != "":
		named = "BindAddress " + n.BindAddress
		list, err := names.Lookup(ctx, "tcp", n.BindAddress)
		if err != nil {
			return nil, report.Failed(err, "minissh -b ADDRESS names an address of this machine",
				"%s cannot be used: there is no such address", named)
		}
		for _, addr := range list {
			candidates = append(candidates, net.IPAddr{IP: addr.AsSlice(), Zone: addr.Zone()})
		}
	case n.BindInterface != "":
		named = "BindInterface " + n.BindInterface
		list, err := interfaceAddresses(n.BindInterface)
		if err != nil {
			return nil,
				report.Failed(err, "minissh -B INTERFACE names a network interface of this machine",
					"%s cannot be used: there is no such interface", named)
		}
		candidates = list
	default:
		return dialer, nil
	}
	for _, from := range candidates {
		if isFour := from.IP.To4() != nil; network == "tcp" || isFour == (network == "tcp4") {
			dialer.LocalAddr = &net.TCPAddr{IP: from.IP, Zone: from.Zone}
			return dialer, nil
		}
	}
	return nil, report.Failed(nil, "-4 and -6 choose the kind of address",
		"%s cannot be used: it has no address of the kind that is wanted", named)
}

// interfaceAddresses are an interface's addresses, those of the link alone and of the loopback
// last, as ssh prefers them.
func interfaceAddresses(name string) (first []net.IPAddr, err error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return nil, err
	}
	all, err := i.Addrs()
	if err != nil {
		return nil, err
	}
	var last []net.IPAddr
	for _, a := range all {
		has, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		if has.IP.IsLinkLocalUnicast() || has.IP.IsLoopback() {
			from := net.IPAddr{IP: has.IP}
			if has.IP.IsLinkLocalUnicast() {
				from.Zone = name
			}
			last = append(last, from)
			continue
		}
		first = append(first, net.IPAddr{IP: has.IP})
	}
	return append(first, last...), nil
}

// dialSocket is Dial over a Unix socket, where the kernel says who we are.
func (d *Dialer) dialSocket(ctx context.Context, prepare func(*mux.Session) error) (*Connection,
	error) {
	way := d.newNetwork()
	ctx, cancel := way.limited(ctx)
	defer cancel()
	if file := d.Options.KeyLog; file != "" {
		d.Messages.Say(options.LevelInfo,
			"nothing is written to %s: a Unix socket has no TLS, so there are no secrets",
			protocol.Quote(file))
	}
	raw, err := way.trusted(ctx)
	if err != nil {
		return nil, err
	}
	return d.enter(ctx, plain(raw), nil, prepare,
		again{connect: func(ctx, _ context.Context, _ string) (*transport.Conn, error) {
			raw, err := way.trusted(ctx)
			if err != nil {
				return nil, err
			}
			return plain(raw), nil
		}})
}

// trusted connects to a socket that root or we ourselves listen on.
func (n *network) trusted(ctx context.Context) (net.Conn, error) {
	raw, err := n.dial(ctx)
	if err != nil {
		return nil, err
	}
	uid, err := transport.PeerUID(raw.(*net.UnixConn))
	if err == nil && uid != 0 && int64(uid) != int64(os.Getuid()) {
		err = fmt.Errorf("user %d listens on it, who is neither root nor you", uid)
	}
	if err != nil {
		raw.Close()
		return nil, report.Failed(err, "", "will not use the socket %s: %v", n.Socket, err)
	}
	return raw, nil
}

func plain(raw net.Conn) *transport.Conn {
	conn := transport.Plain(raw)
	conn.Authorized()
	return conn
}
