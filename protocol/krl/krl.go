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

// Holds says whether the text of a file revokes a key. A certificate is revoked by its serial
// number or its key ID, by its key, and by the key of its authority. An error says that the file
// cannot be judged: then nothing may be accepted.
func Holds(text []byte, key ssh.PublicKey) (bool, error) {
	w := wantedOf(key)
	if !bytes.HasPrefix(text, []byte(magic)) {
		return w.listed(text), nil
	}
	return w.inList(text)
}

// Check says what is wrong with the text of a file that an administrator names: a list that cannot
// be read, or a line without a key, which Holds would pass over as ssh does.
func Check(text []byte) error {
	if bytes.HasPrefix(text, []byte(magic)) {
		_, err := new(wanted).inList(text)
		return err
	}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if _, _, _, _, err := ssh.ParseAuthorizedKey(line); err != nil {
			return fmt.Errorf("line %d does not hold a key", number)
		}
	}
	return nil
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
// the list stands for its key, as in ssh.
func (w *wanted) listed(text []byte) bool {
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		for field := range bytes.FieldsSeq(line) {
			blob, err := base64.StdEncoding.DecodeString(string(field))
			if err != nil {
				continue
			}
			if holds(w.keys, blob) {
				return true
			}
			if !bytes.Contains(blob[:min(len(blob), 64)], []byte("-cert-v01@")) {
				continue
			}
			if key, err := ssh.ParsePublicKey(blob); err == nil {
				if cert, ok := key.(*ssh.Certificate); ok && holds(w.keys, cert.Key.Marshal()) {
					return true
				}
			}
		}
	}
	return false
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
	if ssh.Unmarshal(data, &head) != nil {
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
// 0 is what an authority gives that does not count: it is never revoked, as in OpenSSH.
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
			if ssh.Unmarshal(data, &one) != nil {
				return false, errKRL
			}
			found = found || one.Serial == serial
			data = one.Rest
		}
		return found && serial != 0, nil
	case certificateRange:
		var from struct{ First, Last uint64 }
		if ssh.Unmarshal(s.Data, &from) != nil || from.Last < from.First {
			return false, errKRL
		}
		return serial != 0 && from.First <= serial && serial <= from.Last, nil
	case certificateBitmap:
		var bits struct {
			First uint64
			Bits  []byte
		}
		if ssh.Unmarshal(s.Data, &bits) != nil || len(bits.Bits) > 0 && bits.Bits[0]&0x80 != 0 {
			return false, errKRL // negative
		}
		return serial != 0 && serial >= bits.First && bit(bits.Bits, serial-bits.First), nil
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

// bit is one of a big-endian number.
func bit(number []byte, n uint64) bool {
	if n/8 >= uint64(len(number)) {
		return false
	}
	return number[uint64(len(number))-1-n/8]>>(n%8)&1 == 1
}
