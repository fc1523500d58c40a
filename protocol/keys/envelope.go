package keys

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/ssh"
)

// Certificate puts an identity's public key into the envelope that TLS wants (P2.1). The envelope is signed by a throw-away key, so that an agent
// is asked to sign once only, in the handshake: nobody checks the envelope's own signature.
func Certificate(id Identity) (tls.Certificate, error) {
	der, err := envelope(id)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: id.Private}, nil
}

func envelope(id Identity) ([]byte, error) {
	throwAway, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	// Dates that never matter: nobody reads them, and some libraries refuse a certificate without.
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "minissh"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	}
	return x509.CreateCertificate(rand.Reader, template, template, id.Private.Public(), throwAway)
}

// FromCertificate takes the public key out of an envelope. Nothing else in it is looked at (P2.1, P2.2).
func FromCertificate(cert *x509.Certificate) (ssh.PublicKey, error) { return publicOf(cert.PublicKey) }

// PEM is the private key (PKCS #8) and its envelope, for other languages. An agent gives no private keys.
func PEM(id Identity) ([]byte, error) {
	if id.InAgent() {
		return nil, errors.New("an agent does not give its private keys away: name a key file")
	}
	private, err := x509.MarshalPKCS8PrivateKey(id.Private)
	if err != nil {
		return nil, fmt.Errorf("the key in %s: %w", id.Source, err)
	}
	der, err := envelope(id)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	return append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...), nil
}
