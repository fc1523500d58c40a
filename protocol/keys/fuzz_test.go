package keys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"testing"

	"golang.org/x/crypto/ssh"
)

// FuzzEnvelope reads a stranger's certificate as the daemon does: crypto/tls parses it,
// FromCertificate takes the key. Whatever is in it, nothing panics, and a key that is taken is of
// an allowed kind and size (ID2), comes back the same from its wire form, and is what an envelope
// of ours around it holds.
func FuzzEnvelope(f *testing.F) {
	var publics []crypto.PublicKey
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	publics = append(publics, public)
	for _, curve := range []elliptic.Curve{elliptic.P224(), elliptic.P256(), elliptic.P384(),
		elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			f.Fatal(err)
		}
		publics = append(publics, &key.PublicKey)
	}
	for _, bits := range []uint{1024, 2047, 2048, 4096, 8192, 8193} {
		modulus := new(big.Int).Lsh(big.NewInt(1), bits-1) // nobody computes with it
		modulus.SetBit(modulus, 0, 1)
		for _, exponent := range []int{3, 65537, 1<<24 + 1} {
			publics = append(publics, &rsa.PublicKey{N: modulus, E: exponent})
		}
	}
	for _, public := range publics {
		der, err := envelope(public, nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
	}
	// one with a host's certificate, for which the fuzzer finds no right signature
	ca, err := Generate()
	if err != nil {
		f.Fatal(err)
	}
	authority, err := ssh.NewSignerFromSigner(ca.Private)
	if err != nil {
		f.Fatal(err)
	}
	certified := &ssh.Certificate{Key: ca.Public, CertType: ssh.HostCert}
	if err := certified.SignCert(rand.Reader, authority); err != nil {
		f.Fatal(err)
	}
	der, err := envelope(ca.Private.Public(), certified)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Add([]byte{})
	f.Add([]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, der []byte) {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		key, err := FromCertificate(cert)
		if err != nil {
			if text := err.Error(); len(text) > 300 || !printable(text) {
				t.Errorf("the error tells what the stranger chose: %q", text)
			}
			return
		}
		if len(der) > 8192 {
			t.Errorf("a certificate of %d bytes was looked at", len(der))
		}
		if host := HostCertificate(cert, key); host != nil &&
			!bytes.Equal(host.Key.Marshal(), key.Marshal()) {
			t.Error("a certificate for another key was taken")
		}
		again, err := ssh.ParsePublicKey(key.Marshal())
		if err != nil || !bytes.Equal(again.Marshal(), key.Marshal()) {
			t.Fatalf("the key does not come back from its wire form: %v", err)
		}
		switch public := cert.PublicKey.(type) {
		case ed25519.PublicKey:
			if !bytes.HasSuffix(key.Marshal(), public) {
				t.Error("another key was taken")
			}
		case *ecdsa.PublicKey:
			if size := public.Curve.Params().BitSize; size != 256 && size != 384 && size != 521 {
				t.Errorf("a curve of %d bits", size)
			}
		case *rsa.PublicKey:
			if size := public.N.BitLen(); size < 2048 || size > 8192 {
				t.Errorf("RSA of %d bits", size)
			}
		default:
			t.Fatalf("%T was taken", public)
		}
		ours, err := envelope(cert.PublicKey, nil)
		if err != nil {
			t.Fatal(err)
		}
		cert, err = x509.ParseCertificate(ours)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := FromCertificate(cert); err != nil || Fingerprint(same) != Fingerprint(key) {
			t.Errorf("in an envelope of ours it is another key: %v", err)
		}
	})
}

func printable(text string) bool {
	for _, c := range text {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
