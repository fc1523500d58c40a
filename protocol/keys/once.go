package keys

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha512"
	"errors"
	"io"

	"filippo.io/edwards25519"
)

// ForOneSignature returns the identity for a program that signs once, as a client does. crypto/ed25519 makes tables before a process's first
// signature, 1.3 milliseconds of computing that pay for themselves in a daemon and were an eighth of a client's whole life. What comes back signs
// without them. Other kinds of keys come back as they are.
func ForOneSignature(identity Identity) Identity {
	if private, ok := identity.Private.(ed25519.PrivateKey); ok {
		identity.Private = onceSigner{private}
	}
	return identity
}

// onceSigner is Ed25519 as RFC 8032, 5.1.6, has it, and gives the very signatures that crypto/ed25519 gives.
type onceSigner struct{ private ed25519.PrivateKey }

// Public implements crypto.Signer.
func (s onceSigner) Public() crypto.PublicKey { return s.private.Public() }

// Sign implements crypto.Signer. The message is not a digest: opts names no hash.
func (s onceSigner) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts.HashFunc() != 0 {
		return nil, errors.New("Ed25519 signs whole messages, not digests")
	}
	secret := sha512.Sum512(s.private.Seed())
	a, err := new(edwards25519.Scalar).SetBytesWithClamping(secret[:32])
	if err != nil {
		return nil, err
	}
	r, err := hashToScalar(secret[32:], message)
	if err != nil {
		return nil, err
	}
	commitment := new(edwards25519.Point).ScalarMult(r, edwards25519.NewGeneratorPoint()).Bytes()
	k, err := hashToScalar(commitment, s.private[ed25519.SeedSize:], message)
	if err != nil {
		return nil, err
	}
	return append(commitment, new(edwards25519.Scalar).MultiplyAdd(k, a, r).Bytes()...), nil
}

// hashToScalar is SHA-512 over the parts, as a number modulo the order of the group.
func hashToScalar(parts ...[]byte) (*edwards25519.Scalar, error) {
	hash := sha512.New()
	for _, part := range parts {
		hash.Write(part)
	}
	return new(edwards25519.Scalar).SetUniformBytes(hash.Sum(nil))
}
