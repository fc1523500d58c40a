//go:build unix

package access

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/authorized"
	"minissh/daemon/process"
	"minissh/protocol/keys"
)

func newSigner(t testing.TB) ssh.Signer {
	t.Helper()
	signer, err := ssh.NewSignerFromSigner(newKey(t).Private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func line(key ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

// usual is a certificate as ssh-keygen -s makes it, before it is signed.
func usual(key ssh.PublicKey, user string) *ssh.Certificate {
	extensions := map[string]string{}
	for _, name := range []string{"X11-forwarding", "agent-forwarding", "port-forwarding", "pty",
		"user-rc"} {
		extensions["permit-"+name] = ""
	}
	now := uint64(time.Now().Unix())
	return &ssh.Certificate{Key: key, Serial: 7, CertType: ssh.UserCert, KeyId: "seven",
		ValidPrincipals: []string{"other", user}, ValidAfter: now - 3600,
		ValidBefore: now + 3600, Permissions: ssh.Permissions{
			CriticalOptions: map[string]string{}, Extensions: extensions}}
}

// startSSHD starts OpenSSH's daemon on a port of loopback that was free, with further lines in its
// configuration, and gives its address.
func startSSHD(t *testing.T, dir, lines string) (address string) {
	t.Helper()
	sshd, err := exec.LookPath("sshd")
	if err != nil {
		sshd = "/usr/sbin/sshd"
	}
	if _, err := os.Stat(sshd); err != nil {
		t.Skip("not run: needs sshd")
	}
	if os.Geteuid() == 0 { // the directory that it changes its root to; its service would make it
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Skip("not run: needs the directory /run/sshd, which sshd wants as root")
		}
	}
	host := filepath.Join(dir, "host")
	if _, _, err := keys.HostKey(host); err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = free.Addr().String()
	free.Close()
	config := filepath.Join(dir, "config")
	if err := os.WriteFile(config, fmt.Appendf(nil, "ListenAddress %s\nHostKey %s\n"+
		"StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\nMaxStartups 100\n%s",
		address, host, lines), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(sshd, "-D", "-e", "-f", config)
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(said)
	first, err := reader.ReadString('\n') // "Server listening on …"
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for ; err == nil; _, err = reader.ReadString('\n') {
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-drained
		cmd.Wait()
	})
	if !strings.Contains(first, "listening") {
		t.Skipf("not run: needs an sshd that starts here: %s", first)
	}
	return address
}

// judged is what a login may do.
type judged struct{ in, pty, forward bool }

// bySSHD logs in to sshd.
func bySSHD(t *testing.T, address, user string, signer ssh.Signer, run bool) (j judged,
	out string) {
	t.Helper()
	client, err := ssh.Dial("tcp", address, &ssh.ClientConfig{User: user, Timeout: time.Minute,
		Auth:            []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		return judged{}, ""
	}
	defer client.Close()
	j.in = true
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if run {
		text, err := session.Output("echo in")
		if err != nil {
			t.Fatal(err)
		}
		return j, string(text)
	}
	j.pty = session.RequestPty("xterm", 25, 80, nil) == nil
	if conn, err := client.Dial("tcp", address); err == nil {
		conn.Close()
		j.forward = true
	}
	return j, ""
}

// bench is sshd and our access, with the same three files: listed (authorized_keys), trusted
// (authorities) and revoked.
type bench struct {
	user, dir, address string
	access             Access
}

func newBench(t *testing.T) *bench {
	t.Helper()
	own, err := process.CurrentAccount()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{user: own.Name, dir: t.TempDir()}
	listed, trusted, revoked := b.write(t, "listed", ""), b.write(t, "trusted", ""),
		b.write(t, "revoked", "")
	b.address = startSSHD(t, b.dir, fmt.Sprintf("AuthorizedKeysFile %s\nTrustedUserCAKeys %s\n"+
		"RevokedKeys %s\n", listed, trusted, revoked))
	b.access = NewFileAccess(own, []string{listed}, Trust{UserCA: trusted, RevokedKeys: revoked},
		slog.New(slog.DiscardHandler))
	return b
}

// write writes one of the files, or another beside them, and returns its path.
func (b *bench) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(b.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sshd and we judge the same certificates by the same files (CE3, CE4). Where they differ, the
// table says so, and we are the stricter ones.
func TestCertificatesAsSSHDJudges(t *testing.T) {
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("not run: needs ssh-keygen")
	}
	b := newBench(t)
	user := b.user
	client, authority, other := newSigner(t), newSigner(t), newSigner(t)
	now := uint64(time.Now().Unix())
	type change = func(*ssh.Certificate)
	critical := func(name, value string) change {
		return func(c *ssh.Certificate) { c.CriticalOptions[name] = value }
	}
	without := func(name string) change {
		return func(c *ssh.Certificate) { delete(c.Extensions, name) }
	}
	principals := func(names ...string) change {
		return func(c *ssh.Certificate) { c.ValidPrincipals = names }
	}
	none := func(c *ssh.Certificate) { c.Key = nil }
	for _, c := range []struct {
		name     string
		listed   string // authorized_keys: CA, OTHER, KEY, USER stand for what they say
		change   change // of the usual certificate
		revoked  string // a list of keys, or what ssh-keygen -k takes after "krl "
		forced   string // what we run
		out      string // what sshd's client sees then, if it is to run something
		stricter bool
	}{
		{name: "trusted"},
		{name: "of another authority",
			change: func(c *ssh.Certificate) { c.SignatureKey = other.PublicKey() }},
		{name: "another principal", change: principals("someone")},
		{name: "part of a name", change: principals(user + "x")},
		{name: "a pattern", change: principals("*")},
		{name: "no principals", change: principals()},
		{name: "expired", change: func(c *ssh.Certificate) { c.ValidBefore = now - 60 }},
		{name: "not yet valid", change: func(c *ssh.Certificate) { c.ValidAfter = now + 3000 }},
		{name: "for ever", change: func(c *ssh.Certificate) {
			c.ValidAfter, c.ValidBefore = 0,
				ssh.CertTimeInfinity
		}},
		{name: "a host's", change: func(c *ssh.Certificate) { c.CertType = ssh.HostCert }},
		{name: "from here", change: critical("source-address", "127.0.0.1")},
		{name: "from here's network", change: critical("source-address", "10.0.0.0/8,127.0.0.0/8")},
		{name: "from elsewhere", change: critical("source-address", "10.0.0.1")},
		{name: "from a pattern", change: critical("source-address", "127.*")},
		{name: "from nowhere", change: critical("source-address", "")},
		{name: "bits beyond its mask", change: critical("source-address", "127.0.0.1/8")},
		{name: "forced", change: critical("force-command", "echo forced $SSH_ORIGINAL_COMMAND"),
			forced: "echo forced $SSH_ORIGINAL_COMMAND", out: "forced echo in\n"},
		{name: "forced to nothing", change: critical("force-command", "")},
		{name: "unknown and critical", change: critical("new@example.com", "x")},
		{name: "verify-required", change: critical("verify-required", "")},
		{name: "unknown extension",
			change: func(c *ssh.Certificate) { c.Extensions["new@example.com"] = "x" }},
		{name: "no extensions", change: func(c *ssh.Certificate) { c.Extensions = nil }},
		{name: "no pty", change: without("permit-pty")},
		{name: "revoked by serial number", revoked: "krl serial: 7"},
		{name: "by range", revoked: "krl serial: 5-9"},
		{name: "another serial number", revoked: "krl serial: 8"},
		{name: "serial number 0", revoked: "krl serial: 1",
			change: func(c *ssh.Certificate) { c.Serial = 0 }},
		{name: "by key ID", revoked: "krl id: seven"},
		{name: "another key ID", revoked: "krl id: seve"},
		{name: "key in a KRL", revoked: "krl KEY"},
		{name: "digest in a KRL", revoked: "krl sha256: KEY"},
		{name: "key in a list", revoked: "KEY"},
		{name: "authority in a list", revoked: "CA"},
		{name: "another key in a list", revoked: "OTHER"},
		{name: "a KRL that is cut short", revoked: "SSHKRL\n\x00\x00"},
		{name: "key without certificate, revoked", listed: "KEY", revoked: "KEY", change: none},
		{name: "key without certificate", listed: "KEY", change: none},
		// lines of authorized_keys, with the authority OTHER, which is not trusted otherwise
		{name: "listed authority", listed: "cert-authority OTHER"},
		{name: "listed as a key", listed: "OTHER"},
		{name: "not the user, listed", listed: "cert-authority OTHER",
			change: principals("someone")},
		{name: "principals=", listed: `cert-authority,principals="a,someone" OTHER`,
			change: principals("someone")},
		{name: "principals= without the user", listed: `cert-authority,principals="a,b" OTHER`},
		{name: "principals= empty", listed: `cert-authority,principals="" OTHER`},
		{name: "no principals, listed", listed: "cert-authority OTHER", change: principals(),
			stricter: true},
		{name: "no principals, principals=", listed: `cert-authority,principals="USER" OTHER`,
			change: principals()},
		{name: "command=", listed: `cert-authority,command="echo line" OTHER`,
			forced: "echo line", stricter: true},
		{name: "both forced, equally", listed: `cert-authority,command="echo x" OTHER`,
			change: critical("force-command", "echo x"), forced: "echo x", stricter: true},
		{name: "both forced, differently", listed: `cert-authority,command="echo x" OTHER`,
			change: critical("force-command", "echo y")},
		{name: "restrict", listed: "cert-authority,restrict OTHER"},
		{name: "restrict,pty", listed: "cert-authority,restrict,pty OTHER"},
		{name: "pty in the line alone", listed: "cert-authority,pty OTHER",
			change: without("permit-pty")},
		{name: "from= elsewhere", listed: `cert-authority,from="10.0.0.1" OTHER`},
		{name: "from= here, source elsewhere", listed: `cert-authority,from="127.0.0.1" OTHER`,
			change: critical("source-address", "10.0.0.1")},
		{name: "from= and source here", listed: `cert-authority,from="127.0.0.1" OTHER`,
			change: critical("source-address", "127.0.0.0/8")},
		{name: "expiry-time", listed: `cert-authority,expiry-time="20200101" OTHER`},
		{name: "the second line",
			listed: `cert-authority,principals="a" OTHER` +
				"\ncert-authority,command=\"echo second\" OTHER",
			forced: "echo second", stricter: true},
		{name: "listed and trusted", listed: `cert-authority,command="echo line" CA`,
			forced: "echo line", out: "line\n"},
		{name: "the authority's own key", listed: "cert-authority KEY", change: none},
	} {
		words := strings.NewReplacer("KEY", line(client.PublicKey()), "CA",
			line(authority.PublicKey()), "OTHER", line(other.PublicKey()), "USER", user)
		cert, ca := usual(client.PublicKey(), user), authority
		if c.change != nil {
			c.change(cert)
		}
		if strings.Contains(c.listed, "OTHER") || cert.SignatureKey != nil {
			ca = other
		}
		signer, proof := client, keys.Proof{Key: client.PublicKey()}
		if cert.Key != nil {
			if err := cert.SignCert(rand.Reader, ca); err != nil {
				t.Fatal(err)
			}
			var err error
			if signer, err = ssh.NewCertSigner(cert, client); err != nil {
				t.Fatal(err)
			}
			proof.Cert = cert
		}
		b.write(t, "trusted", "# authorities\n"+line(authority.PublicKey())+"\n")
		b.write(t, "listed", words.Replace(c.listed)+"\n")
		if spec, is := strings.CutPrefix(c.revoked, "krl "); is {
			revoked := b.write(t, "revoked", "")
			if out, err := exec.Command("ssh-keygen", "-q", "-k", "-f", revoked, "-s",
				b.write(t, "ca.pub", line(authority.PublicKey())),
				b.write(t, "spec", words.Replace(spec)+"\n")).CombinedOutput(); err != nil {
				t.Fatalf("ssh-keygen: %v %s", err, out)
			}
		} else {
			b.write(t, "revoked", words.Replace(c.revoked))
		}
		theirs, out := bySSHD(t, b.address, user, signer, c.out != "")
		grant, err := b.access.Authorize(&Client{User: user, Proof: proof,
			Addr: netip.MustParseAddrPort("127.0.0.1:4711")})
		ours := judged{in: err == nil}
		if err == nil && c.out == "" {
			ours.pty = grant.Allows(authorized.PTY) == nil
			ours.forward = grant.Allows(authorized.Forward) == nil
		}
		if err == nil && grant.Command != c.forced {
			t.Errorf("%s: we run %q", c.name, grant.Command)
		}
		if out != c.out {
			t.Errorf("%s: sshd's client sees %q", c.name, out)
		}
		if c.stricter {
			if ours == theirs || ours.in && !theirs.in || ours.pty && !theirs.pty ||
				ours.forward && !theirs.forward {
				t.Errorf("%s: sshd %+v, we %+v %v", c.name, theirs, ours, err)
			}
		} else if theirs != ours {
			t.Errorf("%s: sshd %+v, we %+v %v", c.name, theirs, ours, err)
		}
	}
}

// A certificate that has expired or is revoked ends its session (RE3); one that is not valid yet,
// or for another address, may hold later, and what cannot be judged ends nothing.
func TestRefusalsThatEndASession(t *testing.T) {
	own, err := process.CurrentAccount()
	if err != nil {
		t.Fatal(err)
	}
	dir, ca, client := t.TempDir(), newSigner(t), newSigner(t)
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	now := uint64(time.Now().Unix())
	trusted := line(ca.PublicKey()) + "\n"
	for name, c := range map[string]struct {
		change           func(*ssh.Certificate)
		trusted, revoked string
		ends             bool
	}{
		"expired": {func(c *ssh.Certificate) { c.ValidBefore = now - 1 }, trusted, "", true},
		"revoked": {nil, trusted, line(client.PublicKey()), true},

		"another authority": {nil, "", "", true},

		"not yet": {func(c *ssh.Certificate) { c.ValidAfter = now + 3000 }, trusted, "", false},
		"elsewhere": {func(c *ssh.Certificate) {
			c.CriticalOptions["source-address"] = "10.0.0.1"
		}, trusted, "", false},
		"no list": {nil, trusted, "SSHKRL\n\x00", false},
	} {
		access := NewFileAccess(own, nil, Trust{UserCA: write("trusted", c.trusted),
			RevokedKeys: write("revoked", c.revoked)}, slog.New(slog.DiscardHandler))
		cert := usual(client.PublicKey(), own.Name)
		if c.change != nil {
			c.change(cert)
		}
		if err := cert.SignCert(rand.Reader, ca); err != nil {
			t.Fatal(err)
		}
		_, err := access.Authorize(&Client{User: own.Name,
			Proof: keys.Proof{Key: client.PublicKey(), Cert: cert},
			Addr:  netip.MustParseAddrPort("127.0.0.1:4711")})
		if _, ends := errors.AsType[Revoked](err); err == nil || ends != c.ends {
			t.Errorf("%s: %v, ends its session: %v", name, err, ends)
		}
	}
}
