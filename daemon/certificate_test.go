//go:build unix

package daemon

import (
	"bytes"
	"crypto/rand"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/access"
	"minissh/protocol"
	"minissh/protocol/keys"
)

// certified is a signer with a certificate for its key.
func certified(t *testing.T, id keys.Identity, ca ssh.Signer, change func(*ssh.Certificate),
) ssh.Signer {
	t.Helper()
	cert := &ssh.Certificate{Key: id.Public, Serial: 7, CertType: ssh.UserCert, KeyId: "a\x1bb",
		ValidPrincipals: []string{user}, ValidBefore: ssh.CertTimeInfinity}
	if change != nil {
		change(cert)
	}
	if err := cert.SignCert(rand.Reader, ca); err != nil {
		t.Fatal(err)
	}
	with, err := ssh.NewCertSigner(cert, signer(t, id))
	if err != nil {
		t.Fatal(err)
	}
	return with
}

// A certificate logs in its user; the log tells which it was. Its session goes on over another link
// as long as the certificate holds, and ends when it is revoked (CE2, CE3, CE5).
func TestCertificate(t *testing.T) {
	dir := t.TempDir()
	trusted, revoked := filepath.Join(dir, "trusted"), filepath.Join(dir, "revoked")
	ca := signer(t, newKey(t))
	write(t, trusted, string(ssh.MarshalAuthorizedKey(ca.PublicKey())))
	write(t, revoked, "")
	l := newLab(t, func(o *Options) {
		o.Access = access.NewFileAccess(o.Account, []string{filepath.Join(dir, "none")},
			access.Trust{UserCA: trusted, RevokedKeys: revoked}, o.Log)
	})
	if !l.opts.Access.AnyoneCould() {
		t.Error("nobody could log in")
	}
	link := newKey(t)
	name := strings.Repeat("5a", 32)
	greet := func(p *scripted, epoch int64, auth string) (code protocol.Code) {
		t.Helper()
		p.send(hello(func(h *protocol.Hello) {
			h.Session, h.Epoch, h.Create, h.Auth = name, epoch, epoch == 1, auth
			h.Resend, h.Hold = protocol.MinResend, 3600
		}))
		f, err := p.in.Next()
		if err != nil {
			t.Fatalf("%v\n%s", err, l.log)
		}
		if f.Type == protocol.TypeWelcome {
			return ""
		}
		var reason protocol.Reason
		if err := f.Decode(&reason); err != nil {
			t.Fatal(err)
		}
		return reason.Code
	}
	by := func(p *scripted, s ssh.Signer) string { return p.signs(s, link, nil) }
	for what, s := range map[string]ssh.Signer{
		"another authority": certified(t, l.guest, signer(t, l.stranger), nil),
		"another user": certified(t, l.guest, ca, func(c *ssh.Certificate) {
			c.ValidPrincipals = []string{"root"}
		}),
		"the key alone": signer(t, l.guest),
	} {
		p := l.knock(link)
		if code := greet(p, 1, by(p, s)); code != protocol.CodeKeyNotAuthorized {
			t.Errorf("%s: %q", what, code)
		}
	}
	long := certified(t, l.guest, ca, func(c *ssh.Certificate) {
		c.ValidPrincipals = append(c.ValidPrincipals, strings.Repeat("x", 4000))
	})
	if _, err := keys.SignLogin(long.PublicKey(), func(data []byte) (*ssh.Signature, error) {
		return long.Sign(rand.Reader, data)
	}, []byte("T")); err == nil {
		t.Error("a certificate of more than 4,096 bytes is taken")
	}
	p := l.knock(link)
	if code := greet(p, 1, by(p, certified(t, l.guest, ca, nil))); code != "" {
		t.Fatalf("%q\n%s", code, l.log)
	}
	for _, want := range []string{"Accepted publickey for " + user,
		keys.Fingerprint(l.guest.Public),
		`ID \"a\\x1bb\" serial 7 CA ED25519 ` + keys.Fingerprint(ca.PublicKey())} {
		if !strings.Contains(l.log.String(), want) {
			t.Errorf("the log does not say %s:\n%s", want, l.log)
		}
	}
	p.hangUp(false)
	p = l.knock(link)
	if code := greet(p, 2, ""); code != "" {
		t.Fatalf("another link: %q\n%s", code, l.log)
	}
	p.hangUp(false)
	// a list that cannot be read ends nothing, and lets nobody in
	write(t, revoked, "SSHKRL\n\x00")
	if code := greet(l.knock(link), 3, ""); code != protocol.CodeKeyNotAuthorized {
		t.Errorf("a list that cannot be read: %q", code)
	}
	write(t, revoked, string(ssh.MarshalAuthorizedKey(ca.PublicKey())))
	if code := greet(l.knock(link), 4, ""); code != protocol.CodeSessionEnded {
		t.Errorf("the authority is revoked: %q", code)
	}
}

// A certificate for a key does not make it another key (CE5).
func TestCertificateIsItsKey(t *testing.T) {
	id, ca := newKey(t), signer(t, newKey(t))
	cert := certified(t, id, ca, nil).PublicKey().(*ssh.Certificate)
	with, without := keys.Proof{Key: id.Public, Cert: cert}, keys.Proof{Key: id.Public}
	if !with.Same(without) || !without.Same(with) || with.Same(keys.Proof{}) ||
		bytes.Equal(cert.Marshal(), id.Public.Marshal()) {
		t.Error("a certificate makes it another key")
	}
}
