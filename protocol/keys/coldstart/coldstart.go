// Package coldstart lets a client's own keys sign sooner after a process starts than crypto/ed25519
// can. It is for clients that live for milliseconds only: a daemon signs with the standard library,
// and minisshd does not contain this code.
package coldstart

import (
	"crypto"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"io"

	circl "github.com/cloudflare/circl/sign/ed25519"

	"minissh/protocol/keys"
)

// ed25519Signer gives the same signatures as crypto/ed25519, but with circl's code, whose tables
// are part of the program. crypto/ed25519 computes them before the first signature of a process:
// more than a millisecond, in a client that lives for ten.
type ed25519Signer ed25519.PrivateKey

// Public implements crypto.Signer.
func (k ed25519Signer) Public() crypto.PublicKey { return ed25519.PrivateKey(k).Public() }

// Sign implements crypto.Signer. As with crypto/ed25519, message is the message itself; TLS does
// not use the variants that hash it first.
func (k ed25519Signer) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts.HashFunc() != 0 {
		return nil, errors.New("an ed25519 key signs whole messages here, not digests")
	}
	return circl.Sign(circl.PrivateKey(k), message), nil
}

// Certificate is keys.Certificate with a private key that signs sooner.
func Certificate(identity keys.Identity) (tls.Certificate, error) {
	envelope, err := keys.Certificate(identity)
	if err == nil {
		envelope.PrivateKey = signer(identity.Private)
	}
	return envelope, err
}

// signer is what TLS signs with.
func signer(private crypto.Signer) crypto.Signer {
	if key, ok := private.(ed25519.PrivateKey); ok {
		return ed25519Signer(key)
	}
	return private
}
