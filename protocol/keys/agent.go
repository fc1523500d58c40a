package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// agentWait bounds how long an agent may take; the user may have to confirm the use of a key.
const agentWait = 60 * time.Second

// Unusable is a key that an agent holds and that cannot be used, with the reason and what to do.
type Unusable struct {
	Key     ssh.PublicKey
	Comment string
	Why     string
}

// Agent lists what an ssh-agent at a socket holds. The connection stays open for signatures until the program ends.
func Agent(socket string) (usable []Identity, unusable []Unusable, err error) {
	conn, err := net.DialTimeout("unix", socket, 5*time.Second)
	if err != nil {
		return nil, nil, fmt.Errorf("the agent at %s does not answer: %w", socket, err)
	}
	conn.SetDeadline(time.Now().Add(agentWait))
	client := agent.NewClient(conn)
	list, err := client.List()
	if err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("the agent at %s: %w", socket, err)
	}
	for _, key := range list {
		public, err := ssh.ParsePublicKey(key.Blob)
		if err != nil {
			continue
		}
		switch TypeName(public) {
		case "ED25519", "ECDSA":
			inside, ok := public.(ssh.CryptoPublicKey)
			if !ok {
				continue
			}
			signer := &agentSigner{conn: conn, client: client, public: public, inside: inside.CryptoPublicKey()}
			usable = append(usable, Identity{Public: public, Private: signer, Source: "agent", Comment: key.Comment})
		case "RSA":
			unusable = append(unusable, Unusable{public, key.Comment, "agents cannot sign with RSA-PSS, which TLS wants: name its file with -i, or use an Ed25519 key"})
		case "ED25519-SK", "ECDSA-SK":
			unusable = append(unusable, Unusable{public, key.Comment, "hardware keys cannot sign for TLS yet: use an Ed25519 key"})
		}
	}
	return usable, unusable, nil
}

// InAgent says whether the private half lives in an agent.
func (id Identity) InAgent() bool { _, ok := id.Private.(*agentSigner); return ok }

// agentSigner signs TLS's CertificateVerify with a key in an agent. An agent hashes what it is given itself, so crypto/tls must hand over the message: that
// is crypto.MessageSigner.
type agentSigner struct {
	conn   net.Conn
	client agent.ExtendedAgent
	public ssh.PublicKey
	inside crypto.PublicKey
}

func (s *agentSigner) Public() crypto.PublicKey { return s.inside }

func (s *agentSigner) Sign(_ io.Reader, _ []byte, _ crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("an agent signs messages, not digests")
}

// SignMessage gives the signature in TLS's form: raw for Ed25519, ASN.1 for ECDSA (RFC 8446 §4.2.3).
func (s *agentSigner) SignMessage(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	s.conn.SetDeadline(time.Now().Add(agentWait))
	signature, err := s.client.Sign(s.public, message)
	if err != nil {
		return nil, fmt.Errorf("the agent did not sign: %w", err)
	}
	switch s.inside.(type) {
	case ed25519.PublicKey:
		return signature.Blob, nil
	case *ecdsa.PublicKey:
		var parts struct{ R, S *big.Int } // RFC 5656 §3.1.2
		if err := ssh.Unmarshal(signature.Blob, &parts); err != nil {
			return nil, err
		}
		return asn1.Marshal(parts)
	}
	return nil, fmt.Errorf("a signature of type %s cannot be used", signature.Format)
}

var _ crypto.MessageSigner = (*agentSigner)(nil)
