package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"errors"
	"io"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// agentSigner signs with a key that an agent holds. An agent takes whole messages and hashes them
// itself, so this is a crypto.MessageSigner and its Sign always fails. Nothing in it changes: any
// goroutine may use it.
type agentSigner struct {
	socket string
	key    ssh.PublicKey
	cert   *ssh.Certificate // under which the agent holds the key; nil: under the key itself
	public crypto.PublicKey
}

// name is what the agent is asked for.
func (s *agentSigner) name() ssh.PublicKey {
	if s.cert != nil {
		return s.cert
	}
	return s.key
}

var _ crypto.MessageSigner = (*agentSigner)(nil)

// Public implements crypto.Signer.
func (s *agentSigner) Public() crypto.PublicKey { return s.public }

// Sign implements crypto.Signer and always fails: an agent does not sign digests.
func (s *agentSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("an ssh-agent signs whole messages, not digests")
}

// SignMessage implements crypto.MessageSigner. opts names the hash that goes with the key: none for
// ed25519, the curve's for ECDSA (RFC 5656 6.2.1, and the same in TLS 1.3's RFC 8446 4.2.3).
func (s *agentSigner) SignMessage(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte,
	error) {
	hash, err := agentHash(s.public)
	if err != nil {
		return nil, err
	}
	if opts.HashFunc() != hash {
		return nil, errors.New("an ssh-agent does not sign with this hash")
	}
	var signature *ssh.Signature
	err = withAgent(s.socket, signTimeout, func(client agent.Agent) (err error) {
		signature, err = client.Sign(s.name(), message)
		return err
	})
	if err != nil {
		return nil, s.refused(err)
	}
	// Otherwise a wrong signature would only come back as the peer's "bad certificate".
	if signature.Format != s.key.Type() || s.key.Verify(message, signature) != nil {
		return nil,
			&Error{Msg: "the ssh-agent signed with another key than the " + TypeName(s.key) +
				" key " + Fingerprint(s.key), Advice: "minissh -i FILE uses a key's file"}
	}
	if hash == 0 {
		return signature.Blob, nil
	}
	return ecdsaToASN1(signature.Blob)
}

// refused is an agent that did not sign.
func (s *agentSigner) refused(err error) error {
	return &Error{
		Msg: "the ssh-agent did not sign with the " + TypeName(s.key) + " key " +
			Fingerprint(s.key) + ": " + plain(err), Advice: "ssh-add -l shows what it holds",
		Err: err,
	}
}

// agentHash is the hash that an agent uses for a key, 0 for none.
func agentHash(public crypto.PublicKey) (crypto.Hash, error) {
	switch public := public.(type) {
	case ed25519.PublicKey:
		return 0, nil
	case *ecdsa.PublicKey:
		switch public.Curve.Params().BitSize {
		case 256:
			return crypto.SHA256, nil
		case 384:
			return crypto.SHA384, nil
		case 521:
			return crypto.SHA512, nil
		}
	}
	return 0, errors.New("an ssh-agent cannot sign with this kind of key")
}

// ecdsaToASN1 turns ssh's form of an ECDSA signature (two mpints) into TLS's (an ASN.1 sequence of
// two integers).
func ecdsaToASN1(blob []byte) ([]byte, error) {
	var pair struct{ R, S *big.Int }
	if err := ssh.Unmarshal(blob, &pair); err != nil {
		return nil, errors.New("the ssh-agent gave a malformed signature")
	}
	var out cryptobyte.Builder
	out.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(pair.R)
		b.AddASN1BigInt(pair.S)
	})
	return out.Bytes()
}
