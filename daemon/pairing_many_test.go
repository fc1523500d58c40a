//go:build unix

package daemon

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/process"
	"minissh/protocol"
)

// Thirty machines behind one address pair with thirty codes, in whatever order they come: a right proof is no attempt on the other codes. Wrong
// ones still count, on all.
func TestPairingThirtyFromOneAddress(t *testing.T) {
	l := newLab(t, func(o *Options) {
		o.Access = NewFileAccess(o.Account, []string{PairedFile(o.Account)}, false, o.Log)
	})
	p := l.pairings
	p.add = func(process.Account, ssh.PublicKey, Limits, string, time.Time) error { return nil }
	key, classroom := newKey(t).Public, netip.MustParseAddrPort("192.0.2.1:9")
	try := func(c protocol.PairingCode) bool {
		_, done, _ := p.attempt(user, key, classroom, []byte("T"), c.Prove(protocol.PairingClient, []byte("T")))
		return done != nil
	}
	made, err := l.OfferPairing(Offer{Count: 30})
	if err != nil {
		t.Fatal(err)
	}
	codes := slices.Clone(made.Codes)
	slices.Reverse(codes)
	for i, c := range codes {
		if i == 15 {
			for range protocol.PairingPerSource - 1 {
				if try("000000000000") {
					t.Fatal("a wrong code pairs")
				}
			}
		}
		if !try(c) {
			t.Fatalf("machine %d of 30 is refused", i+1)
		}
	}
	if try(codes[0]) {
		t.Error("a code pairs twice")
	}
	for range made.Events { // closed when no code is left
	}
}
