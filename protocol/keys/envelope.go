package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/ssh"
)

// maxEnvelope bounds the certificates that are looked at, in bytes: the envelope of an 8192-bit RSA key takes 1,300.
const maxEnvelope = 8 << 10

// Certificate puts an identity into the envelope that TLS insists on (P2.1), ready for tls.Config.Certificates. The envelope
// is signed by a throw-away key, so that an agent signs once for a connection and not twice.
func Certificate(identity Identity) (tls.Certificate, error) {
	if identity.Private == nil || identity.Public == nil {
		return tls.Certificate{}, errors.New("an identity without its key")
	}
	if err := Usable(identity.Public); err != nil {
		return tls.Certificate{}, err
	}
	der, err := envelope(identity.Private.Public())
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("cannot make a certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("cannot make a certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: identity.Private, Leaf: leaf}, nil
}

// envelope makes a certificate around a public key. What stands in it besides the key is the same for everyone: it tells
// nothing about machine, user or clock.
func envelope(public crypto.PublicKey) ([]byte, error) {
	throwAway, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	subject := x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "minissh"},
		NotBefore:    time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // RFC 5280 4.1.2.5: no end
	}
	issuer := x509.Certificate{Subject: pkix.Name{CommonName: "minissh envelope"}}
	return x509.CreateCertificate(rand.Reader, &subject, &issuer, public, throwAway)
}

// FromCertificate takes the peer's public key out of its envelope. Nothing else in the certificate counts, and nothing
// else is looked at (P2.1); that the peer holds the key was proved by TLS. An error means that the key is of a kind that
// is not allowed (P2.2).
func FromCertificate(cert *x509.Certificate) (ssh.PublicKey, error) {
	if cert == nil {
		return nil, errors.New("the other side presents no certificate")
	}
	if len(cert.Raw) > maxEnvelope {
		return nil, fmt.Errorf("the other side's certificate has %d bytes, %d are allowed", len(cert.Raw), maxEnvelope)
	}
	switch public := cert.PublicKey.(type) {
	case ed25519.PublicKey:
		if len(public) != ed25519.PublicKeySize {
			return nil, errors.New("the other side's key is malformed")
		}
	case *ecdsa.PublicKey:
	case *rsa.PublicKey:
		// OpenSSH's wire form has room for any exponent, x/crypto reads 24 bits of it: a key must come back as it went.
		if public.E < 3 || public.E >= 1<<24 || public.E&1 == 0 {
			return nil, errors.New("the other side's RSA key has an exponent that is not accepted")
		}
	default:
		return nil, errors.New("the other side's key is of a kind that is not accepted")
	}
	key, err := ssh.NewPublicKey(cert.PublicKey)
	if err != nil {
		return nil, errors.New("the other side's key is of a kind that is not accepted")
	}
	if err := Usable(key); err != nil {
		return nil, fmt.Errorf("the other side's key is not accepted: %w", err)
	}
	return key, nil
}
