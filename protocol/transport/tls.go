package transport

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/nonblock"
)

// Busy is what a daemon with too many unauthenticated connections answers (CA4): a fatal TLS
// alert, access_denied.
var Busy = []byte{0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x31}

// Conn is a link's connection: frames go in and out of it.
type Conn struct {
	net.Conn // TLS, or the Unix socket itself
	low      *buffered
	secure   *tls.Conn         // nil on a Unix socket
	peer     *x509.Certificate // the envelope of the peer's key; nil on a Unix socket
	own      []byte            // a daemon's own, in DER
	// a client's, before its first Write; the goroutine that writes owns it
	greets bool
}

// Peer is the envelope that holds the peer's public key; nothing else in it counts (ID1). Nil on a
// Unix socket.
func (c *Conn) Peer() *x509.Certificate { return c.peer }

// Own is the envelope that a daemon has shown on this connection; the error is that it has not
// shown one.
func (c *Conn) Own() (*x509.Certificate, error) { return x509.ParseCertificate(c.own) }

// Authorized lifts the limit on what may be read (ID8).
func (c *Conn) Authorized() { c.low.left.Store(-1) }

// SetPatience makes a Write fail that makes no progress for so long, as a deadline before each
// would, at no cost while none waits; unless more, which may be nil, says to wait as long again.
// False: the connection does not have this ability.
func (c *Conn) SetPatience(d time.Duration, more func() bool) bool {
	return nonblock.SetPatience(c.low.Conn, d, more)
}

// Close says that nothing more comes, if that takes no longer than crypto/tls allows, and closes.
func (c *Conn) Close() error {
	c.SetPatience(5*time.Second, nil)
	return c.Conn.Close()
}

// Break closes without a word to the peer.
func (c *Conn) Break() error { return c.low.raw.Close() }

// PeerAnswers says that the peer's system has acknowledged something lately, whatever the peer
// itself does. On a Unix socket that is our own system, which would report the peer's end. False if
// nobody knows.
func (c *Conn) PeerAnswers(within time.Duration) bool {
	switch raw := c.low.raw.(type) {
	case *net.UnixConn:
		return true
	case *net.TCPConn:
		return acknowledged(raw, within)
	}
	return false
}

// AnswersKnown says whether this system tells of a peer's acknowledgements on such a connection. On
// a Unix socket there are none.
func (c *Conn) AnswersKnown() bool {
	_, tcp := c.low.raw.(*net.TCPConn)
	return tcp && answersKnown
}

// Export returns 32 bytes that only the two ends of this TLS connection know (RFC 9266's kind of
// channel binding, with our own label).
func (c *Conn) Export(label string) ([]byte, error) {
	if c.secure == nil {
		return nil, errors.New("a Unix socket has no TLS exporter")
	}
	state := c.secure.ConnectionState()
	return state.ExportKeyingMaterial(label, nil, 32)
}

// recordSize is the most that one TLS record carries (RFC 8446, 5.1).
const recordSize = 16 << 10

// Write sends p in as few system calls as its size allows.
func (c *Conn) Write(p []byte) (int, error) {
	if c.secure == nil {
		return c.Conn.Write(p)
	}
	if len(p) <= recordSize && !c.greets {
		return c.secure.Write(p)
	}
	c.low.cork()
	n, err := c.writeRecords(p)
	if flushed := c.low.uncork(); err == nil {
		err = flushed
	}
	return n, err
}

// writeRecords puts a client's first frame, HELLO, into a TLS record of its own. The daemon could
// not read a record that a long command fills, because it reads little before it knows who the
// client is (ID8).
func (c *Conn) writeRecords(p []byte) (int, error) {
	if !c.greets || len(p) < protocol.HeaderSize {
		return c.secure.Write(p)
	}
	c.greets = false
	hello := protocol.HeaderSize + int(min(binary.BigEndian.Uint32(p), protocol.MaxHello))
	if hello >= len(p) {
		return c.secure.Write(p)
	}
	n, err := c.secure.Write(p[:hello])
	if err != nil {
		return n, err
	}
	more, err := c.secure.Write(p[hello:])
	return n + more, err
}

// CloseWrite tells the peer that nothing more comes.
func (c *Conn) CloseWrite() error {
	if c.secure != nil {
		if err := c.secure.CloseWrite(); err != nil {
			return err
		}
	}
	if half, ok := c.low.Conn.(mux.HalfCloser); ok {
		return half.CloseWrite()
	}
	return nil
}

// profile is what both ends have in common (CA1, CA2).
func profile(own ...tls.Certificate) *tls.Config {
	return &tls.Config{
		MinVersion:                  tls.VersionTLS13,
		NextProtos:                  []string{protocol.ALPN},
		Certificates:                own,
		SessionTicketsDisabled:      true,
		DynamicRecordSizingDisabled: true,
	}
}

// ServerConfig is a daemon's TLS profile with the envelope of its host key.
func ServerConfig(host tls.Certificate) *tls.Config {
	config := profile(host)
	config.ClientAuth = tls.RequireAnyClientCert // authorization comes after HELLO (ID5)
	return config
}

// Server does the daemon's part of the TLS handshake. The caller has set a deadline. It reads at
// most protocol.MaxLogin bytes from raw in the handshake, and protocol.MaxGreeting after it until
// Authorized is called. It computes in its turn, which may be nil. raw is not closed when an error
// is returned.
func Server(raw net.Conn, config *tls.Config, turn *Turn) (*Conn, error) {
	low := newBuffered(raw, protocol.MaxLogin)
	low.turn = turn
	conn, err := handshake(low, tls.Server(low, config))
	turn.give()
	low.turn = nil
	if err != nil {
		return nil, err
	}
	conn.own = config.Certificates[0].Certificate[0]
	// TLS reads a whole record before it returns a byte of it, and a client may have put more than
	// HELLO into one (SE3).
	low.left.Store(protocol.MaxGreeting)
	return conn, nil
}

// Client does the client's part of the TLS handshake, and shows own. verify gets the envelope of
// the daemon's key before the client has sent anything that names its own key; verify's error ends
// the handshake, and Client returns it. keyLog is nil, or takes the connection's secrets as
// OpenKeyLog's file does; a daemon's is in its config. raw is not closed when an error is returned.
func Client(raw net.Conn, keyLog io.Writer, own tls.Certificate,
	verify func(host *x509.Certificate) error) (*Conn, error) {
	return ClientTo(raw, "", keyLog, own, verify)
}

// ClientTo is Client for a session of the daemon with that name (RE9), "" if it has none.
func ClientTo(raw net.Conn, generation string, keyLog io.Writer, own tls.Certificate,
	verify func(host *x509.Certificate) error) (*Conn, error) {
	config := profile()
	if generation != "" {
		config.NextProtos = append(config.NextProtos, protocol.ForGeneration+generation)
	}
	config.KeyLogWriter = keyLog
	// The name in the certificate and its chain do not matter here; known_hosts decides, in verify.
	config.InsecureSkipVerify = true
	var refused error
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) != 1 {
			refused = fmt.Errorf("the other side presents %d certificates; minisshd presents one",
				len(state.PeerCertificates))
		} else {
			refused = verify(state.PeerCertificates[0])
		}
		return refused
	}
	// The whole certificate whatever the daemon asks for: it takes any key (ID5).
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return &own, nil
	}
	low := newBuffered(raw, protocol.MaxLogin)
	conn, err := handshake(low, tls.Client(low, config))
	if refused != nil {
		return nil, refused
	}
	if err != nil {
		return nil, err
	}
	conn.Authorized()
	conn.greets = true
	return conn, nil
}

func handshake(low *buffered, secure *tls.Conn) (*Conn, error) {
	if err := secure.Handshake(); err != nil {
		return nil, err
	}
	state := secure.ConnectionState()
	if state.NegotiatedProtocol != protocol.ALPN {
		return nil, fmt.Errorf("the other side did not agree to speak %s", protocol.ALPN)
	}
	if len(state.PeerCertificates) != 1 {
		return nil, fmt.Errorf("the other side presents %d certificates instead of one",
			len(state.PeerCertificates))
	}
	return &Conn{Conn: secure, low: low, secure: secure, peer: state.PeerCertificates[0]}, nil
}

// Plain is a link's connection over a Unix socket (CA3).
func Plain(raw net.Conn) *Conn {
	low := newBuffered(raw, protocol.MaxLogin)
	return &Conn{Conn: low, low: low}
}

// IsBusy distinguishes the daemon's "too many connections" (CA4) from other ends of a handshake.
func IsBusy(err error) bool {
	var alert tls.AlertError
	var op *net.OpError
	const accessDenied = 49
	if errors.As(err, &alert) {
		return uint8(alert) == accessDenied
	}
	return errors.As(err, &op) && op.Op == "remote error" &&
		op.Err.Error() == tls.AlertError(accessDenied).Error()
}

var (
	_ mux.Conn       = (*Conn)(nil)
	_ mux.HalfCloser = (*Conn)(nil)
	_ mux.Patient    = (*Conn)(nil)
	_ mux.Breaking   = (*Conn)(nil)
	_ mux.Answering  = (*Conn)(nil)
)
