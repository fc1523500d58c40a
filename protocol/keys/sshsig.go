package keys

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"minissh/protocol"
)

// Proof is a key whose holder is there: TLS has said so, or a signature (LO4).
type Proof struct {
	Key ssh.PublicKey
	// for the key, unless nil: it logs in by this certificate alone, which nobody has judged (CE3)
	Cert *ssh.Certificate
	// a hardware key signed: was it touched, and did the device verify by whom (LO5)
	Hardware, Touched, Verified bool
}

// Same says whether two proofs are of the same key, with whatever certificate (CE5), or both of
// none.
func (p Proof) Same(other Proof) bool {
	if p.Key == nil || other.Key == nil {
		return p.Key == nil && other.Key == nil
	}
	return bytes.Equal(p.Key.Marshal(), other.Key.Marshal())
}

// sshsigMagic begins an SSHSIG, and what it signs (OpenSSH's PROTOCOL.sshsig).
const sshsigMagic = "SSHSIG"

// sshsig is what follows the magic.
type sshsig struct {
	Version                   uint32
	Key                       []byte
	Namespace, Reserved, Hash string
	Signature                 []byte
}

// signed is what an SSHSIG signs.
func (s *sshsig) signed(message []byte) ([]byte, error) {
	var sum []byte
	switch s.Hash {
	case "sha256":
		h := sha256.Sum256(message)
		sum = h[:]
	case "sha512":
		h := sha512.Sum512(message)
		sum = h[:]
	default:
		return nil, errors.New("its hash is neither sha256 nor sha512")
	}
	return append([]byte(sshsigMagic), ssh.Marshal(struct {
		Namespace, Reserved, Hash string
		Sum                       []byte
	}{s.Namespace, s.Reserved, s.Hash, sum})...), nil
}

// SignedLogin is HELLO's `auth`, taken apart and not yet verified.
type SignedLogin struct {
	outer     sshsig
	key       ssh.PublicKey
	cert      *ssh.Certificate // nil: the key has none
	signature *ssh.Signature
}

// ParseLogin takes `auth` apart. The error says what is wrong with its form, or that keys or
// signatures of its kind are not accepted (LO3).
func ParseLogin(auth string) (*SignedLogin, error) {
	blob, err := base64.StdEncoding.Strict().DecodeString(auth)
	blob, found := bytes.CutPrefix(blob, []byte(sshsigMagic))
	if err != nil || !found || strings.ContainsAny(auth, "\r\n") {
		return nil, errors.New("it is not an SSHSIG in base64")
	}
	l := &SignedLogin{signature: new(ssh.Signature)}
	s := &l.outer
	switch err := ssh.Unmarshal(blob, s); {
	case err != nil:
		return nil, errors.New("it is not an SSHSIG")
	case s.Version != 1:
		return nil, errors.New("its version is not 1")
	case s.Namespace != protocol.LoginNamespace:
		return nil, errors.New("its namespace is not " + protocol.LoginNamespace)
	case s.Reserved != "":
		return nil, errors.New("its reserved field is not empty")
	case s.Hash != "sha256" && s.Hash != "sha512":
		return nil, errors.New("its hash is neither sha256 nor sha512")
	}
	if l.key, err = ssh.ParsePublicKey(s.Key); err != nil {
		return nil, errors.New("its key cannot be read")
	}
	if cert, ok := l.key.(*ssh.Certificate); ok {
		if err := CheckForm(cert); err != nil {
			return nil, err
		}
		l.cert, l.key = cert, cert.Key
	}
	if err := Allowed(l.key); err != nil {
		return nil, err
	}
	if ssh.Unmarshal(s.Signature, l.signature) != nil {
		return nil, errors.New("its signature cannot be read")
	}
	return l, l.check()
}

// check looks at the signature's algorithm and size.
func (l *SignedLogin) check() error {
	hardware, kind := IsHardware(l.key), l.key.Type()
	switch format := l.signature.Format; {
	case kind == ssh.KeyAlgoRSA && format != ssh.KeyAlgoRSASHA256 && format != ssh.KeyAlgoRSASHA512,
		kind != ssh.KeyAlgoRSA && format != kind:
		return errors.New("signatures of its algorithm are not accepted")
	case hardware && len(l.signature.Rest) != hardwareRest, !hardware && len(l.signature.Rest) > 0:
		return errors.New("its signature has another length")
	}
	if held, ok := l.key.(ssh.CryptoPublicKey); ok && kind == ssh.KeyAlgoRSA {
		if public, ok := held.CryptoPublicKey().(*rsa.PublicKey); !ok ||
			len(l.signature.Blob) != public.Size() {
			return errors.New("its signature has another length")
		}
	}
	return nil
}

// Verify says who signed a transcript (protocol.LoginTranscript).
func (l *SignedLogin) Verify(transcript []byte) (Proof, error) {
	data, err := l.outer.signed(transcript)
	if err != nil {
		return Proof{}, err
	}
	proof := Proof{Key: l.key}
	if IsHardware(l.key) {
		if proof, err = verifyHardware(l.key, data, l.signature); err != nil {
			return Proof{}, err
		}
	} else if err := l.key.Verify(data, l.signature); err != nil {
		return Proof{}, errors.New("the signature is wrong")
	}
	proof.Cert = l.cert
	return proof, nil
}

// Key is the key that is said to have signed.
func (l *SignedLogin) Key() ssh.PublicKey { return l.key }

// SignsLogins says whether an identity logs in by a signature, because TLS cannot carry it, or
// because it has a certificate (CE2).
func (id Identity) SignsLogins() bool {
	return id.Cert != nil || Usable(id.Public) != nil ||
		id.InAgent() && id.Public.Type() == ssh.KeyAlgoRSA
}

// SignLogin is HELLO's `auth` for a transcript.
func (id Identity) SignLogin(transcript []byte) (string, error) {
	key := id.Public
	if id.Cert != nil {
		key = id.Cert
	}
	return SignLogin(key, id.signSSH, transcript)
}

// SignLogin is HELLO's `auth` by a key, or a certificate for one, for which sign makes signatures
// in ssh's form.
func SignLogin(key ssh.PublicKey, sign func(data []byte) (*ssh.Signature, error),
	transcript []byte) (string, error) {
	s := &sshsig{Version: 1, Key: key.Marshal(), Namespace: protocol.LoginNamespace,
		Hash: "sha512"}
	data, err := s.signed(transcript)
	if err != nil {
		return "", err
	}
	signature, err := sign(data)
	if err != nil {
		return "", err
	}
	s.Signature = ssh.Marshal(signature)
	blob := append([]byte(sshsigMagic), ssh.Marshal(s)...)
	auth := base64.StdEncoding.EncodeToString(blob)
	l, err := ParseLogin(auth)
	if err == nil {
		_, err = l.Verify(transcript)
	}
	if err != nil {
		// otherwise it would come back as the daemon's refusal of a right key
		return "", &Error{Msg: "the " + TypeName(key) + " key " + Fingerprint(key) +
			" made a signature that does not hold: " + err.Error(),
			Advice: "ssh-add -l shows what the agent holds"}
	}
	return auth, nil
}

// signSSH makes a signature in ssh's form.
func (id Identity) signSSH(data []byte) (*ssh.Signature, error) {
	if held, ok := id.Private.(*agentSigner); ok {
		return held.signSSH(data)
	}
	signer, err := ssh.NewSignerFromSigner(id.Private)
	if err != nil {
		return nil, err
	}
	if as, ok := signer.(ssh.AlgorithmSigner); ok && id.Public.Type() == ssh.KeyAlgoRSA {
		return as.SignWithAlgorithm(rand.Reader, data, ssh.KeyAlgoRSASHA512)
	}
	return signer.Sign(rand.Reader, data)
}

// signSSH asks the agent.
func (s *agentSigner) signSSH(data []byte) (signature *ssh.Signature, err error) {
	err = withAgent(s.socket, signTimeout, func(client agent.Agent) (err error) {
		more, ok := client.(agent.ExtendedAgent)
		if !ok || s.key.Type() != ssh.KeyAlgoRSA {
			signature, err = client.Sign(s.name(), data)
			return err
		}
		signature, err = more.SignWithFlags(s.name(), data, agent.SignatureFlagRsaSha512)
		return err
	})
	if err != nil {
		return nil, s.refused(err)
	}
	return signature, nil
}
