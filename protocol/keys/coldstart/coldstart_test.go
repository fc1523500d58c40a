package coldstart

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/sha512"
	"crypto/tls"
	"math/rand/v2"
	"testing"

	"minissh/protocol/keys"
)

// Ed25519 is deterministic (RFC 8032, 5.1.6): if two implementations give different bytes, one of
// them is wrong.
func TestEd25519Signer(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	for size := range 200 {
		seed, message := make([]byte, ed25519.SeedSize), make([]byte, size)
		random.Read(seed)
		random.Read(message)
		key := ed25519.NewKeyFromSeed(seed)
		got, err := signer(key).Sign(nil, message, crypto.Hash(0))
		if err != nil || !bytes.Equal(got, ed25519.Sign(key, message)) {
			t.Fatalf("a message of %d bytes: %x, %v", size, got, err)
		}
		if public, ok := signer(key).Public().(ed25519.PublicKey); !ok ||
			!public.Equal(key.Public()) {
			t.Fatalf("the public key is %v", public)
		}
	}
	if _, err := signer(ed25519.NewKeyFromSeed(make([]byte, 32))).Sign(nil,
		make([]byte, sha512.Size), crypto.SHA512); err == nil {
		t.Error("it signs a digest")
	}
}

// A client that asks for it signs with circl's code; keys.Certificate, which the daemon uses, signs
// with the standard library.
func TestWhoSigns(t *testing.T) {
	id, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	quick, err := Certificate(id)
	if _, ok := quick.PrivateKey.(ed25519Signer); !ok || err != nil {
		t.Errorf("%T signs here, %v", quick.PrivateKey, err)
	}
	plain, err := keys.Certificate(id)
	if _, ok := plain.PrivateKey.(ed25519.PrivateKey); !ok || err != nil {
		t.Errorf("%T signs for the daemon, %v", plain.PrivateKey, err)
	}
	if err := mustFail(Certificate(keys.Identity{})); err == nil {
		t.Error("an envelope without a key")
	}
}

func mustFail(_ tls.Certificate, err error) error { return err }
