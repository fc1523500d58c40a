package keys

import (
	"bytes"
	"crypto/dsa" //lint:ignore SA1019 that it is refused is the point
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// writeKey writes an identity's private key as an OpenSSH file, encrypted if there is a passphrase.
func writeKey(t *testing.T, identity Identity, passphrase string, mode fs.FileMode) string {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(identity.Private, "")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(identity.Private, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(path, pem.EncodeToMemory(block), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func generate(t *testing.T) Identity {
	t.Helper()
	identity, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

// A private key that others can read is refused in ssh's words, by LoadFile, PublicOf and HostKey
// alike.
func TestModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("not run: needs file modes")
	}
	for _, c := range []struct {
		mode fs.FileMode
		ok   bool
	}{{0o600, true}, {0o400, true}, {0o700, true}, {0o640, false}, {0o604, false}, {0o660, false},
		{0o601, false}} {
		path := writeKey(t, generate(t), "", 0o600)
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		_, loaded := LoadFile(path, nil)
		_, _, public := PublicOf(path)
		_, created, host := HostKey(path)
		for _, err := range []error{loaded, public, host} {
			if (err == nil) != c.ok {
				t.Errorf("%v: %v", c.mode, err)
			}
			var open *PermissionError
			if !c.ok && (!errors.As(err, &open) || !errors.Is(err, fs.ErrPermission) ||
				open.Hint() != "chmod 600 "+path ||
				!strings.Contains(open.Warning(),
					"\n@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @\n") ||
				!strings.Contains(open.Warning(),
					"\nPermissions 0"+octal(c.mode)+" for '"+path+"' are too open.\n")) {
				t.Errorf("%v: %v", c.mode, err)
			}
		}
		if created {
			t.Errorf("%v: a host key was made over one", c.mode)
		}
	}
}

func octal(mode fs.FileMode) string { return big.NewInt(int64(mode)).Text(8) }

// A passphrase is asked for three times at most; an empty one or an error gives up at once.
func TestPassphrase(t *testing.T) {
	identity := generate(t)
	path := writeKey(t, identity, "right", 0o600)
	broken := errors.New("no terminal")
	for _, c := range []struct {
		name    string
		answers []string
		err     error
		want    int // questions
		ok      bool
	}{
		{"right at once", []string{"right"}, nil, 1, true},
		{"right the third time", []string{"a", "b", "right"}, nil, 3, true},
		{"wrong three times", []string{"a", "b", "c", "right"}, nil, 3, false},
		{"empty", []string{"", "right"}, nil, 1, false},
		{"nobody to ask", nil, broken, 1, false},
	} {
		asked := 0
		got, err := LoadFile(path, func(string) ([]byte, error) {
			asked++
			if c.err != nil {
				return nil, c.err
			}
			return []byte(c.answers[asked-1]), nil
		})
		if asked != c.want || (err == nil) != c.ok {
			t.Errorf("%s: asked %d times, %v", c.name, asked, err)
		}
		if c.ok && !bytes.Equal(got.Public.Marshal(), identity.Public.Marshal()) {
			t.Errorf("%s: another key", c.name)
		}
		if !c.ok && (!errors.Is(err, ErrPassphrase) || c.err != nil && !errors.Is(err, c.err)) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := LoadFile(path, nil); !errors.Is(err, ErrPassphrase) {
		t.Errorf("batch mode: %v", err)
	}
	if _, _, err := HostKey(path); !errors.Is(err, ErrPassphrase) ||
		!strings.Contains(err.Error(), "host key") {
		t.Errorf("encrypted host key: %v", err)
	}
	if key, locked, err := PublicOf(path); err != nil || !locked ||
		!bytes.Equal(key.Marshal(), identity.Public.Marshal()) {
		t.Errorf("PublicOf: %v %v", locked, err)
	}
}

// What is not a key file gives an error that says so, without waiting.
func TestNotAKeyFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	public := generate(t).Public
	line := string(ssh.MarshalAuthorizedKey(public))
	for _, c := range []struct{ path, want, hint string }{
		{filepath.Join(dir, "missing"), "no such file", "ssh-keygen"},
		{dir, "not a regular file", ""},
		{write("empty", ""), "not a private key", ""},
		{write("text", "hello\n"), "not a private key", ""},
		{write("ppk", "PuTTY-User-Key-File-3: ssh-ed25519\n"), "PuTTY", "puttygen"},
		{write("large", strings.Repeat("x", maxFile+1)), "too large", ""},
		{write("cut", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"), "not a private key", ""},
		{write("esc\x1b[2J", "hello"), `esc\x1b[2J": is not`, ""},
	} {
		_, err := LoadFile(c.path, nil)
		var known *Error
		if !errors.As(err, &known) || !strings.Contains(err.Error(), c.want) ||
			!strings.HasPrefix(known.Hint(), c.hint) {
			t.Errorf("LoadFile(%q): %v", c.path, err)
		}
		if _, _, err := PublicOf(c.path); err == nil {
			t.Errorf("PublicOf(%q) found a key", c.path)
		}
	}
	if _, err := LoadFile(filepath.Join(dir, "missing"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	path := write("key.pub", line)
	if _, err := LoadFile(path, nil); err == nil || !strings.Contains(err.Error(), "public key") {
		t.Errorf("a public key: %v", err)
	}
	// as itself, and next to a private key that is missing
	for _, path := range []string{path, filepath.Join(dir, "key")} {
		if key, locked, err := PublicOf(path); err != nil || !locked ||
			!bytes.Equal(key.Marshal(), public.Marshal()) {
			t.Errorf("PublicOf(%q): %v, %v", path, locked, err)
		}
	}
}

// The host key is made once: two daemons that start together get the same, and nothing else is left
// in its directory.
func TestHostKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "host_key")
	var all sync.WaitGroup
	var got [8]Identity
	var made [8]bool
	for i := range got {
		all.Go(func() {
			var err error
			if got[i], made[i], err = HostKey(path); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	creators := 0
	for i := range got {
		if made[i] {
			creators++
		}
		if !bytes.Equal(got[i].Public.Marshal(), got[0].Public.Marshal()) {
			t.Error("two daemons have two keys")
		}
	}
	if creators != 1 || got[0].Source != path {
		t.Errorf("made %d times; source %q", creators, got[0].Source)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if runtime.GOOS != "windows" {
		file, _ := os.Stat(path)
		dir, _ := os.Stat(filepath.Dir(path))
		if file.Mode().Perm() != 0o600 || dir.Mode().Perm() != 0o700 {
			t.Errorf("modes %v, %v", file.Mode(), dir.Mode())
		}
	}
	broken := filepath.Join(t.TempDir(), "host_key")
	if err := os.WriteFile(broken, []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, made, err := HostKey(broken); err == nil || made {
		t.Error("a broken host key was accepted or replaced")
	}
	if created, err := writeNew(path, []byte("other")); created || err != nil {
		t.Errorf("an existing key would be replaced: %v, %v", created, err)
	}
}

// Only the public key counts, and only the kinds that ID2 names.
func TestFromCertificate(t *testing.T) {
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	p224, _ := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	number := func(bits int) *big.Int { return new(big.Int).SetBit(big.NewInt(1), bits-1, 1) }
	for _, c := range []struct {
		name string
		cert *x509.Certificate
		want string
	}{
		{"none", nil, ""},
		{"no key", &x509.Certificate{}, ""},
		{"ed25519", &x509.Certificate{PublicKey: edKey.Public()}, "ED25519"},
		{"ed25519, short", &x509.Certificate{PublicKey: ed25519.PublicKey("short")}, ""},
		{"P-224", &x509.Certificate{PublicKey: p224.Public()}, ""},
		{"DSA", &x509.Certificate{PublicKey: &dsa.PublicKey{}}, ""},
		{"RSA 2047", &x509.Certificate{PublicKey: &rsa.PublicKey{N: number(2047), E: 65537}}, ""},
		{"RSA 2048", &x509.Certificate{PublicKey: &rsa.PublicKey{N: number(2048), E: 65537}}, "RSA"},
		{"RSA 8192", &x509.Certificate{PublicKey: &rsa.PublicKey{N: number(8192), E: 3}}, "RSA"},
		{"RSA 8193", &x509.Certificate{PublicKey: &rsa.PublicKey{N: number(8193), E: 65537}}, ""},
		{"RSA, even exponent", &x509.Certificate{PublicKey: &rsa.PublicKey{N: number(2048), E: 65536}}, ""},
		{"RSA, exponent 1", &x509.Certificate{PublicKey: &rsa.PublicKey{N: number(2048), E: 1}}, ""},
		{"RSA, large exponent", &x509.Certificate{PublicKey: &rsa.PublicKey{N: number(2048), E: 1<<24 + 1}}, ""},
		{"too large", &x509.Certificate{PublicKey: edKey.Public(), Raw: make([]byte, maxEnvelope+1)}, ""},
	} {
		key, err := FromCertificate(c.cert)
		if (err == nil) != (c.want != "") || err == nil && TypeName(key) != c.want {
			t.Errorf("%s: %v, %v", c.name, key, err)
			continue
		}
		if err == nil {
			if again, err := ssh.ParsePublicKey(key.Marshal()); err != nil ||
				!bytes.Equal(again.Marshal(), key.Marshal()) {
				t.Errorf("%s: does not come back from its wire form: %v", c.name, err)
			}
		}
	}
}

// The envelope is signed by a key that is not the identity's, so that a key in an agent is asked
// for one signature only.
func TestEnvelope(t *testing.T) {
	identity := generate(t)
	cert, err := Certificate(identity)
	if err != nil {
		t.Fatal(err)
	}
	if err := cert.Leaf.CheckSignature(cert.Leaf.SignatureAlgorithm, cert.Leaf.RawTBSCertificate,
		cert.Leaf.Signature); err == nil {
		t.Error("the identity's key signed its own envelope")
	}
	other, err := Certificate(generate(t))
	if err != nil {
		t.Fatal(err)
	}
	if cert.Leaf.NotBefore != other.Leaf.NotBefore ||
		cert.Leaf.SerialNumber.Cmp(other.Leaf.SerialNumber) != 0 {
		t.Error("the envelope tells more than the key")
	}
	if _, err := Certificate(Identity{}); err == nil {
		t.Error("an envelope without a key")
	}
}

func TestTypeName(t *testing.T) {
	for kind, want := range map[string]string{
		"ssh-ed25519": "ED25519", "ssh-rsa": "RSA", "ssh-dss": "DSA",
		"ecdsa-sha2-nistp521":                      "ECDSA",
		"sk-ssh-ed25519@openssh.com":               "ED25519-SK",
		"sk-ecdsa-sha2-nistp256@openssh.com":       "ECDSA-SK",
		"ssh-ed25519-cert-v01@openssh.com":         "ED25519-CERT",
		"ecdsa-sha2-nistp256-cert-v01@openssh.com": "ECDSA-CERT",
		"sk-ssh-ed25519-cert-v01@openssh.com":      "ED25519-SK-CERT", "x\x1b[2J": "unknown",
		"": "unknown",
	} {
		if got := typeName(kind); got != want {
			t.Errorf("%q: %q, want %q", kind, got, want)
		}
	}
}
