package knownhosts

import (
	"crypto/ecdsa"
	"crypto/md5"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"minissh/protocol/keys"
)

// Shown is how a host's key is shown to people.
type Shown struct {
	Hash   string // FingerprintHash: md5, sha1, sha256 (also if empty), sha384 or sha512
	Visual bool   // VisualHostKey: as a picture, too
}

// digest is the digest of a key, and the name that ssh gives it.
func (s Shown) digest(key ssh.PublicKey) (name string, sum []byte) {
	blob := key.Marshal()
	switch s.Hash {
	case "md5":
		d := md5.Sum(blob)
		return "MD5", d[:]
	case "sha1":
		d := sha1.Sum(blob)
		return "SHA1", d[:]
	case "sha384":
		d := sha512.Sum384(blob)
		return "SHA384", d[:]
	case "sha512":
		d := sha512.Sum512(blob)
		return "SHA512", d[:]
	}
	d := sha256.Sum256(blob)
	return "SHA256", d[:]
}

// Fingerprint is a key's digest as ssh writes it: MD5 in hex with colons, others in base64.
func (s Shown) Fingerprint(key ssh.PublicKey) string {
	name, sum := s.digest(key)
	if name == "MD5" {
		return name + ":" + strings.ReplaceAll(fmt.Sprintf("% x", sum), " ", ":")
	}
	return name + ":" + base64.RawStdEncoding.EncodeToString(sum)
}

// The field of a picture, in characters.
const artWidth, artHeight = 17, 9

// Art is a key's digest as a picture: the way that a bishop takes from the middle (sshkey.c,
// fingerprint_randomart; "The drunken bishop", Loss, Limmer and von Gernler, 2009).
func (s Shown) Art(key ssh.PublicKey) []string {
	const visits = " .o+=*BOX@%&#/^" // one character more for each time; S and E mark the ends
	name, sum := s.digest(key)
	var field [artHeight][artWidth]int
	x, y := artWidth/2, artHeight/2
	for _, b := range sum {
		for range 4 {
			x = min(max(x+int(b&1)*2-1, 0), artWidth-1)
			y = min(max(y+int(b>>1&1)*2-1, 0), artHeight-1)
			field[y][x]++
			b >>= 2
		}
	}
	lines := []string{artEdge(fmt.Sprintf("[%s %d]", keys.TypeName(key), bits(key)))}
	for row := range field {
		line := make([]byte, artWidth)
		for column, n := range field[row] {
			line[column] = visits[min(n, len(visits)-1)]
		}
		if row == artHeight/2 {
			line[artWidth/2] = 'S'
		}
		if row == y {
			line[x] = 'E'
		}
		lines = append(lines, "|"+string(line)+"|")
	}
	return append(lines, artEdge("["+name+"]"))
}

// artEdge is the upper or lower edge of a picture, with a word in its middle.
func artEdge(word string) string {
	left := strings.Repeat("-", (artWidth-len(word))/2)
	return "+" + left + word + strings.Repeat("-", artWidth-len(word)-len(left)) + "+"
}

// bits is the size of a key, as ssh counts it.
func bits(key ssh.PublicKey) int {
	if held, ok := key.(ssh.CryptoPublicKey); ok {
		switch public := held.CryptoPublicKey().(type) {
		case *rsa.PublicKey:
			return public.N.BitLen()
		case *ecdsa.PublicKey:
			return public.Curve.Params().BitSize
		}
	}
	return 256 // Ed25519
}
