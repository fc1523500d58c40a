// Package krl tells whether a file of revoked keys holds a key or a certificate: a list of public
// keys, one a line, or a key revocation list as ssh-keygen -k makes it (OpenSSH's PROTOCOL.krl).
//
// It reads the whole file for each question and keeps nothing, so that a file costs no more memory
// than it has bytes. A file that is malformed anywhere is an error, also if the key was found.
// Signatures of lists are not checked, as in OpenSSH: who may write the file decides what it says.
package krl

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/big"

	"golang.org/x/crypto/ssh"
)

// magic begins a key revocation list.
const magic = "SSHKRL\n\x00"

// Sections of a list, and of the section about the certificates of one authority.
const (
	sectionCertificates = 1
	sectionKeys         = 2
	sectionSHA1         = 3
	sectionSignature    = 4
	sectionSHA256       = 5
	sectionExtension    = 255

	certificateSerials   = 0x20
	certificateRange     = 0x21
	certificateBitmap    = 0x22
	certificateIDs       = 0x23
	certificateExtension = 0x39
)

var errKRL = errors.New("it is not a key revocation list that can be read")

// errLine says which line of a list does not hold a key, from 1 on.
type errLine int

func (e errLine) Error() string { return fmt.Sprintf("line %d does not hold a key", int(e)) }

// Holds says whether the text of a file revokes a key. A certificate is revoked by its serial
// number or its key ID, by its key, and by the key of its authority. An error says that the file
// cannot be judged: then nothing may be accepted.
func Holds(text []byte, key ssh.PublicKey) (bool, error) {
	w := wantedOf(key)
	if !bytes.HasPrefix(text, []byte(magic)) {
		return w.listed(text)
	}
	return w.inList(text)
}

// Check says what is wrong with the text of a file that an administrator names. It takes its time:
// of a list of keys Holds looks at the form alone, but for certificates.
func Check(text []byte) error {
	if bytes.HasPrefix(text, []byte(magic)) {
		_, err := new(wanted).inList(text)
		return err
	}
	for number, line := range lines(text) {
		if _, _, _, _, err := ssh.ParseAuthorizedKey(line); err != nil {
			return errLine(number)
		}
	}
	_, err := new(wanted).listed(text)
	return err
}

// lines are the lines of a text that say something, with their numbers.
func lines(text []byte) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		number := 0
		for line := range bytes.Lines(text) {
			number++
			line = bytes.TrimSpace(line)
			if len(line) > 0 && line[0] != '#' && !yield(number, line) {
				return
			}
		}
	}
}

// wanted is what is looked for.
type wanted struct {
	keys      [][]byte // wire forms: the key, and its authority's
	sha1      [][]byte // their digests
	sha256    [][]byte
	cert      *ssh.Certificate // nil: the key has none
	authority []byte           // its authority's wire form
}

func wantedOf(key ssh.PublicKey) *wanted {
	w := &wanted{}
	if cert, ok := key.(*ssh.Certificate); ok {
		w.cert, w.authority = cert, cert.SignatureKey.Marshal()
		key = cert.Key
		w.add(w.authority)
	}
	w.add(key.Marshal())
	return w
}

func (w *wanted) add(encoded []byte) {
	sum1, sum256 := sha1.Sum(encoded), sha256.Sum256(encoded)
	w.keys = append(w.keys, encoded)
	w.sha1, w.sha256 = append(w.sha1, sum1[:]), append(w.sha256, sum256[:])
}

func holds(list [][]byte, one []byte) bool {
	for _, other := range list {
		if bytes.Equal(other, one) {
			return true
		}
	}
	return false
}

// listed looks at lines. Only certificates are parsed: elliptic curves take time. A certificate in
// the list stands for its key, as in ssh. A line without a key is an error, as in ssh: it may be
// what is left of one.
func (w *wanted) listed(text []byte) (found bool, err error) {
	for number, line := range lines(text) {
		holds, key := false, false
		for field := range bytes.FieldsSeq(line) {
			if blob, err := base64.StdEncoding.DecodeString(string(field)); err == nil {
				here, is := w.inLine(blob)
				holds, key = holds || here, key || is
			}
		}
		if !key {
			return false, errLine(number)
		}
		found = found || holds
	}
	return found, nil
}

// inLine looks at what may be a key.
func (w *wanted) inLine(encoded []byte) (found, isKey bool) {
	if !bytes.Contains(encoded[:min(len(encoded), 64)], []byte("-cert-v01@")) {
		return holds(w.keys, encoded), hasForm(encoded)
	}
	key, err := ssh.ParsePublicKey(encoded)
	cert, ok := key.(*ssh.Certificate)
	if err != nil || !ok {
		return false, false
	}
	return holds(w.keys, cert.Key.Marshal()), true
}

// hasForm says whether a public key without certificate may be in the wire form: it is a type and
// some numbers or texts, each with its length.
func hasForm(encoded []byte) bool {
	count := 0
	for len(encoded) > 0 {
		var b blob
		if ssh.Unmarshal(encoded, &b) != nil || count == 0 && !bytes.Contains(b.Data, []byte("-")) {
			return false
		}
		encoded = b.Rest
		count++
	}
	return count > 1
}

// section is a part of a list, and of a section.
type section struct {
	Kind byte
	Data []byte
	Rest []byte `ssh:"rest"`
}

// blob is one of several strings.
type blob struct {
	Data []byte
	Rest []byte `ssh:"rest"`
}

// inList looks at a key revocation list.
func (w *wanted) inList(list []byte) (found bool, err error) {
	var head struct {
		Magic             uint64
		Format            uint32
		Version, Date     uint64
		Flags             uint64
		Reserved, Comment string
		Rest              []byte `ssh:"rest"`
	}
	if ssh.Unmarshal(list, &head) != nil || head.Format != 1 {
		return false, errKRL
	}
	for rest := head.Rest; len(rest) > 0; {
		var s section
		if ssh.Unmarshal(rest, &s) != nil {
			return false, errKRL
		}
		rest = s.Rest
		here, err := false, error(nil)
		switch s.Kind {
		case sectionSignature:
		case sectionCertificates:
			here, err = w.inCertificates(s.Data)
		case sectionKeys:
			here, err = among(s.Data, w.keys, 0)
		case sectionSHA1:
			here, err = among(s.Data, w.sha1, sha1.Size)
		case sectionSHA256:
			here, err = among(s.Data, w.sha256, sha256.Size)
		case sectionExtension:
			err = extension(s.Data)
		default:
			err = errKRL
		}
		if err != nil {
			return false, err
		}
		found = found || here
	}
	return found, nil
}

// among says whether one of several strings is wanted. size is that of each, 0: any.
func among(data []byte, list [][]byte, size int) (found bool, err error) {
	for len(data) > 0 {
		var b blob
		if ssh.Unmarshal(data, &b) != nil || size > 0 && len(b.Data) != size {
			return false, errKRL
		}
		found = found || holds(list, b.Data)
		data = b.Rest
	}
	return found, nil
}

// extension passes over one that is not critical; there are none that we know.
func extension(data []byte) error {
	var e struct {
		Name     string
		Critical bool
		Rest     []byte `ssh:"rest"`
	}
	if ssh.Unmarshal(data, &e) != nil || e.Critical {
		return errKRL
	}
	return nil
}

// inCertificates looks at the section about the certificates of one authority; an empty one stands
// for each.
func (w *wanted) inCertificates(data []byte) (found bool, err error) {
	var head struct {
		Authority []byte
		Reserved  []byte
		Rest      []byte `ssh:"rest"`
	}
	if ssh.Unmarshal(data, &head) != nil || len(head.Authority) > 0 && !hasForm(head.Authority) {
		return false, errKRL
	}
	cert := w.cert
	if len(head.Authority) > 0 && !bytes.Equal(head.Authority, w.authority) {
		cert = nil // it is still read to its end
	}
	for rest := head.Rest; len(rest) > 0; {
		var s section
		if ssh.Unmarshal(rest, &s) != nil {
			return false, errKRL
		}
		rest = s.Rest
		here, err := inCertificate(&s, cert)
		if err != nil {
			return false, err
		}
		found = found || here
	}
	return found, nil
}

// inCertificate looks at one list of serial numbers or key IDs. cert may be nil. The serial number
// 0 is what an authority gives that does not count: it cannot be revoked, and a list with it is an
// error, as in OpenSSH.
func inCertificate(s *section, cert *ssh.Certificate) (bool, error) {
	serial := uint64(0)
	if cert != nil {
		serial = cert.Serial
	}
	found := false
	switch s.Kind {
	case certificateSerials:
		for data := s.Data; len(data) > 0; {
			var one struct {
				Serial uint64
				Rest   []byte `ssh:"rest"`
			}
			if ssh.Unmarshal(data, &one) != nil || one.Serial == 0 {
				return false, errKRL
			}
			found = found || one.Serial == serial
			data = one.Rest
		}
		return found, nil
	case certificateRange:
		var from struct{ First, Last uint64 }
		if ssh.Unmarshal(s.Data, &from) != nil || from.First == 0 || from.Last < from.First {
			return false, errKRL
		}
		return from.First <= serial && serial <= from.Last, nil
	case certificateBitmap:
		var bits struct {
			First uint64
			Bits  []byte
		}
		if ssh.Unmarshal(s.Data, &bits) != nil || len(bits.Bits) > 0 && bits.Bits[0]&0x80 != 0 {
			return false, errKRL // negative
		}
		number := new(big.Int).SetBytes(bits.Bits)
		if n := number.BitLen(); n > 0 && (uint64(n-1) > math.MaxUint64-bits.First ||
			bits.First == 0 && number.Bit(0) == 1) {
			return false, errKRL // beyond the largest, or 0
		}
		n := serial - bits.First
		return serial >= bits.First && n < math.MaxInt32 && number.Bit(int(n)) == 1, nil
	case certificateIDs:
		var ids [][]byte
		if cert != nil {
			ids = [][]byte{[]byte(cert.KeyId)}
		}
		return among(s.Data, ids, 0)
	case certificateExtension:
		return false, extension(s.Data)
	}
	return false, errKRL
}
