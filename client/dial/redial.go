package dial

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/crypto/ssh"

	"minissh/client/report"
	"minissh/protocol/names"
	"minissh/protocol/transport"
)

// connector connects as far as the end of TLS's handshake, to the daemon that has the session: the
// one of the generation that WELCOME named, "" if there was none (RE9). TCP alone may have less
// time.
type connector func(whole, tcp context.Context, generation string) (*transport.Conn, error)

// again is how further links of a session are made: a connection, and a signature in HELLO, nil if
// none is needed.
type again struct {
	connect connector
	sign    signLogin
}

// reconnect connects once more as far as TLS, with the same key of ours, to the host whose key is
// known by now. The host's name is looked up again, and all its addresses are tried at once.
func (l *login) reconnect(signer *notingSigner, envelope tls.Certificate, host ssh.PublicKey,
) connector {
	return func(ctx, tcp context.Context, generation string) (*transport.Conn, error) {
		raw, err := l.way.dialAny(tcp)
		if err != nil {
			return nil, err
		}
		signer.failed = nil
		ctx, cancel := signer.patient(ctx)
		defer cancel()
		judge := func(key ssh.PublicKey, _ *ssh.Certificate, _ net.Addr) error {
			if !bytes.Equal(key.Marshal(), host.Marshal()) {
				return report.Failed(errOtherHost, "", "%s shows another host key than before",
					l.Options.Alias)
			}
			return nil
		}
		conn, err := l.secureOn(ctx, raw, generation, envelope, judge)
		if err != nil && signer.failed != nil {
			err = signer.failed
		}
		return conn, err
	}
}

var errOtherHost = errors.New("another host key")

// dialAny connects to whichever of the host's addresses answers first.
func (n *network) dialAny(ctx context.Context) (net.Conn, error) {
	if n.Proxied() {
		return n.startProxy(ctx, false)
	}
	family := n.family()
	if n.dialContext != nil {
		return n.dialContext(ctx, family, net.JoinHostPort(n.HostName, strconv.Itoa(n.Port)))
	}
	dialer, err := n.localEnd(ctx, family)
	if err != nil {
		return nil, err
	}
	found, err := names.Lookup(ctx, family, n.HostName)
	if err != nil {
		return nil, err
	}
	found = found[:min(len(found), mostAddresses)]
	type result struct {
		conn net.Conn
		err  error
	}
	results := make(chan result)
	ctx, cancel := context.WithCancel(ctx)
	for _, address := range found {
		go func() {
			conn, err := dialer.DialContext(ctx, family,
				netip.AddrPortFrom(address, uint16(n.Port)).String())
			results <- result{conn, err}
		}()
	}
	err = errors.New("the host has no address")
	for left := len(found); left > 0; left-- {
		r := <-results
		if err = r.err; err != nil {
			continue
		}
		cancel() // of the others
		go func() {
			for range left - 1 {
				if other := <-results; other.err == nil {
					other.conn.Close()
				}
			}
		}()
		return r.conn, nil
	}
	cancel()
	return nil, err
}

// mostAddresses is how many of a host's addresses are tried at once.
const mostAddresses = 8
