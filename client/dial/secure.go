package dial

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/protocol/keys"
	"minissh/protocol/transport"
)

// secure makes the connection below a link: TCP, and TLS on it. judge decides about the key that
// the host shows, with its certificate or nil, before the host has proved that it holds it.
func (l *login) secure(ctx context.Context, envelope tls.Certificate,
	judge judgeHost) (conn *transport.Conn, err error) {
	raw := l.Conn
	if raw == nil {
		if raw, err = l.way.dial(ctx); err != nil {
			return nil, err
		}
	}
	return l.secureOn(ctx, raw, "", envelope, judge)
}

// judgeHost decides about a host's key, with its certificate or nil.
type judgeHost func(key ssh.PublicKey, cert *ssh.Certificate, from net.Addr) error

// secureOn does the handshake of TLS on a connection, which it closes if that fails.
func (l *login) secureOn(ctx context.Context, raw net.Conn, generation string,
	envelope tls.Certificate, judge judgeHost) (conn *transport.Conn, err error) {
	defer func() {
		if err != nil {
			raw.Close()
		}
	}()
	keyLog, endKeyLog, err := l.openKeyLog()
	if err != nil {
		return nil, err
	}
	defer endKeyLog()
	stop := context.AfterFunc(ctx, func() { raw.SetDeadline(time.Unix(1, 0)) })
	conn, err = transport.ClientTo(raw, generation, keyLog, envelope, func(
		host *x509.Certificate) error {
		key, err := keys.FromCertificate(host)
		if err != nil {
			return err
		}
		return judge(key, keys.HostCertificate(host, key), raw.RemoteAddr())
	})
	if !stop() && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, l.explain(err)
	}
	return conn, nil
}

// openKeyLog opens the file that --keylog names, for one handshake: TLS 1.3 has no further secrets
// after that. The writer is nil if none was asked for. The first time, the user is warned, whatever
// -q says.
func (l *login) openKeyLog() (w io.Writer, end func(), err error) {
	path := l.Options.KeyLog
	if path == "" {
		return nil, func() {}, nil
	}
	file, err := transport.OpenKeyLog(path)
	if err != nil {
		return nil, nil, err
	}
	if !l.warned {
		l.warned = true
		fmt.Fprintf(l.Messages, "minissh: warning: %s\n", transport.KeyLogWarning(path))
	}
	return file, func() { file.Close() }, nil
}
