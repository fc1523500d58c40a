package testend

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"math/big"

	"golang.org/x/crypto/ssh"
)

// SecurityKey is a FIDO device in software: it signs as OpenSSH's PROTOCOL.u2f says, and claims
// whatever it is told to about touch (0x01) and verification (0x04).
type SecurityKey struct {
	Flags  byte
	Signed int // how often it has signed

	public  ssh.PublicKey
	ed25519 ed25519.PrivateKey
	ecdsa   *ecdsa.PrivateKey
}

// NewSecurityKey makes a key of the type sk-ssh-ed25519@openssh.com, or else
// sk-ecdsa-sha2-nistp256@openssh.com, that was touched.
func NewSecurityKey(isEd25519 bool) (*SecurityKey, error) {
	k := &SecurityKey{Flags: 0x01}
	var wire []byte
	if isEd25519 {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		k.ed25519 = private
		wire = ssh.Marshal(struct {
			Type        string
			Key         []byte
			Application string
		}{ssh.KeyAlgoSKED25519, public, "ssh:"})
	} else {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		k.ecdsa = private
		point, err := private.PublicKey.Bytes()
		if err != nil {
			return nil, err
		}
		wire = ssh.Marshal(struct {
			Type, Curve string
			Key         []byte
			Application string
		}{ssh.KeyAlgoSKECDSA256, "nistp256", point, "ssh:"})
	}
	public, err := ssh.ParsePublicKey(wire)
	k.public = public
	return k, err
}

// PublicKey implements ssh.Signer.
func (k *SecurityKey) PublicKey() ssh.PublicKey { return k.public }

// Sign implements ssh.Signer.
func (k *SecurityKey) Sign(_ io.Reader, data []byte) (*ssh.Signature, error) {
	k.Signed++
	rest := []byte{k.Flags, 0, 0, 0, byte(k.Signed)}
	application, sum := sha256.Sum256([]byte("ssh:")), sha256.Sum256(data)
	signed := append(append(application[:], rest...), sum[:]...)
	signature := &ssh.Signature{Format: k.public.Type(), Rest: rest}
	switch {
	case k.ed25519 != nil:
		signature.Blob = ed25519.Sign(k.ed25519, signed)
	case k.ecdsa != nil:
		digest := sha256.Sum256(signed)
		r, s, err := ecdsa.Sign(rand.Reader, k.ecdsa, digest[:])
		if err != nil {
			return nil, err
		}
		signature.Blob = ssh.Marshal(struct{ R, S *big.Int }{r, s})
	default:
		return nil, errors.New("there is no key")
	}
	return signature, nil
}
