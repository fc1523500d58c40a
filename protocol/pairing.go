package protocol

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Pair is how both ends prove to each other that they know a pairing code (PA3).
type Pair struct {
	Protocol string `json:"protocol,omitempty"` // the client's: "minissh/1"
	User     string `json:"user"`               // account to log in to
	Proof    string `json:"proof"`              // 64 lower-case hex digits
}

// Check finds what in a client's PAIR breaks PA3; the error is a *Violation.
func (p *Pair) Check() error {
	switch _, err := p.MAC(); {
	case p.Protocol != ALPN:
		return Violate(CodeUnsupportedProtocol, "this daemon speaks %s", ALPN)
	case err != nil:
		return Violate(CodeBadHello, "%v", err)
	}
	return nil
}

// MAC is the proof in bytes.
func (p *Pair) MAC() ([]byte, error) {
	mac, err := hex.DecodeString(p.Proof)
	if err != nil || len(mac) != sha256.Size || hex.EncodeToString(mac) != p.Proof {
		return nil, errors.New("proof is not 64 lower-case hex digits")
	}
	return mac, nil
}

// Limits of pairing (PA5).
const (
	PairingLabel     = "EXPORTER-minissh-pairing" // of the TLS exporter
	PairingLifetime  = 2 * time.Minute            // of a code
	PairingPatience  = 10 * time.Second           // for one attempt, from PAIR to its answer
	PairingPerCode   = 100                        // attempts while a code lives
	PairingPerSource = 5                          // of them from one source
	pairingLength    = 12                         // characters of a code
)

// crockford is Crockford's base 32: digits, and letters without I, L, O and U.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// PairingCode is a one-time code: 12 random characters of Crockford's base 32, 60 bits. It is a
// secret.
type PairingCode string

// NewPairingCode draws a code.
func NewPairingCode() PairingCode {
	var b [pairingLength]byte
	rand.Read(b[:]) // never fails
	for i := range b {
		b[i] = crockford[b[i]%32]
	}
	return PairingCode(b[:])
}

// Shown is how people see a code: in groups, the check character last.
func (c PairingCode) Shown() string {
	return string(c[:4] + "-" + c[4:8] + "-" + c[8:] + "-" + c.check())
}

// check is the sum of the characters' values, each times its place from 1 to 12, modulo 31: it
// reveals one wrong character (except 0 for Z), and two that changed places (PA1).
func (c PairingCode) check() PairingCode {
	sum := 0
	for i := range len(c) {
		sum += (i + 1) * strings.IndexByte(crockford, c[i])
	}
	return PairingCode(crockford[sum%31])
}

// ParsePairingCode reads what a person typed: in upper or lower case, with or without blanks and
// dashes, O for 0, I and L for 1. The error says what is wrong and shows nothing of the code.
func ParsePairingCode(typed string) (PairingCode, error) {
	var code []byte
	for _, r := range strings.ToUpper(typed) {
		switch r {
		case ' ', '\t', '-', '\r', '\n':
			continue
		case 'O':
			r = '0'
		case 'I', 'L':
			r = '1'
		}
		if r > 0x7f || strings.IndexByte(crockford, byte(r)) < 0 {
			return "", errors.New("a pairing code is made of digits and letters (but U)")
		}
		if code = append(code, byte(r)); len(code) > pairingLength+1 {
			break
		}
	}
	if len(code) != pairingLength+1 {
		return "", fmt.Errorf("a pairing code has %d characters", pairingLength+1)
	}
	c := PairingCode(code[:pairingLength])
	if c.check() != PairingCode(code[pairingLength:]) {
		return "",
			errors.New("this is not the code: its last character shows that another is wrong")
	}
	return c, nil
}

// PairingTranscript is what the two proofs cover (PA2): what only the two ends of this TLS
// connection know, the two keys in SSH's wire form, and the account.
func PairingTranscript(exported, hostKey, clientKey []byte, user string) []byte {
	var t []byte
	for _, part := range [][]byte{exported, hostKey, clientKey, []byte(user)} {
		t = binary.BigEndian.AppendUint32(t, uint32(len(part)))
		t = append(t, part...)
	}
	return t
}

// The two sides of a pairing, as their proofs name them.
const (
	PairingClient = "client"
	PairingDaemon = "server"
)

// Prove is a side's proof that it knows the code (PA2).
func (c PairingCode) Prove(side string, transcript []byte) []byte {
	mac := hmac.New(sha256.New, []byte(c))
	mac.Write([]byte(side))
	mac.Write(transcript)
	return mac.Sum(nil)
}

// Proves compares a proof in constant time.
func (c PairingCode) Proves(side string, transcript, proof []byte) bool {
	return hmac.Equal(proof, c.Prove(side, transcript))
}
