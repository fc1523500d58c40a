// Package coldstart has a client's own keys sign sooner after the start of a process than
// crypto/ed25519 can. It is for clients that live for milliseconds, and for nobody else: a daemon
// signs with the standard library, and minisshd does not even hold the code that is here.
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

// ed25519Signer signs as crypto/ed25519 does, with the same result, but with circl's code. The
// tables that it needs are in the program. crypto/ed25519 computes its own before the first
// signature of a process, which is 16 per cent of a cold command.
type ed25519Signer ed25519.PrivateKey

// Public implements crypto.Signer.
func (k ed25519Signer) Public() crypto.PublicKey { return ed25519.PrivateKey(k).Public() }

// Sign implements crypto.Signer. As with crypto/ed25519, message is the message itself; its
// variants that hash it first are not for TLS.
func (k ed25519Signer) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts.HashFunc() != 0 {
		return nil, errors.New("an ed25519 key signs whole messages here, not digests")
	}
	return circl.Sign(circl.PrivateKey(k), message), nil
}

// Certificate is keys.Certificate, with a private key that signs sooner.
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
