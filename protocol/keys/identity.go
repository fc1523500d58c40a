package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Sizes of RSA keys that are accepted, in bits (ID2). crypto/tls itself refuses larger ones.
const (
	minRSA = 2048
	maxRSA = 8192
)

// Identity is a key that can prove itself.
type Identity struct {
	Public ssh.PublicKey
	// a key in memory, or an agent's key: a crypto.MessageSigner that signs whole messages only
	Private crypto.Signer
	Cert    *ssh.Certificate // to log in with; nil: none
	Source  string           // where it came from, for messages: a path, "agent", "generated"
	// what its owner calls it; may be empty, and is not ours: quote it before you show it
	Comment string
}

// InAgent says whether the private half lives in an agent.
func (id Identity) InAgent() bool { _, ok := id.Private.(*agentSigner); return ok }

// Generate makes an ed25519 key that lives in memory alone.
func Generate() (Identity, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Identity{}, err
	}
	return newIdentity(private, "generated", "")
}

// newIdentity makes an Identity of a private key in memory, if TLS can carry it.
func newIdentity(private crypto.Signer, source, comment string) (Identity, error) {
	public, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		return Identity{}, &Error{Subject: source, Msg: "holds a kind of key that cannot be used",
			Advice: makeOne, Err: err}
	}
	if err := Usable(public); err != nil {
		return Identity{}, err
	}
	return Identity{Public: public, Private: private, Source: source, Comment: comment}, nil
}

const makeOne = "ssh-keygen -t ed25519 makes a key that works"

// Usable says why TLS cannot carry a key, nil if it can: ed25519, ECDSA on P-256, P-384 and P-521,
// RSA from 2048 to 8192 bits (ID2).
func Usable(key ssh.PublicKey) error {
	refuse := func(why string) error { return &Error{Msg: why, Advice: makeOne} }
	if key == nil {
		return refuse("there is no key")
	}
	kind := key.Type()
	switch {
	case strings.Contains(kind, "-cert-v0"):
		return refuse("OpenSSH certificates (" + TypeName(key) +
			") are not keys themselves")
	case strings.HasPrefix(kind, "sk-"):
		return refuse("TLS cannot carry hardware keys (" + TypeName(key) + ")")
	}
	held, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return refuse(TypeName(key) + " keys are not supported")
	}
	switch public := held.CryptoPublicKey().(type) {
	// x/crypto parses the three curves of RFC 5656 and no others
	case ed25519.PublicKey, *ecdsa.PublicKey:
		return nil
	case *rsa.PublicKey:
		switch bits := public.N.BitLen(); {
		case bits < minRSA:
			return refuse("RSA keys of less than 2048 bits are not accepted")
		case bits > maxRSA:
			return refuse("RSA keys of more than 8192 bits are not accepted")
		}
		return nil
	}
	return refuse(TypeName(key) + " keys are not supported")
}

// Allowed says why nobody may log in with a key, nil if TLS can carry it, or it can sign a login:
// the keys of ID2, and hardware keys (LO3).
func Allowed(key ssh.PublicKey) error {
	if IsHardware(key) {
		return nil
	}
	return Usable(key)
}

// Fingerprint is a key's SHA256:… as `ssh-keygen -l` prints it (ID3).
func Fingerprint(key ssh.PublicKey) string { return ssh.FingerprintSHA256(key) }

// TypeName is what ssh calls a key in messages: ED25519, ECDSA, RSA, ED25519-SK, …. It never holds
// a byte that the peer chose.
func TypeName(key ssh.PublicKey) string { return typeName(key.Type()) }

func typeName(kind string) string {
	switch {
	case kind == ssh.KeyAlgoED25519:
		return "ED25519"
	case kind == ssh.KeyAlgoRSA:
		return "RSA"
	//lint:ignore SA1019 such keys are named when they are refused
	case kind == ssh.InsecureKeyAlgoDSA:
		return "DSA"
	case kind == ssh.KeyAlgoSKED25519:
		return "ED25519-SK"
	case kind == ssh.KeyAlgoSKECDSA256:
		return "ECDSA-SK"
	case strings.HasPrefix(kind, "ecdsa-sha2-nistp") && !strings.Contains(kind, "-cert-v0"):
		return "ECDSA"
	}
	if plain, _, ok := strings.Cut(kind, "-cert-v0"); ok {
		if at := strings.IndexByte(kind, '@'); at >= 0 && strings.HasPrefix(plain, "sk-") {
			plain += kind[at:]
		}
		return typeName(plain) + "-CERT"
	}
	return "unknown"
}
