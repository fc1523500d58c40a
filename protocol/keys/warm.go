package keys

import "crypto/ed25519"

// WarmUp has the tables made that Ed25519 needs for its first signature and its first verification in a process: two milliseconds of
// computing that a client can do while it waits for the network. It may be called at any time, from any goroutine.
func WarmUp() {
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	ed25519.Verify(private.Public().(ed25519.PublicKey), nil, make([]byte, ed25519.SignatureSize))
}
