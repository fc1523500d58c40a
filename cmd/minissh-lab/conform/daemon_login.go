package conform

import (
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"

	"golang.org/x/crypto/ssh"

	"minissh/protocol"
	"minissh/protocol/keys"
)

// loginProbes are of logins by a signature of the key that is given. It signs; the key of TLS is
// made anew for each.
var loginProbes = []Probe{
	{Rule: "LO1", Name: "signed", What: tx("auth：签名的密钥登录，TLS 里是另一个",
		"auth: the key that signs logs in, with another one in TLS"), run: func(t *trial) {
		for _, hash := range []string{"sha256", "sha512"} {
			k := t.signs(func(s *signing) { s.hash = hash })
			k.takeWelcome()
			t.expectOutput(k.run(command("echo hi"), ""), "hi\n", 0)
		}
	}},
	{Rule: "LO2", Name: "other-connection", What: tx("别的连接上的签名",
		"a signature for another connection"),
		run: forged(func(s *signing) { s.exported[0] ^= 1 })},
	{Rule: "LO2", Name: "other-host", What: tx("给别的主机的签名", "a signature for another host"),
		run: forged(func(s *signing) { s.host[len(s.host)-1] ^= 1 })},
	{Rule: "LO2", Name: "other-link-key", What: tx("给别的链路密钥的签名",
		"a signature for another link key"),
		run: forged(func(s *signing) { s.link[len(s.link)-1] ^= 1 })},
	{Rule: "LO2", Name: "other-user", What: tx("给别的账户的签名",
		"a signature for another account"), run: forged(func(s *signing) { s.user += "x" })},
	{Rule: "LO2", Name: "namespace", What: tx("别的 namespace：bad_hello",
		"another namespace: bad_hello"),
		run: badSignature(func(s *signing) { s.namespace = "file" })},
	{Rule: "LO3", Name: "version", What: tx("别的版本：bad_hello", "another version: bad_hello"),
		run: badSignature(func(s *signing) { s.version = 2 })},
	{Rule: "LO3", Name: "reserved", What: tx("reserved 不为空：bad_hello",
		"reserved that is not empty: bad_hello"),
		run: badSignature(func(s *signing) { s.reserved = "x" })},
	{Rule: "LO3", Name: "hash", What: tx("别的哈希算法：bad_hello", "another hash: bad_hello"),
		run: badSignature(func(s *signing) { s.hash = "sha1" })},
	{Rule: "LO3", Name: "line-break", What: tx("base64 里有换行：bad_hello",
		"base64 with a line break: bad_hello"), run: badSignature(func(s *signing) {
		s.auth = func(text string) string { return text[:70] + "\n" + text[70:] }
	})},
	{Rule: "LO3", Name: "cut", What: tx("少了一截：bad_hello", "cut off: bad_hello"),
		run: badSignature(func(s *signing) {
			s.auth = func(text string) string { return text[:40] }
		})},
	{Rule: "LO4", Name: "wrong", What: tx("签名不对：key_not_authorized",
		"a wrong signature: key_not_authorized"),
		run: forged(func(s *signing) { s.breaks = true })},
	{Rule: "LO4", Name: "stranger", What: tx("签名是对的，可是密钥不在名单里：key_not_authorized",
		"a right signature of a key that is not listed: key_not_authorized"),
		run: forged(func(s *signing) { s.signer = s.t.newSigner() })},
	{Rule: "LO6", Name: "again", What: tx("另一条链路：同一个链路密钥，不用再签",
		"for another link the same link key is enough"), run: loginAgain},
}

// signing is a login by a signature. Everything in it can be changed before it is made.
type signing struct {
	t               *trial
	exported        []byte // X
	host, link      []byte // H, K
	user            string // U
	signer          ssh.Signer
	shown           ssh.PublicKey // nil: the signer's; or a certificate for it
	version         uint32
	namespace, hash string
	reserved        string
	breaks          bool                // the signature
	auth            func(string) string // the last change
	hello           *protocol.Hello
}

// newSigner is a key that nobody knows.
func (t *trial) newSigner() ssh.Signer {
	id, err := keys.Generate()
	t.must(err)
	s, err := ssh.NewSignerFromSigner(id.Private)
	t.must(err)
	return s
}

// ownSigner is the key that we were given.
func (t *trial) ownSigner() ssh.Signer {
	t.needsTLS()
	private, ok := t.o.Login.Key.PrivateKey.(crypto.Signer)
	if !ok {
		t.unreached(tx("密钥不能签名", "the key cannot sign"))
	}
	s, err := ssh.NewSignerFromSigner(private)
	t.must(err)
	return s
}

// signs is a link whose HELLO has a signature, as change has it.
func (t *trial) signs(change func(*signing)) *talk {
	t.needsTLS()
	return t.signsAs(t.ownSigner(), t.newLinkKey(), change)
}

// newLinkKey is the private key of an envelope.
func (t *trial) newLinkKey() crypto.Signer {
	id, err := keys.Generate()
	t.must(err)
	return id.Private
}

// signsAs is signs by any key, with this link key.
func (t *trial) signsAs(signer ssh.Signer, link crypto.Signer, change func(*signing)) *talk {
	k := t.secure(func(c *tls.Config) { c.Certificates = []tls.Certificate{t.envelope(link)} })
	state := k.conn.(*tls.Conn).ConnectionState()
	s := &signing{t: t, user: t.o.User, signer: signer, version: 1, namespace: "minissh-login",
		hash: "sha512", hello: t.hello()}
	var err error
	s.exported, err = state.ExportKeyingMaterial("EXPORTER-minissh-login", nil, 32)
	t.must(err)
	host, err := keys.FromCertificate(state.PeerCertificates[0])
	t.must(err)
	s.host = host.Marshal()
	public, err := ssh.NewPublicKey(link.Public())
	t.must(err)
	s.link = public.Marshal()
	if change != nil {
		change(s)
	}
	s.hello.Auth = s.sshsig()
	k.session, k.order.resend = s.hello.Session, s.hello.Resend
	k.send(message(protocol.TypeHello, 0, s.hello))
	return k
}

// sshsig is `auth` (OpenSSH's PROTOCOL.sshsig).
func (s *signing) sshsig() string {
	var covered []byte // T of PA2
	for _, part := range [][]byte{s.exported, s.host, s.link, []byte(s.user)} {
		covered = append(binary.BigEndian.AppendUint32(covered, uint32(len(part))), part...)
	}
	var sum []byte
	switch s.hash {
	case "sha1":
		all := sha1.Sum(covered)
		sum = all[:]
	case "sha256":
		all := sha256.Sum256(covered)
		sum = all[:]
	default:
		all := sha512.Sum512(covered)
		sum = all[:]
	}
	data := append([]byte("SSHSIG"), ssh.Marshal(struct {
		Namespace, Reserved, Hash string
		Sum                       []byte
	}{s.namespace, s.reserved, s.hash, sum})...)
	signature, err := s.sign(data)
	s.t.must(err)
	if s.breaks {
		signature.Blob[len(signature.Blob)-1] ^= 1
	}
	key := s.signer.PublicKey()
	if s.shown != nil {
		key = s.shown
	}
	blob := append([]byte("SSHSIG"), ssh.Marshal(struct {
		Version                   uint32
		Key                       []byte
		Namespace, Reserved, Hash string
		Signature                 []byte
	}{s.version, key.Marshal(), s.namespace, s.reserved, s.hash, ssh.Marshal(signature)})...)
	text := base64.StdEncoding.EncodeToString(blob)
	if s.auth != nil {
		text = s.auth(text)
	}
	return text
}

// sign signs; RSA with SHA-512, as ssh does.
func (s *signing) sign(data []byte) (*ssh.Signature, error) {
	if as, ok := s.signer.(ssh.AlgorithmSigner); ok &&
		s.signer.PublicKey().Type() == ssh.KeyAlgoRSA {
		return as.SignWithAlgorithm(nil, data, ssh.KeyAlgoRSASHA512)
	}
	return s.signer.Sign(nil, data)
}

// forged wants such a login to be refused as one by a stranger is; the right one must be served.
func forged(change func(*signing)) func(*trial) {
	return signatureRefused(protocol.CodeKeyNotAuthorized, change)
}

// badSignature wants such a login to be refused for its form.
func badSignature(change func(*signing)) func(*trial) {
	return signatureRefused(protocol.CodeBadHello, change)
}

func signatureRefused(code protocol.Code, change func(*signing)) func(*trial) {
	return func(t *trial) {
		t.signs(nil).takeWelcome() // else that it refuses would show nothing
		t.signs(change).refusesLogin(code)
	}
}

// refusesLogin takes ERROR; an address that may not fail any more cannot try the rule.
func (k *talk) refusesLogin(code protocol.Code) {
	want := same("ERROR " + string(code))
	f := k.until(want, func(f protocol.Frame) bool {
		return f.Type == protocol.TypeError || f.Type == protocol.TypeWelcome
	})
	var reason protocol.Reason
	f.Decode(&reason) // order has looked at it; WELCOME has no code
	switch {
	case reason.Code == protocol.CodeTooManyFailures:
		k.t.unreached(tx("从这里来的失败太多了，它不再理：等一会儿再试",
			"too many logins from here have failed: try again later"))
	case reason.Code != code:
		k.t.fail(want, same(shown(f)))
	}
	k.expectEnd("FR7")
}

func loginAgain(t *trial) { t.comesBack(t.ownSigner(), nil) }

// comesBack begins a session by a signature, loses its link, and comes back with the link key
// alone: by another link key that is refused.
func (t *trial) comesBack(signer ssh.Signer, change func(*signing)) {
	link := t.newLinkKey()
	k := t.signsAs(signer, link, func(s *signing) {
		s.hello.Resend, s.hello.Hold = startWindow, 60
		if change != nil {
			change(s)
		}
	})
	k.takeWelcome()
	if k.welcome.Resend == 0 {
		t.unreached(tx("它不留底（resend 0）", "it keeps no frames (resend 0)"))
	}
	k.conn.Close()
	back := func(key crypto.Signer) *talk {
		n := t.secure(func(c *tls.Config) { c.Certificates = []tls.Certificate{t.envelope(key)} })
		h := t.hello()
		h.Session, h.Epoch, h.Create, h.Resend, h.Hold = k.session, 2, false, startWindow, 60
		n.order.resend = startWindow
		n.send(message(protocol.TypeHello, 0, h))
		return n
	}
	back(t.newLinkKey()).refusesLogin(protocol.CodeKeyNotAuthorized)
	back(link).takeWelcome()
}
