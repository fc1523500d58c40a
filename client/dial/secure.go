package dial

import (
	"context"
	"crypto"
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
// the host shows, before the host has proved that it holds it.
func (l *login) secure(ctx context.Context, envelope tls.Certificate,
	judge func(key ssh.PublicKey, from net.Addr) error) (conn *transport.Conn, err error) {
	raw := l.Conn
	if raw == nil {
		if raw, err = l.way.dial(ctx); err != nil {
			return nil, err
		}
	}
	return l.secureOn(ctx, raw, envelope, judge)
}

// secureOn does the handshake of TLS on a connection, which it closes if that fails.
func (l *login) secureOn(ctx context.Context, raw net.Conn, envelope tls.Certificate,
	judge func(key ssh.PublicKey, from net.Addr) error) (conn *transport.Conn, err error) {
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
	conn, err = transport.Client(raw, keyLog, envelope, func(host *x509.Certificate) error {
		key, err := keys.FromCertificate(host)
		if err != nil {
			return err
		}
		return judge(key, raw.RemoteAddr())
	})
	if !stop() && ctx.Err() != nil {
		err = ctx.Err()
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

// unsigned ends an attempt whose key did not sign: the user told the agent no (ssh-add -c), the
// agent is locked, or its hardware is missing. The daemon has judged nothing yet, so the next key
// may work.
type unsigned struct{ why error }

func (u *unsigned) Error() string { return u.why.Error() }
func (u *unsigned) Unwrap() error { return u.why }

// notingSigner keeps the error of a key that does not sign: crypto/tls passes on only its text.
type notingSigner struct {
	of     *keys.Identity
	signer crypto.MessageSigner // nil: the key is in our memory, and signs
	failed error                // set before the handshake ends
}

func noteFailures(of *keys.Identity) *notingSigner {
	signer, _ := of.Private.(crypto.MessageSigner)
	if !of.InAgent() {
		signer = nil
	}
	return &notingSigner{of: of, signer: signer}
}

// identity is what to show in a handshake.
func (n *notingSigner) identity() keys.Identity {
	id := *n.of
	if n.signer != nil {
		id.Private = n
	}
	return id
}

// Public implements crypto.Signer.
func (n *notingSigner) Public() crypto.PublicKey { return n.signer.Public() }

// Sign implements crypto.Signer.
func (n *notingSigner) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte,
	error) {
	return n.noted(n.signer.Sign(random, digest, opts))
}

// SignMessage implements crypto.MessageSigner.
func (n *notingSigner) SignMessage(random io.Reader, message []byte, opts crypto.SignerOpts) (
	[]byte, error) {
	return n.noted(n.signer.SignMessage(random, message, opts))
}

func (n *notingSigner) noted(signature []byte, err error) ([]byte, error) {
	if err != nil {
		n.failed = &unsigned{err}
	}
	return signature, err
}
