//go:build unix

package dial_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"minissh/client/dial"
	"minissh/client/fakedaemon"
	"minissh/client/options"
	"minissh/protocol/keys"
)

// certify makes a certificate for a key.
func certify(t *testing.T, key ssh.PublicKey, serial uint64) *ssh.Certificate {
	t.Helper()
	ca, err := ssh.NewSignerFromSigner(fakedaemon.NewKey(t).Private)
	if err != nil {
		t.Fatal(err)
	}
	cert := &ssh.Certificate{Key: key, Serial: serial, CertType: ssh.UserCert,
		ValidPrincipals: []string{"tester"}, ValidBefore: ssh.CertTimeInfinity}
	if err := cert.SignCert(rand.Reader, ca); err != nil {
		t.Fatal(err)
	}
	return cert
}

// A certificate beside the key's file, named by CertificateFile, or in the agent signs the login,
// ahead of the plain keys (CE2). A daemon that does not take it is shown the key.
func TestCertificates(t *testing.T) {
	key := fakedaemon.NewKey(t)
	cert := certify(t, key.Public, 1)
	line := ssh.MarshalAuthorizedKey(cert)
	inAgent := agent.NewKeyring()
	if err := inAgent.Add(agent.AddedKey{PrivateKey: key.Private, Certificate: cert}); err != nil {
		t.Fatal(err)
	}
	socket := serveKeyring(t, inAgent)
	type change = func(t *testing.T, o *options.Options)
	withFile := func(t *testing.T, o *options.Options) string {
		file := fakedaemon.KeyFile(t, key)
		o.IdentityFiles = []string{file}
		return file
	}
	write := func(t *testing.T, name string) {
		if err := os.WriteFile(name, line, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	beside := func(t *testing.T, o *options.Options) { write(t, withFile(t, o)+"-cert.pub") }
	named := func(t *testing.T, o *options.Options) string {
		file := filepath.Join(t.TempDir(), "c")
		write(t, file)
		o.CertificateFiles = []string{file}
		return file
	}
	for name, c := range map[string]struct {
		change change
		refuse string // the daemon's first answer; "": it lets in the first
		plain  bool   // the key without certificate comes next
	}{
		"beside its key": {change: beside},
		"named": {change: func(t *testing.T, o *options.Options) {
			named(t, o)
			withFile(t, o)
		}},
		"named, key in agent": {change: func(t *testing.T, o *options.Options) {
			named(t, o)
			o.IdentityFiles, o.IdentityAgent = nil, socket
		}},
		"in the agent": {change: func(t *testing.T, o *options.Options) {
			o.IdentityFiles, o.IdentityAgent, o.IdentitiesOnly = nil, socket, false
		}},
		"refused": {change: beside, refuse: `{"code":"key_not_authorized"}`},
		"told a key": {change: beside, refuse: `{"code":"key_not_authorized","key":"` +
			keys.Fingerprint(key.Public) + `"}`, plain: true},
		"not known": {change: beside, refuse: `{"code":"bad_hello"}`, plain: true},
		"not allowed": {change: func(t *testing.T, o *options.Options) {
			beside(t, o)
			o.PubkeyAlgorithms = "ssh-ed25519"
		}, plain: true, refuse: "-"},
	} {
		t.Run(name, func(t *testing.T) {
			var f *fakedaemon.Fake
			first := func(g *fakedaemon.Guest) {
				proof := proofOf(t, f, g)
				if proof.Cert == nil || !bytes.Equal(proof.Cert.Marshal(), cert.Marshal()) {
					t.Error("another certificate, or none")
				}
				if bytes.Equal(g.Key.Marshal(), key.Public.Marshal()) {
					t.Error("TLS shows the certificate's key")
				}
			}
			let := fakedaemon.Exits(`{"how":"exited","code":0}`)
			second := func(g *fakedaemon.Guest) {
				if g.Hello.Auth != "" || !bytes.Equal(g.Key.Marshal(), key.Public.Marshal()) {
					t.Error("not the plain key")
				}
				let(g)
			}
			turns := []func(*fakedaemon.Guest){func(g *fakedaemon.Guest) { first(g); let(g) }}
			switch {
			case c.refuse == "-":
				turns = []func(*fakedaemon.Guest){second}
			case c.refuse != "":
				turns = []func(*fakedaemon.Guest){func(g *fakedaemon.Guest) {
					first(g)
					fakedaemon.Refuse(c.refuse)(g)
				}, second}
			}
			if c.refuse != "" && !c.plain {
				turns = turns[:1] // the daemon was told of the plain key, and does not want it
			}
			f = fakedaemon.New(t, turns...)
			r := f.Run(t, func(d *dial.Dialer) { c.change(t, d.Options) })
			if want := 255 * boolInt(c.refuse != "" && !c.plain); r.Code != want || !f.Empty() {
				t.Errorf("%+v", r)
			}
		})
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// What cannot be used as a certificate is named, and the key is used alone.
func TestCertificatesThatCannotBeUsed(t *testing.T) {
	for want, change := range map[string]func(o *options.Options){
		"is not an OpenSSH certificate": func(o *options.Options) {
			o.CertificateFiles = []string{o.IdentityFiles[0] + ".pub"}
		},
		"no such file": func(o *options.Options) { o.CertificateFiles = []string{"/nonexistent"} },
		"its key is in no key file": func(o *options.Options) {
			file := filepath.Join(t.TempDir(), "c")
			os.WriteFile(file, ssh.MarshalAuthorizedKey(certify(t, fakedaemon.NewKey(t).Public, 1)),
				0o600)
			o.CertificateFiles = []string{file}
		},
	} {
		f := fakedaemon.New(t, fakedaemon.Exits(`{"how":"exited","code":0}`))
		r := f.Run(t, func(d *dial.Dialer) {
			file := d.Options.IdentityFiles[0]
			key, _, err := keys.PublicOf(file)
			if err != nil {
				t.Fatal(err)
			}
			os.WriteFile(file+".pub", ssh.MarshalAuthorizedKey(key), 0o600)
			change(d.Options)
		})
		if r.Code != 0 || !strings.Contains(r.Said, want) {
			t.Errorf("%q: %+v", want, r)
		}
	}
}

// serveKeyring is the socket of an agent.
func serveKeyring(t *testing.T, held agent.Agent) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "agent") // a socket's path has room for 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			agent.ServeAgent(held, conn)
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-done
		os.RemoveAll(dir)
	})
	return filepath.Join(dir, "s")
}

// A host whose certificate is by an authority in known_hosts is let in without a question, and
// nothing is written (CE7). Otherwise its key is judged alone.
func TestHostCertificates(t *testing.T) {
	ca, other := fakedaemon.NewKey(t), fakedaemon.NewKey(t)
	signer, err := ssh.NewSignerFromSigner(ca.Private)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		ca      keys.Identity
		marker  string
		names   []string // the certificate's
		options func(o *options.Options)
		in      bool
		said    string
	}{
		"known":             {ca: ca, marker: "@cert-authority", in: true},
		"another authority": {ca: other, marker: "@cert-authority", said: "can't be established"},
		"another host": {ca: ca, marker: "@cert-authority", names: []string{"x"},
			said: "can't be established"},
		"another host, told of": {ca: ca, marker: "@cert-authority", names: []string{"x"},
			said: "does not count: none of the certificate's principals is meant"},
		"revoked": {ca: ca, marker: "@revoked", said: "REVOKED HOST KEY"},
		"in the list of revoked keys": {ca: ca, marker: "@cert-authority", said: "revoked by file",
			options: func(o *options.Options) {
				o.RevokedHostKeys = filepath.Join(t.TempDir(), "revoked")
				os.WriteFile(o.RevokedHostKeys, ssh.MarshalAuthorizedKey(ca.Public), 0o600)
			}},
		"forbidden": {ca: ca, marker: "@cert-authority", said: "can't be established",
			options: func(o *options.Options) { o.HostKeyAlgorithms = "ssh-ed25519" }},
	} {
		t.Run(name, func(t *testing.T) {
			f := fakedaemon.New(t, fakedaemon.Exits(`{"how":"exited","code":0}`))
			host := f.Host
			names := c.names
			if names == nil {
				names = []string{"127.0.0.1"}
			}
			host.Cert = &ssh.Certificate{Key: host.Public, CertType: ssh.HostCert,
				ValidPrincipals: names, ValidBefore: ssh.CertTimeInfinity}
			if err := host.Cert.SignCert(rand.Reader, signer); err != nil {
				t.Fatal(err)
			}
			f.ShowOnly(host)
			line := c.marker + " * " + string(ssh.MarshalAuthorizedKey(c.ca.Public))
			asked := ""
			var file string
			r := f.Run(t, func(d *dial.Dialer) {
				file = d.Options.UserKnownHostsFiles[0]
				if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
					t.Fatal(err)
				}
				d.Ask = &refusingAsker{&asked}
				if c.options != nil {
					c.options(d.Options)
				}
			})
			if c.in != (r.Code == 0) || !strings.Contains(r.Said+asked, c.said) ||
				c.in && r.Said+asked != "" {
				t.Errorf("%+v, asked %q", r, asked)
			}
			if text, err := os.ReadFile(file); err != nil || string(text) != line {
				t.Errorf("known_hosts is now %q", text)
			}
		})
	}
}

// refusingAsker notes a question and says no.
type refusingAsker struct{ asked *string }

func (a *refusingAsker) Line(question string) (string,
	error) {
	*a.asked += question
	return "no", nil
}
func (a *refusingAsker) Secret(string) ([]byte, error) { return nil, errors.New("no") }
