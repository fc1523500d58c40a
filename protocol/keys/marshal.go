package keys

import (
	"encoding/pem"

	"golang.org/x/crypto/ssh"
)

// marshal is an identity in OpenSSH's private key format, without a passphrase.
func marshal(id Identity) ([]byte, error) {
	block, err := ssh.MarshalPrivateKey(id.Private, id.Comment)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(block), nil
}
