//go:build unix

package dial_test

import (
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/client/dial"
	"minissh/client/fakedaemon"
	"minissh/client/options"
)

// A login that is refused tells what is wrong with the certificates that were shown, so far as that
// is seen here, and how to get a better one: the daemon says nothing of it (an expired certificate
// was a riddle). A certificate for another key than the one that it is beside is told of at -v.
func TestWhatIsWrongWithACertificate(t *testing.T) {
	now := uint64(time.Now().Unix())
	for name, c := range map[string]struct {
		change func(*ssh.Certificate)
		said   string
	}{
		"nothing": {func(*ssh.Certificate) {}, "-cert.pub, "},
		"expired": {func(c *ssh.Certificate) { c.ValidBefore = now - 9 },
			"-cert.pub (it expired on"},
		"not yet": {func(c *ssh.Certificate) { c.ValidAfter = now + 900 },
			"(it is not valid before"},
		"another": {func(c *ssh.Certificate) { c.ValidPrincipals = []string{"bob"} },
			`(it does not name "tester")`},
		"nobody":   {func(c *ssh.Certificate) { c.ValidPrincipals = nil }, "(it names no user)"},
		"a host's": {func(c *ssh.Certificate) { c.CertType = ssh.HostCert }, "(it is a host's)"},
		"another key's": {func(c *ssh.Certificate) { c.Key = fakedaemon.NewKey(t).Public },
			"-cert.pub is left out: it is for another key"},
	} {
		t.Run(name, func(t *testing.T) {
			key := fakedaemon.NewKey(t)
			file := fakedaemon.KeyFile(t, key)
			cert := certify(t, key.Public, 1)
			c.change(cert)
			ca, err := ssh.NewSignerFromSigner(fakedaemon.NewKey(t).Private)
			if err != nil {
				t.Fatal(err)
			}
			if err := cert.SignCert(rand.Reader, ca); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file+"-cert.pub", ssh.MarshalAuthorizedKey(cert),
				0o600); err != nil {
				t.Fatal(err)
			}
			f := fakedaemon.New(t, fakedaemon.Refuse(`{"code":"key_not_authorized"}`))
			r := f.Run(t, func(d *dial.Dialer) {
				d.Options.IdentityFiles, d.Options.User = []string{file}, "tester"
				d.Options.LogLevel = options.LevelDebug1
			})
			if r.Code != 255 || !strings.Contains(r.Said, c.said) {
				t.Errorf("%+v, not %q", r, c.said)
			}
			advised := strings.Contains(r.Said, "ssh-keygen -s CA_KEY -I NAME -n tester "+file)
			if wrong := strings.Contains(r.Said, "-cert.pub (it "); advised != wrong {
				t.Errorf("%+v: advised %v, wrong %v", r, advised, wrong)
			}
		})
	}
}
