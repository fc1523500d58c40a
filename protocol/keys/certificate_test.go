package keys

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"minissh/protocol"
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

// ssh-keygen -Y sign puts a certificate into what it signs, and so do we (CE2).
func TestCertifiedLoginBySSHKeygen(t *testing.T) {
	id, ca := generate(t), generate(t)
	authority, err := ssh.NewSignerFromSigner(ca.Private)
	if err != nil {
		t.Fatal(err)
	}
	cert := &ssh.Certificate{Key: id.Public, CertType: ssh.UserCert, ValidPrincipals: []string{"u"},
		ValidBefore: ssh.CertTimeInfinity}
	if err := cert.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: id.Private, Certificate: cert}); err != nil {
		t.Fatal(err)
	}
	socket, dir := serveAgent(t, ring), t.TempDir()
	transcript := protocol.LoginTranscript([]byte("X"), []byte("H"), []byte("K"), "u")
	public, message := filepath.Join(dir, "k-cert.pub"), filepath.Join(dir, "T")
	if err := errors.Join(os.WriteFile(public, ssh.MarshalAuthorizedKey(cert), 0o600),
		os.WriteFile(message, transcript, 0o600)); err != nil {
		t.Fatal(err)
	}
	sign := exec.Command(program(t, "ssh-keygen"), "-q", "-Y", "sign", "-f", public, "-n",
		protocol.LoginNamespace, message)
	sign.Env = append(os.Environ(), "SSH_AUTH_SOCK="+socket)
	if out, err := sign.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	text, err := os.ReadFile(message + ".sig")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	held, _, err := Agent(socket)
	if err != nil || len(held) != 1 {
		t.Fatalf("%v %v", held, err)
	}
	ours, err := held[0].SignLogin(transcript)
	if err != nil {
		t.Fatal(err)
	}
	for who, auth := range map[string]string{"ssh-keygen": strings.Join(lines[1:len(lines)-1], ""),
		"we": ours} {
		l, err := ParseLogin(auth)
		if err != nil {
			t.Fatalf("%s: %v", who, err)
		}
		proof, err := l.Verify(transcript)
		if err != nil || proof.Cert == nil || !proof.Same(Proof{Key: id.Public}) ||
			!bytes.Equal(proof.Cert.Marshal(), cert.Marshal()) {
			t.Errorf("%s: %+v %v", who, proof, err)
		}
	}
}
