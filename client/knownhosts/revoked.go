package knownhosts

import (
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"minissh/protocol/krl"
)

// RevokedIn tells whether a file of revoked keys (RevokedHostKeys) holds a key: a list of public
// keys, one a line, or a KRL as ssh-keygen -k makes it. An error says that the file cannot be
// judged; then no host's key may be accepted.
func RevokedIn(path string, key ssh.PublicKey) (bool, error) {
	text, err := read(path)
	if err != nil {
		return false, err
	}
	return krl.Holds(text, key)
}

// RevokedWarningIn is ssh's warning about a key that a file of revoked keys holds.
func RevokedWarningIn(path string, key ssh.PublicKey) []string {
	return []string{
		fmt.Sprintf("Host key %s %s revoked by file %s",
			strings.ToUpper(strings.TrimPrefix(key.Type(), "ssh-")), ssh.FingerprintSHA256(key),
			shown(path))}
}
