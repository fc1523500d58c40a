package keys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ssh"
)

// maxEnvelope bounds the certificates that are looked at, in bytes: the envelope of an 8192-bit RSA
// key has 1,300.
const maxEnvelope = 8 << 10

// Certificate puts an identity into the envelope that TLS insists on (ID1), ready for
// tls.Config.Certificates. The key does not sign the envelope, so an agent signs once for a
// connection and not twice.
func Certificate(identity Identity) (tls.Certificate, error) {
	if identity.Private == nil || identity.Public == nil {
		return tls.Certificate{}, errors.New("an identity without its key")
	}
	if err := Usable(identity.Public); err != nil {
		return tls.Certificate{}, err
	}
	encoded, err := envelope(identity.Private.Public(), identity.hostCertificate())
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("cannot make a certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(encoded)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("cannot make a certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{encoded}, PrivateKey: identity.Private,
		Leaf: leaf}, nil
}

// The object identifiers in an envelope (RFC 5758, RFC 5280).
var (
	oidECDSAWithSHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidCommonName      = asn1.ObjectIdentifier{2, 5, 4, 3}

	oidHostCertificate = asn1.ObjectIdentifier{2, 25, 1835626089} // CE6
)

// envelope makes a certificate (RFC 5280, 4.1) around a public key, and around a host's OpenSSH
// certificate unless that is nil. Apart from these it is the same for everyone: it tells nothing
// about machine, user or clock. Its signature is empty, since nobody checks it: signing with a
// throw-away key took 10 % of the time of a whole cold command, and an agent would have had to sign
// twice.
func envelope(public crypto.PublicKey, host *ssh.Certificate) ([]byte, error) {
	key, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	algorithm := func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidECDSAWithSHA256) }
	name := func(commonName string) func(*cryptobyte.Builder) {
		return func(b *cryptobyte.Builder) {
			b.AddASN1(der.SET, func(b *cryptobyte.Builder) {
				b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(oidCommonName)
					b.AddASN1(der.UTF8String, func(b *cryptobyte.Builder) {
						b.AddBytes([]byte(commonName))
					})
				})
			})
		}
	}
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { // what a signature would cover
			// version 3
			b.AddASN1(der.Tag(0).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) {
				b.AddASN1Int64(2)
			})
			// serial number
			b.AddASN1Int64(1)
			b.AddASN1(der.SEQUENCE, algorithm)
			b.AddASN1(der.SEQUENCE, name("minissh envelope")) // issuer
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1UTCTime(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
				// RFC 5280, 4.1.2.5: no end
				b.AddASN1GeneralizedTime(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC))
			})
			b.AddASN1(der.SEQUENCE, name("minissh")) // subject
			b.AddBytes(key)
			if host != nil {
				addHostCertificate(b, host)
			}
		})
		b.AddASN1(der.SEQUENCE, algorithm)
		b.AddASN1(der.BIT_STRING, func(b *cryptobyte.Builder) {
			b.AddUint8(0)
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(1)
				b.AddASN1Int64(1)
			})
		})
	})
	return b.Bytes()
}

// FromCertificate takes the peer's public key out of its envelope. Nothing else in the certificate
// counts (ID1); TLS has proved that the peer holds the key. An error means that the kind of key is
// not allowed (ID2).
func FromCertificate(cert *x509.Certificate) (ssh.PublicKey, error) {
	if cert == nil {
		return nil, errors.New("the other side presents no certificate")
	}
	if len(cert.Raw) > maxEnvelope {
		return nil, fmt.Errorf("the other side's certificate has %d bytes, %d are allowed",
			len(cert.Raw), maxEnvelope)
	}
	switch public := cert.PublicKey.(type) {
	case ed25519.PublicKey:
		if len(public) != ed25519.PublicKeySize {
			return nil, errors.New("the other side's key is malformed")
		}
	case *ecdsa.PublicKey:
	case *rsa.PublicKey:
		// OpenSSH's wire form has room for any exponent, but x/crypto reads only 24 bits: a key
		// must come back as it went.
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

// addHostCertificate adds the extensions of an envelope.
func addHostCertificate(b *cryptobyte.Builder, host *ssh.Certificate) {
	b.AddASN1(der.Tag(3).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidHostCertificate)
				b.AddASN1OctetString(host.Marshal())
			})
		})
	})
}

// hostCertificate is what a host's envelope holds besides its key; nil: nothing.
func (id Identity) hostCertificate() *ssh.Certificate {
	if id.Cert == nil || id.Cert.CertType != ssh.HostCert {
		return nil
	}
	return id.Cert
}

// HostCertificate is the OpenSSH certificate in a host's envelope, nil if there is none for its key
// that could hold (CE6). Nobody has judged it.
func HostCertificate(envelope *x509.Certificate, key ssh.PublicKey) *ssh.Certificate {
	for _, extension := range envelope.Extensions {
		if !extension.Id.Equal(oidHostCertificate) || len(extension.Value) > MaxCertificate {
			continue
		}
		parsed, err := ssh.ParsePublicKey(extension.Value)
		cert, ok := parsed.(*ssh.Certificate)
		if err == nil && ok && CheckForm(cert) == nil &&
			bytes.Equal(cert.Key.Marshal(), key.Marshal()) {
			return cert
		}
		return nil
	}
	return nil
}
