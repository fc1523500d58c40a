package knownhosts

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

func newSigner(t testing.TB) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func lineOf(key ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

// serve is an SSH server that shows a certificate and lets nobody in.
func serve(t *testing.T, cert func() ssh.Signer) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			config := &ssh.ServerConfig{PasswordCallback: func(ssh.ConnMetadata, []byte) (
				*ssh.Permissions, error) {
				return nil, errors.New("no")
			}}
			config.AddHostKey(cert())
			ssh.NewServerConn(conn, config)
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().(*net.TCPAddr).Port
}

// ssh and we judge the same certificates of hosts by the same known_hosts (CE7). Where we differ,
// the table says so, and we are the stricter ones.
func TestCertificatesAsSSHJudges(t *testing.T) {
	program, err := exec.LookPath("ssh")
	if err != nil {
		t.Skip("not run: needs ssh")
	}
	host, authority, other := newSigner(t), newSigner(t), newSigner(t)
	var shown atomic.Value // an ssh.Signer
	port := serve(t, func() ssh.Signer { return shown.Load().(ssh.Signer) })
	now := uint64(time.Now().Unix())
	type change = func(*ssh.Certificate)
	principals := func(names ...string) change {
		return func(c *ssh.Certificate) { c.ValidPrincipals = names }
	}
	file := filepath.Join(t.TempDir(), "known_hosts")
	const good = "@cert-authority 127.0.0.1 CA"
	for _, c := range []struct {
		name     string
		known    string // CA, KEY, OTHER and PORT stand for what they say
		change   change
		alias    string
		stricter bool
	}{
		{name: "known", known: good},
		{name: "of another authority", known: "@cert-authority 127.0.0.1 OTHER"},
		{name: "a pattern", known: "@cert-authority *.example,127.* CA"},
		{name: "not for it", known: "@cert-authority !127.0.0.1,* CA"},
		{name: "for another host", known: "@cert-authority 127.0.0.2 CA"},
		{name: "on its port", known: "@cert-authority [127.0.0.1]:PORT CA"},
		{name: "on another port", known: "@cert-authority [127.0.0.1]:1 CA"},
		{name: "the authority as a key", known: "127.0.0.1 CA"},
		{name: "the key as an authority", known: "@cert-authority 127.0.0.1 KEY"},
		{name: "two markers", known: "@cert-authority @revoked 127.0.0.1 CA"},
		{name: "no principals", known: good, change: principals()},
		{name: "another principal", known: good, change: principals("127.0.0.2")},
		{name: "one of two", known: good, change: principals("lab", "127.0.0.1")},
		{name: "a principal with a port", known: good,
			change: principals("[127.0.0.1]:" + strconv.Itoa(port))},
		{name: "a pattern as a principal", known: good, change: principals("127.0.0.?")},
		{name: "everybody", known: good, change: principals("*")},
		{name: "an alias", known: "@cert-authority lab CA", alias: "Lab",
			change: principals("lab")},
		{name: "an alias in capitals", known: "@cert-authority lab CA", alias: "lab",
			change: principals("LAB")},
		{name: "expired", known: good,
			change: func(c *ssh.Certificate) { c.ValidBefore = now - 9 }},
		{name: "not yet valid", known: good,
			change: func(c *ssh.Certificate) { c.ValidAfter = now + 3000 }},
		{name: "a user's", known: good,
			change: func(c *ssh.Certificate) { c.CertType = ssh.UserCert }},
		{name: "critical", known: good, change: func(c *ssh.Certificate) {
			c.CriticalOptions = map[string]string{"force-command": "x"}
		}},
		{name: "an extension", known: good, change: func(c *ssh.Certificate) {
			c.Extensions = map[string]string{"x@example.com": ""}
		}},
		{name: "authority revoked", known: good + "\n@revoked * CA"},
		{name: "key revoked", known: good + "\n@revoked * KEY"},
		{name: "revoked elsewhere", known: good + "\n@revoked other KEY", stricter: true},
		{name: "expired, key known", known: good + "\n127.0.0.1 KEY",
			change: func(c *ssh.Certificate) { c.ValidBefore = now - 9 }},
		{name: "known by another key", known: good + "\n127.0.0.1 OTHER"},
		{name: "expired, known by another key", known: good + "\n[127.0.0.1]:PORT OTHER",
			change: func(c *ssh.Certificate) { c.ValidBefore = now - 9 }},
	} {
		cert := &ssh.Certificate{Key: host.PublicKey(), CertType: ssh.HostCert, Serial: 1,
			ValidPrincipals: []string{"127.0.0.1"}, ValidAfter: now - 60, ValidBefore: now + 3600}
		if c.change != nil {
			c.change(cert)
		}
		if err := cert.SignCert(rand.Reader, authority); err != nil {
			t.Fatal(err)
		}
		with, err := ssh.NewCertSigner(cert, host)
		if err != nil {
			t.Fatal(err)
		}
		shown.Store(with)
		text := strings.NewReplacer("CA", lineOf(authority.PublicKey()), "KEY",
			lineOf(host.PublicKey()), "OTHER", lineOf(other.PublicKey()), "PORT",
			strconv.Itoa(port)).Replace(c.known)
		if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		args := []string{"-F", "none", "-p", strconv.Itoa(port), "-o", "UserKnownHostsFile=" + file,
			"-o", "GlobalKnownHostsFile=none", "-o", "StrictHostKeyChecking=yes", "-o",
			"BatchMode=yes", "-o", "IdentityFile=none", "-o", "IdentityAgent=none"}
		name, at := "127.0.0.1", port
		if c.alias != "" {
			args = append(args, "-o", "HostKeyAlias="+c.alias)
			name, at = c.alias, defaultPort
		}
		out, _ := exec.Command(program, append(args, "127.0.0.1", "true")...).CombinedOutput()
		theirs := strings.Contains(string(out), "Permission denied")
		if !theirs && !strings.Contains(string(out), "Host key verification failed") {
			t.Fatalf("%s: ssh says %s", c.name, out)
		}
		db := Open(file)
		by, v, err := db.Certified(name, at, cert, time.Now())
		ours := err == nil && by.Why == nil && v.Status != Revoked
		if err == nil && !ours && v.Status != Revoked {
			plain, err := db.Check(name, at, "", host.PublicKey())
			ours = err == nil && (plain.Status == Known || plain.Status == KnownUnderPlainName)
		}
		if ours != (theirs && !c.stricter) || c.stricter && !theirs {
			t.Errorf("%s: ssh %v, we %v %v\n%s", c.name, theirs, ours, by.Why, out)
		}
	}
}
