//go:build unix

package control

import (
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/access"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/keys"
)

const user = "tester"

// testDesk serves one account, whose file of paired keys is never touched.
func testDesk() *Desk {
	acct := process.Account{Name: user, Home: "/nonexistent"}
	log := slog.New(slog.DiscardHandler)
	return NewDesk(Config{
		Account: acct, Access: access.NewFileAccess(acct, []string{access.PairedFile(acct)},
			access.Trust{}, log), Log: log,
	})
}

func newKey(t *testing.T) ssh.PublicKey {
	t.Helper()
	id, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return id.Public
}

// Codes die with time, by attempts, and by attempts of one source (PA5). Another code of the same
// offer lives on.
func TestPairingLimits(t *testing.T) {
	clock := time.Unix(1e9, 0)
	key := newKey(t)
	lab := func() (*Desk, *pairings, *int) {
		added := 0
		d := testDesk()
		d.codes.now = func() time.Time { return clock }
		d.codes.add = func(process.Account, ssh.PublicKey, access.Limits, string, time.Time) error {
			added++
			return nil
		}
		return d, d.codes, &added
	}
	at := func(i int) netip.AddrPort {
		return netip.MustParseAddrPort(fmt.Sprintf("[2001:db8:0:%x::1]:9", i))
	}
	try := func(p *pairings, c protocol.PairingCode, from netip.AddrPort) bool {
		_, done, _ := p.attempt(user, key, from, []byte("T"),
			c.Prove(protocol.PairingClient, []byte("T")))
		return done != nil
	}
	wrong := protocol.PairingCode("000000000000")

	s, p, added := lab()
	made, err := s.Offer(Offer{Count: 2})
	if err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(protocol.PairingLifetime - 1)
	if !try(p, made.Codes[0], at(0)) || try(p, made.Codes[0], at(0)) {
		t.Error("a code pairs once, to the last moment")
	}
	clock = clock.Add(1)
	if try(p, made.Codes[1], at(0)) || p.underWay() {
		t.Error("a code outlives its time")
	}
	if *added != 1 {
		t.Errorf("%d keys were listed", *added)
	}

	s, p, _ = lab()
	made, _ = s.Offer(Offer{})
	for range protocol.PairingPerSource {
		if try(p, wrong, at(1)) {
			t.Fatal("a wrong code pairs")
		}
	}
	if try(p, made.Codes[0], netip.MustParseAddrPort("[2001:db8:0:1:ffff::9]:1")) {
		t.Error("a sixth attempt from one source was looked at")
	}
	if !try(p, made.Codes[0], at(2)) {
		t.Error("a source that has not failed is refused")
	}

	s, p, _ = lab()
	made, _ = s.Offer(Offer{})
	for i := range protocol.PairingPerCode {
		if try(p, wrong, at(i)) {
			t.Fatal("a wrong code pairs")
		}
	}
	if try(p, made.Codes[0], at(1000)) || p.underWay() {
		t.Error("a code survives a hundred attempts")
	}
}

// Thirty machines with one address pair with thirty codes, in whatever order they come: a right
// proof is not an attempt on the other codes. Wrong ones still count, on all.
func TestPairingThirtyFromOneAddress(t *testing.T) {
	d := testDesk()
	p := d.codes
	p.add = func(process.Account, ssh.PublicKey, access.Limits, string, time.Time) error {
		return nil
	}
	key, classroom := newKey(t), netip.MustParseAddrPort("192.0.2.1:9")
	try := func(c protocol.PairingCode) bool {
		_, done, _ := p.attempt(user, key, classroom, []byte("T"),
			c.Prove(protocol.PairingClient, []byte("T")))
		return done != nil
	}
	made, err := d.Offer(Offer{Count: 30})
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

// A user's code opens nothing to the network (RULES A12), an administrator's does.
func TestUsersCodesOpenNothing(t *testing.T) {
	d := testDesk()
	for _, byUser := range []bool{true, false} {
		made, err := d.offer(Offer{}, func(process.Account) error { return nil }, byUser)
		if err != nil || d.Open() == byUser {
			t.Errorf("by a user: %v, open: %v, %v", byUser, d.Open(), err)
		}
		made.Withdraw()
		if d.Open() {
			t.Error("a code that was withdrawn opens the network")
		}
	}
}

// Users together leave half of the codes to the administrator, and each waits a moment between two.
func TestUsersCodesAreBounded(t *testing.T) {
	p := newPairings()
	now := time.Unix(1e9, 0)
	for uid := range uint32(50) {
		if err := p.mayOffer(1000+uid, now); err != nil {
			t.Fatal(err)
		}
		p.codes = append(p.codes,
			&code{offer: &offering{account: process.Account{UID: 1000 + uid}, byUser: true}})
	}
	if err := p.mayOffer(2000, now); err == nil {
		t.Error("the fifty-first user")
	}
	p.codes = nil
	if err := p.mayOffer(1000, now.Add(999*time.Millisecond)); err == nil {
		t.Error("a second code within a second")
	}
	if err := p.mayOffer(1000, now.Add(time.Second)); err != nil || len(p.asked) != 1 {
		t.Errorf("%v, %v", err, p.asked)
	}
}
