package keys

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"math/big"

	"golang.org/x/crypto/ssh"
)

// What a device says of a signature that it makes (OpenSSH's PROTOCOL.u2f).
const (
	flagTouched  = 0x01 // user presence
	flagVerified = 0x04 // user verification

	hardwareRest = 5 // bytes after the signature: the flags, and a counter
)

// IsHardware says whether a key lives in a FIDO device, which waits for a touch to sign.
func IsHardware(key ssh.PublicKey) bool {
	return key != nil && (key.Type() == ssh.KeyAlgoSKED25519 || key.Type() == ssh.KeyAlgoSKECDSA256)
}

var errSignature = errors.New("the signature is wrong")

// verifyHardware verifies a hardware key's signature. x/crypto's Verify would refuse one without a
// touch, about which the line in authorized_keys decides (LO5).
func verifyHardware(key ssh.PublicKey, data []byte, signature *ssh.Signature) (Proof, error) {
	held, ok := key.(ssh.CryptoPublicKey)
	application, err := applicationOf(key)
	if !ok || err != nil || len(signature.Rest) != hardwareRest {
		return Proof{}, errSignature
	}
	flags := signature.Rest[0]
	app, sum := sha256.Sum256([]byte(application)), sha256.Sum256(data)
	signed := append(append(app[:], signature.Rest...), sum[:]...)
	right := false
	switch public := held.CryptoPublicKey().(type) {
	case ed25519.PublicKey:
		right = len(public) == ed25519.PublicKeySize && ed25519.Verify(public, signed,
			signature.Blob)
	case *ecdsa.PublicKey:
		var pair struct{ R, S *big.Int }
		digest := sha256.Sum256(signed)
		right = ssh.Unmarshal(signature.Blob, &pair) == nil &&
			ecdsa.Verify(public, digest[:], pair.R, pair.S)
	}
	if !right {
		return Proof{}, errSignature
	}
	return Proof{Key: key, Hardware: true, Touched: flags&flagTouched != 0,
		Verified: flags&flagVerified != 0}, nil
}

// applicationOf is the last field of a hardware key's wire form.
func applicationOf(key ssh.PublicKey) (string, error) {
	if key.Type() == ssh.KeyAlgoSKED25519 {
		var wire struct {
			Type        string
			Key         []byte
			Application string
		}
		err := ssh.Unmarshal(key.Marshal(), &wire)
		return wire.Application, err
	}
	var wire struct {
		Type, Curve string
		Key         []byte
		Application string
	}
	err := ssh.Unmarshal(key.Marshal(), &wire)
	return wire.Application, err
}
