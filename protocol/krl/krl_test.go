package krl

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func newSigner(t testing.TB) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func certify(t testing.TB, key ssh.PublicKey, ca ssh.Signer, serial uint64, id string,
) *ssh.Certificate {
	t.Helper()
	cert := &ssh.Certificate{Key: key, Serial: serial, KeyId: id, CertType: ssh.UserCert,
		ValidPrincipals: []string{"u"}, ValidBefore: ssh.CertTimeInfinity}
	if err := cert.SignCert(rand.Reader, ca); err != nil {
		t.Fatal(err)
	}
	return cert
}

func line(key ssh.PublicKey) string { return string(ssh.MarshalAuthorizedKey(key)) }

// What ssh-keygen -k revokes is revoked here, and nothing else: ssh-keygen -Q judges the same keys
// and certificates by the same lists.
func TestAsSSHKeygenJudges(t *testing.T) {
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("not run: needs ssh-keygen")
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ca, other, a, b := newSigner(t), newSigner(t), newSigner(t), newSigner(t)
	keys := []ssh.PublicKey{a.PublicKey(), b.PublicKey(), ca.PublicKey()}
	for _, serial := range []uint64{0, 1, 5, 10, 11, 77, 1 << 40, 1<<64 - 1} {
		keys = append(keys, certify(t, a.PublicKey(), ca, serial, fmt.Sprint("id", serial)))
	}
	keys = append(keys, certify(t, b.PublicKey(), other, 5, "id5"))
	var files []string
	for i, key := range keys {
		files = append(files, write(fmt.Sprintf("%02d.pub", i), line(key)))
	}
	authority := write("ca.pub", line(ca.PublicKey()))
	for _, c := range []struct {
		spec string
		ca   string
	}{
		{"serial: 5\nserial: 11", authority}, {"serial: 5-10", authority},
		{"serial: 1\nserial: 3\nserial: 5\nserial: 7\nserial: 9\nserial: 11\nserial: 13", authority},
		{"serial: 1099511627776\nserial: 1099511627779", authority},
		{"serial: 10-18446744073709551615", authority}, {"id: id5\nid: id77", authority},
		{"serial: 5\nid: id1", "none"}, {"id: id0", "none"}, {line(a.PublicKey()), ""},
		{"sha1: " + line(b.PublicKey()), ""}, {"sha256: " + line(ca.PublicKey()), ""},
		{line(keys[4]), ""}, {"serial: 77\nid: id1\nsha1: " + line(b.PublicKey()), authority},
	} {
		list := filepath.Join(dir, "krl")
		args := []string{"-k", "-f", list}
		if c.ca != "" {
			args = append(args, "-s", c.ca)
		}
		if out, err := exec.Command("ssh-keygen", append(args,
			write("spec", c.spec+"\n"))...).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen -k: %v %s", err, out)
		}
		out, _ := exec.Command("ssh-keygen", append([]string{"-Q", "-f", list},
			files...)...).CombinedOutput() // exits 1 if anything is revoked
		theirs := strings.Split(strings.TrimSpace(string(out)), "\n")
		if len(theirs) != len(keys) {
			t.Fatalf("%q: ssh-keygen says %s", c.spec, out)
		}
		text, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		if err := Check(text); err != nil {
			t.Errorf("%q: %v", c.spec, err)
		}
		for i, key := range keys {
			ours, err := Holds(text, key)
			if err != nil || ours != strings.HasSuffix(theirs[i], "REVOKED") {
				t.Errorf("%q: we say %v %v, ssh-keygen %s", c.spec, ours, err, theirs[i])
			}
		}
	}
}

// A list of keys revokes a key, the certificates of a key, those of an authority, and the key of a
// certificate that is listed.
func TestListOfKeys(t *testing.T) {
	ca, a, b := newSigner(t), newSigner(t), newSigner(t)
	cert := certify(t, a.PublicKey(), ca, 1, "a")
	all := []ssh.PublicKey{a.PublicKey(), b.PublicKey(), cert}
	for text, revoked := range map[string][3]bool{
		"":                              {},
		"# " + line(a.PublicKey()):      {},
		"\n" + line(a.PublicKey()):      {true, false, true},
		"no-pty " + line(b.PublicKey()): {false, true, false},
		line(ca.PublicKey()):            {false, false, true},
		line(cert):                      {true, false, true},
	} {
		for i, key := range all {
			if got, err := Holds([]byte(text), key); err != nil || got != revoked[i] {
				t.Errorf("%q, key %d: %v %v", text, i, got, err)
			}
		}
	}
	if err := Check([]byte("# a\n" + line(a.PublicKey()))); err != nil {
		t.Error(err)
	}
	// a line without a key may be what is left of one, or of a key revocation list
	for _, text := range []string{"SHA256:abc", "junk", magic[:7], "\x00\xff", line(b.PublicKey()) +
		"x", line(b.PublicKey())[:40], line(cert)[:200]} {
		for _, key := range all {
			if _, err := Holds([]byte("# a\n"+text+"\n"), key); err == nil {
				t.Errorf("%q is taken", text)
			}
		}
		if Check([]byte(text)) == nil {
			t.Errorf("Check takes %q", text)
		}
	}
}

// header is that of a list, before its first section.
func header() []byte {
	return append([]byte(magic), ssh.Marshal(struct {
		Format            uint32
		Version, Date     uint64
		Flags             uint64
		Reserved, Comment string
	}{Format: 1})...)
}

func appendSection(b []byte, kind byte, data []byte) []byte {
	b = binary.BigEndian.AppendUint32(append(b, kind), uint32(len(data)))
	return append(b, data...)
}

// What cannot be understood makes the whole list an error, wherever it is.
func TestMalformedLists(t *testing.T) {
	ca, a := newSigner(t), newSigner(t)
	cert := certify(t, a.PublicKey(), ca, 5, "a")
	good := appendSection(header(), sectionKeys, ssh.Marshal(struct{ K []byte }{
		a.PublicKey().Marshal()}))
	if found, err := Holds(good, cert); !found || err != nil {
		t.Fatal(found, err)
	}
	in := func(kind byte, data []byte) []byte {
		return appendSection(good, sectionCertificates, appendSection(make([]byte, 8), kind, data))
	}
	critical := ssh.Marshal(struct {
		Name     string
		Critical bool
		Text     string
	}{"x@example.com", true, ""})
	for name, text := range map[string][]byte{
		"an unknown section":        appendSection(good, 9, nil),
		"a critical extension":      appendSection(good, sectionExtension, critical),
		"a short digest":            appendSection(good, sectionSHA1, []byte{0, 0, 0, 1, 1}),
		"an unknown kind of serial": in(0x24, nil),
		"half a serial":             in(certificateSerials, make([]byte, 7)),
		"a range that ends early": in(certificateRange,
			ssh.Marshal(struct{ First, Last uint64 }{2, 1})),
		"a negative bitmap": in(certificateBitmap,
			append(make([]byte, 8), 0, 0, 0, 1, 0x80)),
		"a bitmap beyond the largest number": in(certificateBitmap,
			append(bytes.Repeat([]byte{0xff}, 8), 0, 0, 0, 1, 2)),
		"the serial number 0": in(certificateSerials, make([]byte, 8)),
		"a range from 0 on":   in(certificateRange, append(make([]byte, 15), 9)),
		"the serial number 0 in a bitmap": in(certificateBitmap,
			append(make([]byte, 8), 0, 0, 0, 1, 1)),
		"an authority that is not a key": appendSection(good, sectionCertificates,
			[]byte("\x00\x00\x00\x04junk\x00\x00\x00\x00")),
		"an extension for serials": in(certificateExtension, critical),
		"another format":           bytes.Replace(good, []byte{0, 0, 0, 1}, []byte{0, 0, 0, 2}, 1),
	} {
		if _, err := Holds(text, cert); err == nil || Check(text) == nil {
			t.Errorf("%s is taken", name)
		}
	}
	for n := len(magic); n < len(good); n++ {
		if _, err := Holds(good[:n], cert); err == nil && n != len(header()) {
			t.Errorf("%d bytes are taken", n)
		}
	}
}

// No text makes a reader panic, and what Check takes Holds can judge.
func FuzzHolds(f *testing.F) {
	ca, a := newSigner(f), newSigner(f)
	cert := certify(f, a.PublicKey(), ca, 5, "a")
	f.Add([]byte(line(cert)))
	f.Add(appendSection(header(), sectionKeys, ssh.Marshal(struct{ K []byte }{
		a.PublicKey().Marshal()})))
	for kind, data := range map[byte][]byte{certificateSerials: {0, 0, 0, 0, 0, 0, 0, 5},
		certificateRange:  bytes.Repeat([]byte{0, 0, 0, 0, 0, 0, 0, 5}, 2),
		certificateBitmap: {0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1, 2},
		certificateIDs:    {0, 0, 0, 1, 'a'}} {
		f.Add(appendSection(header(), sectionCertificates, appendSection(make([]byte, 8), kind,
			data)))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		_, err := Holds(text, cert)
		if Check(text) == nil && err != nil {
			t.Error(err)
		}
		if _, again := Holds(text, a.PublicKey()); (again == nil) != (err == nil) {
			t.Errorf("%v for a certificate, %v for a key", err, again)
		}
	})
}
