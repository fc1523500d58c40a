package conform

import (
	"bytes"
	"crypto/rand"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/protocol"
)

// certificateProbes are of certificates by the authority that is given.
var certificateProbes = []Probe{
	{Rule: "CE1", Name: "too-long", What: tx("超过 4096 字节：bad_hello",
		"more than 4,096 bytes: bad_hello"), run: badCertificate(func(c *ssh.Certificate) {
		c.KeyId = strings.Repeat("x", 4096)
	})},
	{Rule: "CE1", Name: "nul", What: tx("key ID 里有 NUL：bad_hello",
		"NUL in the key ID: bad_hello"), run: badCertificate(func(c *ssh.Certificate) {
		c.KeyId = "a\x00b"
	})},
	{Rule: "CE2", Name: "admits", What: tx("证书代替密钥：登录", "a certificate logs in"),
		run: func(t *trial) {
			k := t.certified(nil)
			k.takeWelcome()
			t.expectOutput(k.run(command("echo hi"), ""), "hi\n", 0)
		}},
	{Rule: "CE2", Name: "not-its-key", What: tx("签名的不是证书里的密钥：key_not_authorized",
		"signed by another key than the certificate's: key_not_authorized"), run: func(t *trial) {
		t.authority() // or not reached
		t.certified(nil).takeWelcome()
		cert := t.certificate(t.newSigner().PublicKey(), nil)
		t.signsAs(t.newSigner(), t.newLinkKey(), func(s *signing) {
			s.shown = cert
		}).refusesLogin(protocol.CodeKeyNotAuthorized)
	}},
	{Rule: "CE3", Name: "expired", What: tx("过期了", "a certificate that has expired"),
		run: admitsNobody(func(c *ssh.Certificate) {
			c.ValidAfter = uint64(time.Now().Add(-2 * time.Hour).Unix())
			c.ValidBefore = uint64(time.Now().Add(-time.Hour).Unix())
		})},
	{Rule: "CE3", Name: "not-yet", What: tx("还没生效", "a certificate that is not valid yet"),
		run: admitsNobody(func(c *ssh.Certificate) {
			c.ValidAfter = uint64(time.Now().Add(time.Hour).Unix())
		})},
	{Rule: "CE3", Name: "other-principal", What: tx("给别人的证书", "somebody else's certificate"),
		run: admitsNobody(func(c *ssh.Certificate) {
			c.ValidPrincipals = []string{"somebody-else"}
		})},
	{Rule: "CE3", Name: "no-principals", What: tx("没有 principal：谁的也不是",
		"a certificate without principals is nobody's"),
		run: admitsNobody(func(c *ssh.Certificate) { c.ValidPrincipals = nil })},
	{Rule: "CE3", Name: "host-certificate", What: tx("主机的证书", "a host's certificate"),
		run: admitsNobody(func(c *ssh.Certificate) { c.CertType = ssh.HostCert })},
	{Rule: "CE3", Name: "critical", What: tx("不认识的 critical 选项",
		"a critical option that is not known"), run: admitsNobody(func(c *ssh.Certificate) {
		c.CriticalOptions = map[string]string{"of-next-year": ""}
	})},
	{Rule: "CE3", Name: "other-authority", What: tx("别人签的证书",
		"a certificate by another authority"), run: func(t *trial) {
		t.certified(nil).takeWelcome()
		key := t.newSigner()
		cert := t.certificate(key.PublicKey(), nil)
		t.must(cert.SignCert(rand.Reader, t.newSigner()))
		t.signsAs(key, t.newLinkKey(), func(s *signing) { s.shown = cert }).
			refusesLogin(protocol.CodeKeyNotAuthorized)
	}},
	{Rule: "CE3", Name: "forged", What: tx("签过以后改过的证书",
		"a certificate that was changed after it was signed"), run: func(t *trial) {
		t.certified(nil).takeWelcome()
		key := t.newSigner()
		cert := t.certificate(key.PublicKey(), nil)
		cert.Serial++
		t.signsAs(key, t.newLinkKey(), func(s *signing) { s.shown = cert }).
			refusesLogin(protocol.CodeKeyNotAuthorized)
	}},
	{Rule: "CE4", Name: "force-command", What: tx("force-command：跑的是它",
		"force-command: that is what runs"), run: func(t *trial) {
		k := t.certified(func(c *ssh.Certificate) {
			c.CriticalOptions = map[string]string{"force-command": "echo forced"}
		})
		k.takeWelcome()
		t.expectOutput(k.run(command("echo asked"), ""), "forced\n", 0)
	}},
	{Rule: "CE4", Name: "source-address", What: tx("source-address 里没有我们的地址：拒绝",
		"a source-address that is not ours"), run: admitsNobody(func(c *ssh.Certificate) {
		c.CriticalOptions = map[string]string{"source-address": "192.0.2.0/24"}
	})},
	{Rule: "CE4", Name: "value", What: tx("permit-pty 带值：谁也不能进",
		"permit-pty with a value admits nobody"), run: admitsNobody(func(c *ssh.Certificate) {
		c.Extensions = map[string]string{"permit-pty": "x"}
	})},
	{Rule: "CE4", Name: "no-pty", What: tx("没有 permit-pty：没有终端",
		"without permit-pty there is no terminal"), run: func(t *trial) {
		k := t.certified(func(c *ssh.Certificate) { c.Extensions = nil })
		k.takeWelcome()
		o := command("echo hi")
		o.PTY = aTerminal()
		e := k.run(o, "")
		t.expectOutput(e, "hi\n", 0)
		if len(e.notices) == 0 || e.notices[0].Notice != protocol.NoticePTYRefused {
			t.fail(same("NOTICE pty_refused"), tx("没有", "none"))
		}
	}},
	{Rule: "CE4", Name: "no-forwarding", What: tx("没有 permit-port-forwarding：service_refused",
		"without permit-port-forwarding: service_refused"), run: func(t *trial) {
		k := t.certified(func(c *ssh.Certificate) { c.Extensions = nil })
		k.takeWelcome()
		k.refused(&protocol.Open{Service: "forward"}, protocol.CodeServiceRefused)
	}},
	{Rule: "CE5", Name: "again", What: tx("另一条链路：链路密钥就够，证书再判一次",
		"another link: the link key is enough"), run: certificateAgain},
	{Rule: "CE6", Name: "host", What: tx("信封里的主机证书是主机密钥的",
		"a host's certificate in its envelope is for the host key"), run: hostCertificate},
}

// authority is the key of the authority that the daemon trusts.
func (t *trial) authority() ssh.Signer {
	t.needsTLS()
	if t.o.Login.Authority == nil {
		t.unreached(tx("要有它信任的颁发者：--authority KEYFILE",
			"it needs an authority that the daemon trusts: --authority KEYFILE"))
	}
	return t.o.Login.Authority
}

// certificate is a user's, with all that ssh-keygen gives, as change has it.
func (t *trial) certificate(key ssh.PublicKey, change func(*ssh.Certificate)) *ssh.Certificate {
	now := time.Now()
	c := &ssh.Certificate{Key: key, CertType: ssh.UserCert, KeyId: "minissh-lab conform", Serial: 7,
		ValidPrincipals: []string{t.o.User}, ValidAfter: uint64(now.Add(-time.Hour).Unix()),
		ValidBefore: uint64(now.Add(time.Hour).Unix())}
	c.Extensions = map[string]string{"permit-X11-forwarding": "", "permit-agent-forwarding": "",
		"permit-port-forwarding": "", "permit-pty": "", "permit-user-rc": ""}
	if change != nil {
		change(c)
	}
	t.must(c.SignCert(rand.Reader, t.authority()))
	return c
}

// certified is a link whose HELLO is signed by a new key, which has such a certificate.
func (t *trial) certified(change func(*ssh.Certificate)) *talk {
	t.authority() // or not reached
	key := t.newSigner()
	cert := t.certificate(key.PublicKey(), change)
	return t.signsAs(key, t.newLinkKey(), func(s *signing) { s.shown = cert })
}

// admitsNobody wants such a certificate to be refused, and one without the change to be taken.
func admitsNobody(change func(*ssh.Certificate)) func(*trial) {
	return certificateRefused(protocol.CodeKeyNotAuthorized, change)
}

func badCertificate(change func(*ssh.Certificate)) func(*trial) {
	return certificateRefused(protocol.CodeBadHello, change)
}

func certificateRefused(code protocol.Code, change func(*ssh.Certificate)) func(*trial) {
	return func(t *trial) {
		t.certified(nil).takeWelcome()
		t.certified(change).refusesLogin(code)
	}
}

func certificateAgain(t *trial) {
	t.authority() // or not reached
	key := t.newSigner()
	cert := t.certificate(key.PublicKey(), nil)
	t.comesBack(key, func(s *signing) { s.shown = cert })
}

// hostExtension is the object identifier of CE6.
const hostExtension = "2.25.1835626089"

func hostCertificate(t *trial) {
	conn, err := t.dialTLS(nil)
	if err != nil {
		t.fail(tx("TLS 握手成功", "a handshake"), ended(err))
	}
	envelope := conn.ConnectionState().PeerCertificates[0]
	for _, e := range envelope.Extensions {
		if e.Id.String() != hostExtension {
			continue
		}
		found, err := ssh.ParsePublicKey(e.Value)
		cert, ok := found.(*ssh.Certificate)
		host, err2 := ssh.NewPublicKey(envelope.PublicKey)
		if err != nil || err2 != nil || !ok || e.Critical || len(e.Value) > 4096 ||
			cert.CertType != ssh.HostCert || !bytes.Equal(cert.Key.Marshal(), host.Marshal()) {
			t.fail(tx("主机密钥的证书，不是 critical",
				"a certificate for the host key, not critical"), same(hexOf(e.Value)))
		}
		return
	}
	t.unreached(tx("它没有主机证书", "it has no host's certificate"))
}
