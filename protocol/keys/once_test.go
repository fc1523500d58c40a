package keys

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"testing"
)

// A client's signatures are those of crypto/ed25519, byte by byte, and verify there.
func TestOneSignature(t *testing.T) {
	for size := range 200 {
		id, err := Generate()
		if err != nil {
			t.Fatal(err)
		}
		message := bytes.Repeat([]byte{byte(size)}, size)
		signer := ForOneSignature(id).Private
		if _, ok := signer.(onceSigner); !ok {
			t.Fatalf("%T", signer)
		}
		got, err := signer.Sign(nil, message, crypto.Hash(0))
		if err != nil {
			t.Fatal(err)
		}
		private := id.Private.(ed25519.PrivateKey)
		if !bytes.Equal(got, ed25519.Sign(private, message)) {
			t.Fatalf("another signature than crypto/ed25519's: %x", got)
		}
		if !ed25519.Verify(signer.Public().(ed25519.PublicKey), message, got) {
			t.Fatal("the signature does not verify")
		}
	}
}

// What takes a digest, or is another kind of key, is left alone.
func TestOneSignatureOfOthers(t *testing.T) {
	id, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ForOneSignature(id).Private.Sign(nil, make([]byte, 32), crypto.SHA256); err == nil {
		t.Error("a digest was signed")
	}
	agent := Identity{Private: &agentSigner{}}
	if ForOneSignature(agent).Private != agent.Private {
		t.Error("the agent does not sign itself")
	}
}
