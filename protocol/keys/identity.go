package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Identity is a key pair whose private half can sign for TLS 1.3.
type Identity struct {
	Public  ssh.PublicKey
	Private crypto.Signer // of an agent's key: also a crypto.MessageSigner
	Source  string        // where it comes from: a file's path, "agent", "memory"
	Comment string
}

// Fingerprint is OpenSSH's: "SHA256:" and unpadded base64 (P2.3).
func Fingerprint(key ssh.PublicKey) string { return ssh.FingerprintSHA256(key) }

// TypeName is a key's type as ssh shows it to people: ED25519, ECDSA, RSA.
func TypeName(key ssh.PublicKey) string {
	switch name := key.Type(); {
	case name == ssh.KeyAlgoED25519:
		return "ED25519"
	case name == ssh.KeyAlgoRSA:
		return "RSA"
	case strings.HasPrefix(name, "ecdsa-"):
		return "ECDSA"
	case strings.HasPrefix(name, "sk-ssh-ed25519"):
		return "ED25519-SK"
	case strings.HasPrefix(name, "sk-ecdsa"):
		return "ECDSA-SK"
	}
	return "UNKNOWN"
}

// Generate makes an Ed25519 identity that lives in memory only.
func Generate() (Identity, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Identity{}, err
	}
	return fromSigner(private, "memory", "")
}

func fromSigner(private crypto.Signer, source, comment string) (Identity, error) {
	public, err := publicOf(private.Public())
	if err != nil {
		return Identity{}, err
	}
	return Identity{Public: public, Private: private, Source: source, Comment: comment}, nil
}

// publicOf checks that a public key is one that P2.2 allows, and gives it in SSH's form.
func publicOf(key crypto.PublicKey) (ssh.PublicKey, error) {
	switch k := key.(type) {
	case ed25519.PublicKey:
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() && k.Curve != elliptic.P384() && k.Curve != elliptic.P521() {
			return nil, fmt.Errorf("an ECDSA key on %s cannot be used; P-256, P-384 and P-521 can", k.Curve.Params().Name)
		}
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < 2048 || bits > 8192 {
			return nil, fmt.Errorf("an RSA key of %d bits cannot be used; 2048 to 8192 can", bits)
		}
	default:
		return nil, fmt.Errorf("a key of type %T cannot be used; Ed25519, ECDSA and RSA can", key)
	}
	return ssh.NewPublicKey(key)
}
