//go:build unix

package dial_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"minissh/client/dial"
	"minissh/client/fakedaemon"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/client/terminal"
	"minissh/protocol/keys"
)

// If nobody can be asked about an unknown host, the refusal says what to compare and what to type.
func TestUnknownHostHint(t *testing.T) {
	for name, change := range map[string]func(*dial.Dialer){
		"nobody to ask": func(d *dial.Dialer) {},
		"no terminal": func(d *dial.Dialer) {
			d.Ask = &fakedaemon.Asker{
				Answer: func(string) (string, error) { return "", terminal.ErrNobodyToAsk }}
		},
		"batch mode": func(d *dial.Dialer) { d.Options.BatchMode = true },
		"strict":     func(d *dial.Dialer) { d.Options.StrictHostKeyChecking = options.StrictYes },
	} {
		f := fakedaemon.New(t)
		var target string
		r := f.Run(t,
			func(d *dial.Dialer) {
				fakedaemon.Forget(d)
				change(d)
				target = report.Target(d.Options)
			})
		want := fmt.Sprintf("minissh: hint: its ED25519 key is %s, which minisshd shows there "+
			"when it starts to listen; if it is the same: "+
			"minissh -o StrictHostKeyChecking=accept-new %s, or connect once from a terminal\n",
			keys.Fingerprint(f.Host.Public), target)
		if r.Code != 255 ||
			!strings.HasSuffix(r.Said, "minissh: Host key verification failed.\n"+want) {
			t.Errorf("%s: %d, %s", name, r.Code, r.Said)
		}
	}
}

// What forbids a host's key, or ours, is obeyed: nobody who is forbidden gets HELLO.
func TestForbiddenKeys(t *testing.T) {
	hello := make(chan bool, 9)
	spy := func(g *fakedaemon.Guest) {
		hello <- true
		fakedaemon.Exits(`{"how":"exited","code":0}`)(g)
	}
	revoked := func(lines ...string) string {
		file := filepath.Join(t.TempDir(), "revoked")
		if err := os.WriteFile(file, []byte(strings.Join(lines, "")), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for name, c := range map[string]struct {
		change func(*fakedaemon.Fake, *dial.Dialer)
		said   string
	}{
		"a list with the key": {func(f *fakedaemon.Fake, d *dial.Dialer) {
			d.Options.RevokedHostKeys = revoked("# revoked\n",
				string(ssh.MarshalAuthorizedKey(fakedaemon.NewKey(t).Public)),
				string(ssh.MarshalAuthorizedKey(f.Host.Public)))
		}, "revoked by file"},
		"a list without the key": {func(f *fakedaemon.Fake, d *dial.Dialer) {
			d.Options.RevokedHostKeys = revoked(
				string(ssh.MarshalAuthorizedKey(fakedaemon.NewKey(t).Public)))
		}, ""},
		"no such file": {
			func(f *fakedaemon.Fake, d *dial.Dialer) { d.Options.RevokedHostKeys = "/no/such" },
			"the file of RevokedHostKeys cannot be read"},
		"a broken KRL": {
			func(f *fakedaemon.Fake, d *dial.Dialer) {
				d.Options.RevokedHostKeys = revoked("SSHKRL\n\x00\x00")
			}, "cannot be read"},
		"host key algorithms": {
			func(f *fakedaemon.Fake, d *dial.Dialer) { d.Options.HostKeyAlgorithms = "ecdsa-*" },
			"which HostKeyAlgorithms forbids"},
		"our algorithms": {
			func(f *fakedaemon.Fake, d *dial.Dialer) {
				d.Options.PubkeyAlgorithms = "-ssh-ed25519"
			}, "PubkeyAcceptedAlgorithms forbids"},
		"no keys": {
			func(f *fakedaemon.Fake, d *dial.Dialer) { d.Options.NoPubkey = true },
			"no key may be shown"},
		"large RSA keys, ours is not": {
			func(f *fakedaemon.Fake, d *dial.Dialer) { d.Options.RequiredRSASize = 4096 }, ""},
		"another key for the address": {func(f *fakedaemon.Fake, d *dial.Dialer) {
			_, port, _ := net.SplitHostPort(f.Listener.Addr().String())
			d.Options.HostName, d.Options.CheckHostIP = "localhost", true
			os.WriteFile(d.Options.UserKnownHostsFiles[0],
				fmt.Appendf(nil, "[localhost]:%s %s[127.0.0.1]:%s %s", port,
					ssh.MarshalAuthorizedKey(f.Host.Public),
					port, ssh.MarshalAuthorizedKey(fakedaemon.NewKey(t).Public)), 0o600)
		}, "REMOTE HOST IDENTIFICATION HAS CHANGED"},
	} {
		t.Run(name, func(t *testing.T) {
			f := fakedaemon.New(t, spy)
			r := f.Run(t, func(d *dial.Dialer) { c.change(f, d) })
			if (r.Code == 255) != (c.said != "") || !strings.Contains(r.Said, c.said) {
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
			f := fakedaemon.New(t, fakedaemon.Exits(`{"how":"exited","code":0}`))
			key := f.Host.Public
			if !listed {
				key = fakedaemon.NewKey(t).Public
			}
			dir := t.TempDir()
			spec, krl := filepath.Join(dir, "spec"), filepath.Join(dir, "krl")
			os.WriteFile(spec, []byte(how+string(ssh.MarshalAuthorizedKey(key))), 0o600)
			if out, err := exec.Command("ssh-keygen", "-k", "-f", krl, "-z", "7",
				spec).CombinedOutput(); err != nil {
				t.Fatalf("ssh-keygen: %v %s", err, out)
			}
			r := f.Run(t, func(d *dial.Dialer) { d.Options.RevokedHostKeys = krl })
			if listed != (r.Code == 255) || listed && !strings.Contains(r.Said, "revoked by file") {
				t.Errorf("%q listed %v: %+v", how, listed, r)
			}
		}
	}
}

// If a host cannot be reached because ~/.ssh/config names sshd's port, the message says so.
func TestSkippedIsTold(t *testing.T) {
	f := fakedaemon.New(t)
	f.Listener.Close()
	r := f.Run(t,
		func(d *dial.Dialer) { d.Options.Skipped = []string{"/home/me/.ssh/config:3: Port"} })
	if r.Code != 255 ||
		!strings.Contains(r.Said,
			"hint: what is meant for sshd does not count here: /home/me/.ssh/config:3: Port") {
		t.Errorf("%+v", r)
	}
}
