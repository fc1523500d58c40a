package keys

import (
	"bytes"
	"crypto/x509"
	"testing"

	"golang.org/x/crypto/ssh"

	"minissh/protocol"
	"minissh/protocol/vectors"
)

// The keys of vectors/keys.txt have the wire form and the fingerprint that OpenSSH gives them
// (ID3).
func TestKeyVectors(t *testing.T) {
	for _, v := range vectors.Read("keys.txt") {
		t.Run(v.Name, func(t *testing.T) {
			public, err := x509.ParsePKIXPublicKey(v.Bytes("info"))
			if err != nil {
				t.Fatal(err)
			}
			key, err := ssh.NewPublicKey(public)
			if err != nil {
				t.Fatal(err)
			}
			if err := Usable(key); err != nil {
				t.Error(err)
			}
			if !bytes.Equal(key.Marshal(), v.Bytes("wire")) {
				t.Errorf("in SSH's wire form it is % x", key.Marshal())
			}
			if Fingerprint(key) != v.Text("fingerprint") {
				t.Error(Fingerprint(key))
			}
			cert, err := envelope(public, nil)
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := x509.ParseCertificate(cert)
			if err != nil {
				t.Fatal(err)
			}
			if in, err := FromCertificate(parsed); err != nil ||
				!bytes.Equal(in.Marshal(), v.Bytes("wire")) {
				t.Errorf("out of an envelope comes another key, or none: %v", err)
			}
		})
	}
}

// The logins of vectors/login.txt, which ssh-keygen signed, are right, and no others (LO2).
func TestLoginVectors(t *testing.T) {
	for _, v := range vectors.Read("login.txt") {
		l, err := ParseLogin(v.Text("auth"))
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		transcript := protocol.LoginTranscript(v.Bytes("exporter"), v.Bytes("host"),
			v.Bytes("link"), v.Text("user"))
		proof, err := l.Verify(transcript)
		if err != nil || !bytes.Equal(proof.Key.Marshal(), v.Bytes("key")) {
			t.Errorf("%s: %v", v.Name, err)
		}
		if _, err := l.Verify(append(transcript, 0)); err == nil {
			t.Errorf("%s: it holds for another login", v.Name)
		}
	}
}
