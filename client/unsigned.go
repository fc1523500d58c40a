package client

import (
	"crypto"
	"io"

	"minissh/protocol/keys"
)

// unsigned ends an attempt whose key did not sign: an agent whose user said no (ssh-add -c), that is locked, or whose hardware is not there. The daemon has
// judged nothing yet, so that the next key may do.
type unsigned struct{ why error }

func (u *unsigned) Error() string { return u.why.Error() }
func (u *unsigned) Unwrap() error { return u.why }

// notingSigner keeps the error of a key that does not sign: crypto/tls gives its text alone.
type notingSigner struct {
	of     *keys.Identity
	signer crypto.MessageSigner // nil: the key is in our memory, and signs
	failed error                // set before the handshake ends
}

func noteFailures(of *keys.Identity) *notingSigner {
	signer, _ := of.Private.(crypto.MessageSigner)
	if !of.InAgent() {
		signer = nil
	}
	return &notingSigner{of: of, signer: signer}
}

// identity is what to show in a handshake.
func (n *notingSigner) identity() keys.Identity {
	id := *n.of
	if n.signer != nil {
		id.Private = n
	}
	return id
}

// Public implements crypto.Signer.
func (n *notingSigner) Public() crypto.PublicKey { return n.signer.Public() }

// Sign implements crypto.Signer.
func (n *notingSigner) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return n.noted(n.signer.Sign(random, digest, opts))
}

// SignMessage implements crypto.MessageSigner.
func (n *notingSigner) SignMessage(random io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return n.noted(n.signer.SignMessage(random, message, opts))
}

func (n *notingSigner) noted(signature []byte, err error) ([]byte, error) {
	if err != nil {
		n.failed = &unsigned{err}
	}
	return signature, err
}
