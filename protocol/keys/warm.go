package keys

import (
	"bytes"
	"crypto/ed25519"
)

// WarmUp has the table made that Ed25519 needs for its first verification in a process: a third of a millisecond of computing that a client can do
// while it waits for the network. It may be called at any time, from any goroutine.
func WarmUp() {
	generator := bytes.Repeat([]byte{0x66}, ed25519.PublicKeySize) // RFC 8032, 5.1: any point of the curve would do
	generator[0] = 0x58
	ed25519.Verify(generator, nil, make([]byte, ed25519.SignatureSize))
}
