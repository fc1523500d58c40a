// Package coldstart has a client's own keys sign sooner after the start of a process than crypto/ed25519
// can. It is for clients that live for milliseconds, and for nobody else: a daemon signs with the
// standard library, and minisshd does not even hold the code that is here.
package coldstart

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"io"

	circl "github.com/cloudflare/circl/sign/ed25519"

	"minissh/protocol/keys"
)

// ed25519Signer signs as crypto/ed25519 does, with the same result, but with circl's code. The tables that it needs stand in the program, where crypto/ed25519
// computes them before the first signature of a process: more than a millisecond, in a client that lives for ten.
type ed25519Signer ed25519.PrivateKey

// Public implements crypto.Signer.
func (k ed25519Signer) Public() crypto.PublicKey { return ed25519.PrivateKey(k).Public() }

// Sign implements crypto.Signer. As with crypto/ed25519, message is the message itself; its variants that hash it first are not for TLS.
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

// WarmUp has the tables made that crypto/ed25519 needs for its first verification in a process: a third of a millisecond of computing that a client can
// do while it waits for the network. It may be called at any time, from any goroutine.
func WarmUp() {
	ed25519.Verify(basePoint, nil, make([]byte, ed25519.SignatureSize))
}

// basePoint is a public key that anybody may know (RFC 8032, 5.1): nothing is kept secret with it, or told from it.
var basePoint = append(ed25519.PublicKey{0x58}, bytes.Repeat([]byte{0x66}, 31)...)
