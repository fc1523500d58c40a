package keys

import (
	"bytes"
	"crypto/x509"
	"testing"

	"golang.org/x/crypto/ssh"

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
			cert, err := envelope(public)
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
