package keys

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"minissh/protocol"
	"minissh/protocol/testend"
)

// What ssh-keygen -Y sign makes is a login's signature, of every kind of key (LO1).
func TestLoginBySSHKeygen(t *testing.T) {
	transcript := protocol.LoginTranscript([]byte("X"), []byte("H"), []byte("K"), "alice")
	for _, kind := range kinds {
		path := keygen(t, "", "RFC4716", kind.args...)
		message := filepath.Join(t.TempDir(), "T")
		if err := os.WriteFile(message, transcript, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(program(t, "ssh-keygen"), "-q", "-Y", "sign", "-f", path, "-n",
			protocol.LoginNamespace, message).CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
		text, err := os.ReadFile(message + ".sig")
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		l, err := ParseLogin(strings.Join(lines[1:len(lines)-1], ""))
		if err != nil {
			t.Fatalf("%v: %v", kind.args, err)
		}
		key, _, err := PublicOf(path)
		if err != nil {
			t.Fatal(err)
		}
		proof, err := l.Verify(transcript)
		if err != nil || !proof.Same(Proof{Key: key}) || proof.Hardware {
			t.Errorf("%v: %+v %v", kind.args, proof, err)
		}
		for name, other := range map[string][]byte{
			"another connection": protocol.LoginTranscript([]byte("x"), []byte("H"), []byte("K"),
				"alice"),
			"another host": protocol.LoginTranscript([]byte("X"), []byte("h"), []byte("K"),
				"alice"),
			"another link key": protocol.LoginTranscript([]byte("X"), []byte("H"), []byte("k"),
				"alice"),
			"another user": protocol.LoginTranscript([]byte("X"), []byte("H"), []byte("K"), "bob"),
			"moved":        protocol.LoginTranscript([]byte("XH"), nil, []byte("K"), "alice"),
		} {
			if proof, err := l.Verify(other); err == nil || proof.Key != nil {
				t.Errorf("%v: %s: %+v", kind.args, name, proof)
			}
		}
	}
}

// An agent's RSA keys and hardware keys sign logins, and others may too (LO3).
func TestLoginByAgent(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	held := deviceAgent{ExtendedAgent: ring.(agent.ExtendedAgent)}
	for _, is := range []bool{true, false} {
		device, err := testend.NewSecurityKey(is)
		if err != nil {
			t.Fatal(err)
		}
		held.devices = append(held.devices, device)
	}
	identities, unusable, err := Agent(serveAgent(t, held))
	if err != nil || len(identities) != 3 || len(unusable) != 0 {
		t.Fatalf("%v %v %v", identities, unusable, err)
	}
	transcript := protocol.LoginTranscript([]byte("X"), []byte("H"), []byte("K"), "u")
	for _, flags := range []byte{0, 1, 4, 5} {
		for _, device := range held.devices {
			device.Flags = flags
		}
		for _, identity := range append(identities, generate(t)) {
			if identity.SignsLogins() != identity.InAgent() {
				t.Errorf("%s: SignsLogins is %v", identity.Public.Type(), identity.SignsLogins())
			}
			auth, err := identity.SignLogin(transcript)
			if err != nil {
				t.Fatal(err)
			}
			l, err := ParseLogin(auth)
			if err != nil {
				t.Fatal(err)
			}
			proof, err := l.Verify(transcript)
			hardware := IsHardware(identity.Public)
			want := Proof{Key: proof.Key, Hardware: hardware, Touched: hardware && flags&1 != 0,
				Verified: hardware && flags&4 != 0}
			if err != nil || !reflect.DeepEqual(proof, want) ||
				!proof.Same(Proof{Key: identity.Public}) {
				t.Errorf("%s, flags %d: %+v %v", identity.Public.Type(), flags, proof, err)
			}
			if _, err := l.Verify(transcript[1:]); err == nil {
				t.Errorf("%s: another transcript", identity.Public.Type())
			}
		}
	}
}

// deviceAgent is an agent with devices besides its keys.
type deviceAgent struct {
	agent.ExtendedAgent
	devices []*testend.SecurityKey
}

func (a deviceAgent) List() ([]*agent.Key, error) {
	list, err := a.ExtendedAgent.List()
	for _, device := range a.devices {
		list = append(list, &agent.Key{Format: device.PublicKey().Type(),
			Blob: device.PublicKey().Marshal()})
	}
	return list, err
}

func (a deviceAgent) SignWithFlags(key ssh.PublicKey, data []byte, flags agent.SignatureFlags) (
	*ssh.Signature, error) {
	for _, device := range a.devices {
		if bytes.Equal(device.PublicKey().Marshal(), key.Marshal()) {
			return device.Sign(nil, data)
		}
	}
	return a.ExtendedAgent.SignWithFlags(key, data, flags)
}

// What is not a login's signature is told from one that is wrong (LO3).
func TestLoginsThatAreRefused(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	transcript := []byte("T")
	sign := func(key crypto.Signer, algorithm string, change func(*sshsig)) string {
		t.Helper()
		signer, err := ssh.NewSignerFromSigner(key)
		if err != nil {
			t.Fatal(err)
		}
		s := &sshsig{Version: 1, Key: signer.PublicKey().Marshal(),
			Namespace: protocol.LoginNamespace, Hash: "sha256"}
		data, err := s.signed(transcript)
		if err != nil {
			t.Fatal(err)
		}
		by := signer.(ssh.AlgorithmSigner)
		signature, err := by.SignWithAlgorithm(rand.Reader, data, algorithm)
		if err != nil {
			t.Fatal(err)
		}
		s.Signature = ssh.Marshal(signature)
		if change != nil {
			change(s)
		}
		return base64.StdEncoding.EncodeToString(append([]byte("SSHSIG"), ssh.Marshal(s)...))
	}
	ed := generate(t).Private
	good := sign(ed, ssh.KeyAlgoED25519, nil)
	if _, err := ParseLogin(good); err != nil {
		t.Fatal(err)
	}
	if _, err := ParseLogin(sign(private, ssh.KeyAlgoRSASHA256, nil)); err != nil {
		t.Error(err)
	}
	change := func(f func(*sshsig)) string { return sign(ed, ssh.KeyAlgoED25519, f) }
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for name, auth := range map[string]string{
		"empty":           "",
		"not base64":      "***",
		"line breaks":     good[:60] + "\n" + good[60:],
		"no magic":        base64.StdEncoding.EncodeToString([]byte("SSHSIX\x00\x00\x00\x01")),
		"cut":             good[:40],
		"trailing":        good[:8] + "AAAB" + good[8:],
		"SHA-1":           sign(private, ssh.KeyAlgoRSA, nil),
		"a small RSA key": sign(small, ssh.KeyAlgoRSASHA256, nil),
		"version 2":       change(func(s *sshsig) { s.Version = 2 }),
		"ssh's namespace": change(func(s *sshsig) { s.Namespace = "file" }),
		"reserved":        change(func(s *sshsig) { s.Reserved = "x" }),
		"SHA-1 inside":    change(func(s *sshsig) { s.Hash = "sha1" }),
		"no key":          change(func(s *sshsig) { s.Key = nil }),
		"no signature":    change(func(s *sshsig) { s.Signature = nil }),
		"webauthn": change(func(s *sshsig) {
			s.Signature = ssh.Marshal(&ssh.Signature{
				Format: "webauthn-sk-ecdsa-sha2-nistp256@openssh.com"})
		}),
		"more after the signature": change(func(s *sshsig) {
			s.Signature = append(s.Signature, 0)
		}),
		"short RSA": sign(private, ssh.KeyAlgoRSASHA256, func(s *sshsig) {
			s.Signature = ssh.Marshal(&ssh.Signature{Format: ssh.KeyAlgoRSASHA256,
				Blob: []byte{1}})
		}),
	} {
		if l, err := ParseLogin(auth); err == nil {
			t.Errorf("%s is accepted: %+v", name, l)
		}
	}
}

func FuzzParseLogin(f *testing.F) {
	id, err := Generate()
	if err != nil {
		f.Fatal(err)
	}
	auth, err := id.SignLogin([]byte("T"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(auth)
	authority, err := ssh.NewSignerFromSigner(id.Private)
	if err != nil {
		f.Fatal(err)
	}
	id.Cert = &ssh.Certificate{Key: id.Public, CertType: ssh.UserCert,
		ValidPrincipals: []string{"u"}, Permissions: ssh.Permissions{
			CriticalOptions: map[string]string{SourceAddress: "::1"}}}
	if err := id.Cert.SignCert(rand.Reader, authority); err != nil {
		f.Fatal(err)
	}
	if auth, err = id.SignLogin([]byte("T")); err != nil {
		f.Fatal(err)
	}
	f.Add(auth)
	device, err := testend.NewSecurityKey(true)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(base64.StdEncoding.EncodeToString(append([]byte("SSHSIG"), ssh.Marshal(&sshsig{1,
		device.PublicKey().Marshal(), protocol.LoginNamespace, "", "sha512", nil})...)))
	f.Fuzz(func(t *testing.T, auth string) {
		l, err := ParseLogin(auth)
		if err != nil {
			return
		}
		if proof, err := l.Verify([]byte("another transcript")); err == nil || proof.Key != nil {
			t.Error("a signature that nobody made")
		}
	})
}
