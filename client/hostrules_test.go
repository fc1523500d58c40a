//go:build unix

package client

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// What forbids a host's key, or ours, holds: HELLO is sent to nobody who is forbidden.
func TestForbiddenKeys(t *testing.T) {
	hello := make(chan bool, 9)
	spy := func(g *guest) { hello <- true; exits(`{"how":"exited","code":0}`)(g) }
	revoked := func(lines ...string) string {
		file := filepath.Join(t.TempDir(), "revoked")
		if err := os.WriteFile(file, []byte(strings.Join(lines, "")), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for name, c := range map[string]struct {
		change func(*fake, *Dialer)
		said   string
	}{
		"a list with the key": {func(f *fake, d *Dialer) {
			d.Options.RevokedHostKeys = revoked("# revoked\n", string(ssh.MarshalAuthorizedKey(newKey(t).Public)), string(ssh.MarshalAuthorizedKey(f.host.Public)))
		}, "revoked by file"},
		"a list without the key": {func(f *fake, d *Dialer) {
			d.Options.RevokedHostKeys = revoked(string(ssh.MarshalAuthorizedKey(newKey(t).Public)))
		}, ""},
		"no such file":                {func(f *fake, d *Dialer) { d.Options.RevokedHostKeys = "/no/such" }, "the file of RevokedHostKeys cannot be read"},
		"a broken KRL":                {func(f *fake, d *Dialer) { d.Options.RevokedHostKeys = revoked("SSHKRL\n\x00\x00") }, "cannot be read"},
		"host key algorithms":         {func(f *fake, d *Dialer) { d.Options.HostKeyAlgorithms = "ecdsa-*" }, "which HostKeyAlgorithms forbids"},
		"our algorithms":              {func(f *fake, d *Dialer) { d.Options.PubkeyAlgorithms = "-ssh-ed25519" }, "PubkeyAcceptedAlgorithms forbids"},
		"no keys":                     {func(f *fake, d *Dialer) { d.Options.NoPubkey = true }, "no key may be shown"},
		"large RSA keys, ours is not": {func(f *fake, d *Dialer) { d.Options.RequiredRSASize = 4096 }, ""},
		"another key for the address": {func(f *fake, d *Dialer) {
			_, port, _ := net.SplitHostPort(f.l.Addr().String())
			d.Options.HostName, d.Options.CheckHostIP = "localhost", true
			os.WriteFile(d.Options.UserKnownHostsFiles[0], fmt.Appendf(nil, "[localhost]:%s %s[127.0.0.1]:%s %s", port, ssh.MarshalAuthorizedKey(f.host.Public),
				port, ssh.MarshalAuthorizedKey(newKey(t).Public)), 0o600)
		}, "REMOTE HOST IDENTIFICATION HAS CHANGED"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, spy)
			r := f.run(t, func(d *Dialer) { c.change(f, d) })
			if (r.code == 255) != (c.said != "") || !strings.Contains(r.said, c.said) {
				t.Errorf("%+v", r)
			}
			if sent := len(hello) > 0; sent != (c.said == "") {
				t.Errorf("HELLO sent: %v", sent)
			}
			for len(hello) > 0 {
				<-hello
			}
		})
	}
}

// A KRL as ssh-keygen makes it revokes by key and by digest.
func TestRevokedByKRL(t *testing.T) {
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("not run: needs ssh-keygen")
	}
	for _, how := range []string{"", "key: ", "sha1: ", "sha256: "} {
		for _, listed := range []bool{true, false} {
			f := newFake(t, exits(`{"how":"exited","code":0}`))
			key := f.host.Public
			if !listed {
				key = newKey(t).Public
			}
			dir := t.TempDir()
			spec, krl := filepath.Join(dir, "spec"), filepath.Join(dir, "krl")
			os.WriteFile(spec, []byte(how+string(ssh.MarshalAuthorizedKey(key))), 0o600)
			if out, err := exec.Command("ssh-keygen", "-k", "-f", krl, "-z", "7", spec).CombinedOutput(); err != nil {
				t.Fatalf("ssh-keygen: %v %s", err, out)
			}
			r := f.run(t, func(d *Dialer) { d.Options.RevokedHostKeys = krl })
			if listed != (r.code == 255) || listed && !strings.Contains(r.said, "revoked by file") {
				t.Errorf("%q listed %v: %+v", how, listed, r)
			}
		}
	}
}

// Who cannot be reached because ~/.ssh/config names sshd's port is told so.
func TestSkippedIsTold(t *testing.T) {
	f := newFake(t)
	f.l.Close()
	r := f.run(t, func(d *Dialer) { d.Options.Skipped = []string{"/home/me/.ssh/config:3: Port"} })
	if r.code != 255 || !strings.Contains(r.said, "hint: what is meant for sshd does not count here: /home/me/.ssh/config:3: Port") {
		t.Errorf("%+v", r)
	}
}
