package conform

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"strings"
	"time"

	"minissh/protocol"
	"minissh/protocol/keys"
)

// carrierProbes are of TLS, and of what takes its place on a Unix socket.
var carrierProbes = []Probe{
	{Rule: "CA3", Name: "unix",
		What: tx("Unix 套接字：帧马上开始", "a Unix socket: frames begin at once"),
		run: func(t *trial) {
			if t.o.Login != nil {
				t.unreached(tx("这里走的是 TLS", "the daemon is reached by TLS here"))
			}
			t.login(nil).sync(nil)
		}},
	{Rule: "CA1", Name: "alpn", What: tx("没有 ALPN：关掉", "no ALPN: it closes"),
		run: func(t *trial) {
			t.notServed(func(c *tls.Config) { c.NextProtos = nil })
		}},
	{Rule: "CA1", Name: "other-alpn", What: tx("别的 ALPN：关掉", "another ALPN: it closes"),
		run: func(t *trial) {
			t.notServed(func(c *tls.Config) { c.NextProtos = []string{"h2"} })
		}},
	{Rule: "CA1", Name: "old-tls", What: tx("TLS 1.2：拒绝", "TLS 1.2 is refused"),
		run: func(t *trial) {
			t.notServed(func(c *tls.Config) {
				c.MinVersion, c.MaxVersion = tls.VersionTLS12,
					tls.VersionTLS12
			})
		}},
	{Rule: "CA2", Name: "one-certificate",
		What: tx("守护进程只给一个证书，没有会话票据",
			"one certificate from the daemon, and no session ticket"), run: noTickets},
	{Rule: "CA2", Name: "sni", What: tx("有 SNI：忽略", "SNI is ignored"), run: func(t *trial) {
		t.served(func(c *tls.Config) { c.ServerName = "somebody.example" })
	}},
	{Rule: "ID1", Name: "odd-certificate",
		What: tx("过期的、改了名字的证书：公钥才是身份",
			"a certificate that has expired, with another name: its key is the identity"),
		run: func(t *trial) {
			t.needsTLS()
			odd := t.envelope(t.o.Login.Key.PrivateKey)
			t.served(func(c *tls.Config) { c.Certificates = []tls.Certificate{odd} })
		}},
	{Rule: "ID4", Name: "host-key",
		What: tx("主机密钥就是 --host-key", "the host key is that of --host-key"),
		run: func(t *trial) {
			t.needsTLS()
			t.login(nil).sync(nil) // connect has compared
		}},
	{Rule: "ID5", Name: "no-certificate",
		What: tx("没有客户端证书：拒绝", "a client without a certificate is refused"),
		run: func(t *trial) {
			t.notServed(func(c *tls.Config) { c.Certificates = nil })
		}},
	{Rule: "ID5", Name: "stranger",
		What: tx("陌生的密钥：TLS 通过，HELLO 之后 key_not_authorized",
			"a stranger's key passes TLS, and is refused after HELLO"), run: func(t *trial) {
			t.needsTLS()
			id, err := keys.Generate()
			t.must(err)
			stranger := []tls.Certificate{t.envelope(id.Private)}
			k := t.secure(func(c *tls.Config) { c.Certificates = stranger })
			k.send(message(protocol.TypeHello, 0, t.hello()))
			k.expectError(protocol.CodeKeyNotAuthorized)
		}},
}

func (t *trial) needsTLS() {
	if t.o.Login == nil {
		t.unreached(tx("要有 TLS：--address HOST:PORT", "it needs TLS: --address HOST:PORT"))
	}
}

// envelope is a certificate of a key, with dates and a name that mean nothing (ID1).
func (t *trial) envelope(private any) tls.Certificate {
	signer, ok := private.(crypto.Signer)
	if !ok {
		t.unreached(tx("密钥不能签名", "the key cannot sign"))
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7),
		Subject:   pkix.Name{CommonName: "of no matter"},
		NotBefore: time.Unix(1_000_000_000, 0), NotAfter: time.Unix(1_000_086_400, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, signer.Public(), private)
	t.must(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
}

// dialTLS makes a TLS connection as change has it.
func (t *trial) dialTLS(change func(*tls.Config)) (*tls.Conn, error) {
	t.needsTLS()
	raw, err := net.DialTimeout("tcp", t.o.Address, t.o.Patience)
	if err != nil {
		return nil, err
	}
	t.closes(raw)
	config := &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{protocol.ALPN},
		Certificates: []tls.Certificate{t.o.Login.Key}, InsecureSkipVerify: true}
	if change != nil {
		change(config)
	}
	raw.SetDeadline(time.Now().Add(t.o.Patience))
	conn := tls.Client(raw, config)
	return conn, conn.Handshake()
}

// secure is a link over a TLS connection as change has it.
func (t *trial) secure(change func(*tls.Config)) *talk {
	conn, err := t.dialTLS(change)
	if err != nil {
		t.fail(tx("TLS 握手成功", "a handshake"), ended(err))
	}
	return &talk{t: t, conn: conn, in: protocol.NewReader(conn), order: newOrder()}
}

// served wants such a client to be served.
func (t *trial) served(change func(*tls.Config)) {
	k := t.secure(change)
	k.hello(t.hello())
	t.expectOutput(k.run(command("echo hi"), ""), "hi\n", 0)
}

// notServed wants such a client's connection to end without an answer to HELLO, by a daemon that
// is there and stays there.
func (t *trial) notServed(change func(*tls.Config)) {
	t.needsTLS()
	t.login(nil).sync(nil)
	t.turnedAway(change)
	t.login(nil).sync(nil)
}

func (t *trial) turnedAway(change func(*tls.Config)) {
	conn, err := t.dialTLS(change)
	if err != nil {
		if isTimeout(err) {
			t.fail(tx("连接被关掉", "a connection that is closed"), ended(err))
		}
		return
	}
	k := &talk{t: t, conn: conn, in: protocol.NewReader(conn), order: newOrder()}
	k.send(message(protocol.TypeHello, 0, t.hello()))
	if f, err := k.next(t.o.Patience); err == nil && f.Type == protocol.TypeWelcome {
		t.fail(tx("连接被关掉", "a connection that is closed"), same(shown(f)))
	} else if isTimeout(err) {
		t.fail(tx("连接被关掉", "a connection that is closed"), ended(err))
	}
}

// tickets notes whether a ticket came.
type tickets struct{ came bool }

func (c *tickets) Get(string) (*tls.ClientSessionState, bool) { return nil, false }
func (c *tickets) Put(string, *tls.ClientSessionState)        { c.came = true }

func noTickets(t *trial) {
	cache := &tickets{}
	conn, err := t.dialTLS(func(c *tls.Config) { c.ClientSessionCache, c.ServerName = cache, "x" })
	if err != nil {
		t.fail(tx("TLS 握手成功", "a handshake"), ended(err))
	}
	k := &talk{t: t, conn: conn, in: protocol.NewReader(conn), order: newOrder()}
	k.hello(t.hello())
	k.sync(nil)
	if n := len(conn.ConnectionState().PeerCertificates); n != 1 {
		t.fail(tx("一个证书", "one certificate"), same(strings.Repeat("certificate ", n)))
	}
	if cache.came {
		t.fail(tx("没有会话票据", "no session ticket"), tx("来了一张", "one came"))
	}
}
