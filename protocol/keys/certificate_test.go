package keys

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// A host's certificate is in its envelope, which holds the same key as without it (CE6). One for
// another key, or that is too long, is not taken out.
func TestHostCertificate(t *testing.T) {
	host, ca := generate(t), generate(t)
	authority, err := ssh.NewSignerFromSigner(ca.Private)
	if err != nil {
		t.Fatal(err)
	}
	certify := func(change func(*ssh.Certificate)) *ssh.Certificate {
		cert := &ssh.Certificate{Key: host.Public, CertType: ssh.HostCert,
			ValidBefore: ssh.CertTimeInfinity}
		if change != nil {
			change(cert)
		}
		if err := cert.SignCert(rand.Reader, authority); err != nil {
			t.Fatal(err)
		}
		return cert
	}
	for name, c := range map[string]struct {
		cert  *ssh.Certificate
		taken bool
	}{
		"none": {nil, false}, "right": {certify(nil), true},
		"a user's":      {certify(func(c *ssh.Certificate) { c.CertType = ssh.UserCert }), false},
		"another key's": {certify(func(c *ssh.Certificate) { c.Key = ca.Public }), false},
		"too long": {certify(func(c *ssh.Certificate) {
			c.KeyId = strings.Repeat("x", MaxCertificate)
		}), false},
	} {
		id := host
		id.Cert = c.cert
		made, err := Certificate(id)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := x509.ParseCertificate(made.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		key, err := FromCertificate(parsed)
		if err != nil || !bytes.Equal(key.Marshal(), host.Public.Marshal()) {
			t.Errorf("%s: %v %v", name, key, err)
		}
		got := HostCertificate(parsed, host.Public)
		if (got != nil) != c.taken || got != nil && !bytes.Equal(got.Marshal(), c.cert.Marshal()) {
			t.Errorf("%s: %v", name, got)
		}
	}
	// what cannot be a certificate is as if it were not there
	der, err := envelope(host.Private.Public(), certify(nil))
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(der, []byte("ssh-ed25519-cert-v01"))
	der[at] ^= 1
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if HostCertificate(parsed, host.Public) != nil {
		t.Error("a malformed certificate is taken")
	}
}
