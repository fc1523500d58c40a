package knownhosts

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// krlMagic begins a key revocation list (OpenSSH's PROTOCOL.krl).
const krlMagic = "SSHKRL\n\x00"

// RevokedIn tells whether a file of revoked keys (RevokedHostKeys) holds a key: a list of public
// keys, one a line, or a KRL as ssh-keygen -k makes it. An error says that the file cannot be
// judged; then no host's key may be accepted.
func RevokedIn(path string, key ssh.PublicKey) (bool, error) {
	text, err := read(path)
	if err != nil {
		return false, err
	}
	if bytes.HasPrefix(text, []byte(krlMagic)) {
		found, err := krlHolds(text, key.Marshal())
		if err != nil {
			return false, fmt.Errorf("%s: %w", path, err)
		}
		return found, nil
	}
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		listed, _, _, _, err := ssh.ParseAuthorizedKey(line)
		if err != nil {
			continue // a kind of key that none of our hosts can show; ssh skips it as well
		}
		if bytes.Equal(listed.Marshal(), key.Marshal()) {
			return true, nil
		}
	}
	return false, nil
}

// Sections of a KRL. Certificates do not matter: none of our hosts shows one.
const (
	krlCertificates = 1
	krlKeys         = 2
	krlSHA1         = 3
	krlSignature    = 4
	krlSHA256       = 5
	krlExtension    = 255
)

var errKRL = errors.New("it is not a key revocation list that can be read")

// krlHolds looks for a key in a KRL.
func krlHolds(list, key []byte) (bool, error) {
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
	sum1, sum256 := sha1.Sum(key), sha256.Sum256(key)
	wanted := map[byte][]byte{krlKeys: key, krlSHA1: sum1[:], krlSHA256: sum256[:]}
	found := false
	for rest := head.Rest; len(rest) > 0; {
		var section struct {
			Kind byte
			Data []byte
			Rest []byte `ssh:"rest"`
		}
		if ssh.Unmarshal(rest, &section) != nil {
			return false, errKRL
		}
		rest = section.Rest
		switch section.Kind {
		case krlCertificates, krlSignature:
		case krlKeys, krlSHA1, krlSHA256:
			for data := section.Data; len(data) > 0; {
				var entry struct {
					Blob []byte
					Rest []byte `ssh:"rest"`
				}
				if ssh.Unmarshal(data, &entry) != nil {
					return false, errKRL
				}
				found = found || bytes.Equal(entry.Blob, wanted[section.Kind])
				data = entry.Rest
			}
		case krlExtension:
			var extension struct {
				Name     string
				Critical bool
				Rest     []byte `ssh:"rest"`
			}
			if ssh.Unmarshal(section.Data, &extension) != nil || extension.Critical {
				return false, errKRL
			}
		default:
			return false, errKRL
		}
	}
	return found, nil
}

// RevokedWarningIn is ssh's warning about a key that a file of revoked keys holds.
func RevokedWarningIn(path string, key ssh.PublicKey) []string {
	return []string{
		fmt.Sprintf("Host key %s %s revoked by file %s",
			strings.ToUpper(strings.TrimPrefix(key.Type(), "ssh-")), ssh.FingerprintSHA256(key),
			shown(path))}
}
