//go:build unix

package access

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/protocol"
	"minissh/protocol/keys"
)

// raw is a certificate for an Ed25519 key by the page (PROTOCOL.certkeys), field by field, so that
// it can be wrong in ways in which no library writes it.
type raw struct {
	form                 string
	key                  []byte // the public key, 32 bytes
	more                 []byte // after it
	serial               uint64
	kind                 uint32
	id                   string
	principals           []byte
	after, before        uint64
	critical, extensions []byte
	reserved             []byte
	authority            []byte
	sign                 func(data []byte) []byte
	tail                 []byte
}

// text is a string as SSH writes one.
func text(s string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(s))), s...)
}

func texts(list ...string) (b []byte) {
	for _, s := range list {
		b = append(b, text(s)...)
	}
	return b
}

// option is a critical option, or an extension, with a value.
func option(name, value string) []byte { return append(text(name), text(string(text(value)))...) }

// flag is one without.
func flag(name string) []byte { return append(text(name), text("")...) }

// signs makes signatures in ssh's form.
func signs(s ssh.Signer) func(data []byte) []byte {
	return func(data []byte) []byte {
		signature, err := s.Sign(rand.Reader, data)
		if err != nil {
			panic(err)
		}
		return ssh.Marshal(signature)
	}
}

// marshal signs the certificate.
func (r *raw) marshal() []byte {
	b := text(r.form)
	b = append(b, text(strings.Repeat("n", 32))...)
	b = append(b, text(string(r.key))...)
	b = append(b, r.more...)
	b = binary.BigEndian.AppendUint64(b, r.serial)
	b = binary.BigEndian.AppendUint32(b, r.kind)
	b = append(b, text(r.id)...)
	b = append(b, text(string(r.principals))...)
	b = binary.BigEndian.AppendUint64(b, r.after)
	b = binary.BigEndian.AppendUint64(b, r.before)
	for _, field := range [][]byte{r.critical, r.extensions, r.reserved, r.authority} {
		b = append(b, text(string(field))...)
	}
	b = append(b, text(string(r.sign(b)))...)
	return append(b, r.tail...)
}

// rawKey is what a client says its key is.
type rawKey struct {
	form string
	blob []byte
}

func (k rawKey) Type() string                            { return k.form }
func (k rawKey) Marshal() []byte                         { return k.blob }
func (k rawKey) Verify(_ []byte, _ *ssh.Signature) error { return fmt.Errorf("not asked") }

// rawSigner shows a certificate that no parser has seen.
type rawSigner struct {
	ssh.Signer
	key rawKey
}

func (s rawSigner) PublicKey() ssh.PublicKey { return s.key }

func (s rawSigner) SignWithAlgorithm(r io.Reader, data []byte, _ string) (*ssh.Signature, error) {
	return s.Signer.Sign(r, data)
}

// rawLogin is HELLO's auth for a key by the page (PROTOCOL.sshsig), and whether it proves anything.
func rawLogin(blob []byte, signer ssh.Signer) (keys.Proof, error) {
	transcript := []byte("T")
	sum := sha512.Sum512(transcript)
	signed := append([]byte("SSHSIG"), texts(protocol.LoginNamespace, "", "sha512",
		string(sum[:]))...)
	b := append([]byte("SSHSIG\x00\x00\x00\x01"), texts(string(blob), protocol.LoginNamespace, "",
		"sha512", string(signs(signer)(signed)))...)
	login, err := keys.ParseLogin(base64.StdEncoding.EncodeToString(b))
	if err != nil {
		return keys.Proof{}, err
	}
	return login.Verify(transcript)
}

// rawLab is whose keys are in the table.
type rawLab struct {
	user              string
	client, ca, other ssh.Signer
	now               uint64
}

// usual is a certificate that logs in.
func (l *rawLab) usual() *raw {
	public := l.client.PublicKey().(ssh.CryptoPublicKey).CryptoPublicKey().(ed25519.PublicKey)
	return &raw{form: ssh.CertAlgoED25519v01, key: public, serial: 7, kind: 1, id: "seven",
		principals: texts(l.user), after: l.now - 60, before: l.now + 3600,
		extensions: flag("permit-pty"), authority: l.ca.PublicKey().Marshal(), sign: signs(l.ca)}
}

// Certificates and lists of revoked keys that nobody's tools write are judged as sshd does. Where
// we differ we are the stricter ones; where sshd has a bound of its own, the table says so.
func TestHostileCertificatesAsSSHDJudges(t *testing.T) {
	b := newBench(t)
	l := &rawLab{user: b.user, client: newSigner(t), ca: newSigner(t), other: newSigner(t),
		now: uint64(time.Now().Unix())}
	words := strings.NewReplacer("$CA", line(l.ca.PublicKey()), "$USER", l.user)
	for _, c := range slices.Concat(l.forms(), l.options(), l.principals(), l.times(), l.sources(),
		l.authorities(t), l.lists()) {
		r := l.usual()
		if c.change != nil {
			c.change(r)
		}
		if c.trusted == "" && c.listed == "" {
			c.trusted = "$CA"
		}
		b.write(t, "trusted", words.Replace(c.trusted)+"\n")
		b.write(t, "listed", words.Replace(c.listed)+"\n")
		b.write(t, "revoked", c.revoked)
		blob := r.marshal()
		theirs, _ := bySSHD(t, b.address, l.user, rawSigner{l.client, rawKey{r.form, blob}}, false)
		proof, err := rawLogin(blob, l.client)
		if err == nil {
			_, err = b.access.Authorize(&Client{User: l.user, Proof: proof,
				Addr: netip.MustParseAddrPort("127.0.0.1:4711")})
		}
		if ours := err == nil; ours != (c.judged&us != 0) || theirs.in != (c.judged&sshd != 0) {
			t.Errorf("%s: sshd %v, we %v %v", c.name, theirs.in, ours, err)
		}
	}
}
