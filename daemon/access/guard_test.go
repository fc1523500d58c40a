//go:build unix

package access

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"minissh/daemon/process"
	"minissh/protocol/keys"
)

// What one user may take is well below what there is for all.
func TestSharesUntold(t *testing.T) {
	var o Rules
	o.Defaults()
	if want := (Shares{Sessions: 512, Commands: 512, AllCommands: 8192, Windows: 64 << 20,
		Kept: 64 << 20, Logins: 50, Reserve: 16}); o.Shares != want {
		t.Errorf("%+v", o.Shares)
	}
	if o.MaxHeld != 268_435_456 || o.MaxKept != 536_870_912 {
		t.Errorf("%d held, %d kept", o.MaxHeld, o.MaxKept)
	}
	small := Rules{MaxSessions: 1, MaxStartups: 1}
	small.Defaults()
	if small.Shares.Reserve != 0 || small.Shares.Logins != 1 || small.Shares.Sessions < 1 {
		t.Errorf("one place for all: %+v", small.Shares)
	}
}

// Whose share something counts against, and who may use the reserve.
func TestSharer(t *testing.T) {
	key := newKey(t).Public
	own, all := &Guard{}, &Guard{byUID: &Accounts{}}
	ann, root := process.Account{Name: "ann", UID: 1001}, process.Account{Name: "root"}
	me := uint32(os.Geteuid())
	mine := fmt.Sprintf("uid %d", me)
	for _, c := range []struct {
		g    *Guard
		who  Client
		want sharer
	}{
		{own, Client{Account: ann, Key: "ED25519 x", Proof: keys.Proof{Key: key}}, sharer{"ED25519 x", "this key", false}},
		{all, Client{Account: ann, Key: "ED25519 x", Proof: keys.Proof{Key: key}}, sharer{"uid 1001", "ann", false}},
		{all, Client{Account: root, Key: "ED25519 x", Proof: keys.Proof{Key: key}}, sharer{"uid 0", "root", true}},
		{all, Client{UID: 1001, Key: "uid 1001"}, sharer{"uid 1001", "uid 1001", me == 1001}},
		{all, Client{UID: 0, Key: "uid 0", Account: ann}, sharer{"uid 0", "uid 0", true}},
		{own, Client{UID: me, Key: mine}, sharer{mine, mine, true}},
	} {
		if got := c.g.sharerOf(&c.who); got != c.want {
			t.Errorf("%+v, not %+v", got, c.want)
		}
	}
}

// The last places are root's, and not even root has more than all.
func TestReserve(t *testing.T) {
	o := Rules{MaxSessions: 5, Shares: Shares{Sessions: 4, AllCommands: 5, Commands: 4, Reserve: 2}}
	o.Defaults()
	s := newShares(&o)
	enter := func(id string, first bool) *Place {
		mine, err := s.enterSession(sharer{id, id, first}, id, Most{})
		if err != nil {
			return nil
		}
		return mine
	}
	a, b := enter("a", false), enter("b", false)
	if a == nil || b == nil || enter("a", false) == nil || enter("b", false) != nil ||
		enter("c", false) != nil {
		t.Error("three places are there for all")
	}
	root := enter("root", true)
	if root == nil || enter("root", true) == nil || enter("root", true) != nil {
		t.Error("two places are root's")
	}
	for i, m := range []*Place{a, a, b, b, root, root, root} {
		_, refused := m.EnterCommand(&Client{}, Most{})
		if want := i == 3 || i == 6; (refused != nil) != want {
			t.Errorf("command %d: %+v", i, refused)
		}
	}
	g := newGate(4, 3, 1)
	ann, me := origin{uid: 1001}, origin{uid: 0, first: true}
	for range 3 {
		if _, ok := g.enter(ann); !ok {
			t.Error("ann has three places")
		}
	}
	if _, ok := g.enter(origin{network: netip.MustParsePrefix("192.0.2.1/32")}); ok {
		t.Error("the last place is root's")
	}
	if _, ok := g.enter(me); !ok {
		t.Error("root does not get in")
	}
}

func TestSource(t *testing.T) {
	for from, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "::ffff:192.0.2.1": "192.0.2.1/32",
		"2001:db8::1": "2001:db8::/64", "2001:db8::ffff:0:0:1": "2001:db8::/64",
		"2001:db8:0:1::1": "2001:db8:0:1::/64",
		"fe80::1%eth0":    "fe80::/64",
	} {
		if got := Source(netip.MustParseAddr(from)).String(); got != want {
			t.Errorf("%s counts as %s instead of %s", from, got, want)
		}
	}
	if got := Source(netip.Addr{}); got != (netip.Prefix{}) {
		t.Errorf("a Unix socket counts as %v", got)
	}
}

// A place is given back once, however often leave is called.
func TestGateLeavesOnce(t *testing.T) {
	g := newGate(2, 1, 0)
	a, b := origin{network: netip.MustParsePrefix("192.0.2.1/32")},
		origin{network: netip.MustParsePrefix("192.0.2.2/32")}
	leave, ok := g.enter(a)
	if _, again := g.enter(a); !ok || again {
		t.Fatal("one place per source")
	}
	other, ok := g.enter(b)
	if !ok {
		t.Fatal("another source has a place")
	}
	leave()
	leave()
	if g.inside != 1 || len(g.sources) != 1 {
		t.Errorf("%d inside, %v", g.inside, g.sources)
	}
	other()
}

// On a Unix socket a uid is a source, and the log needs no byte from the client to name it.
func TestOriginOnUnixSocket(t *testing.T) {
	g := NewGuard(Rules{}, nil, nil)
	for network, c := range map[string]struct {
		address string
		want    origin
	}{
		"unix": {filepath.Join(t.TempDir(), "s"), origin{uid: uint32(os.Geteuid()), first: true}},
		"tcp":  {"127.0.0.1:0", origin{network: netip.MustParsePrefix("127.0.0.1/32")}},
	} {
		listener, err := net.Listen(network, c.address)
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		client, err := net.Dial(network, listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		conn, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if got := g.originOf(conn, netip.MustParseAddr("127.0.0.1")); got != c.want {
			t.Errorf("%s: %+v", network, got)
		}
	}
}

// A refusal comes after one, two, four … times RefusalTime, however long finding it out took (ID6).
func TestRefusalsTakeTheirTime(t *testing.T) {
	const unit = 25 * time.Millisecond
	for spent, told := range map[time.Duration]time.Duration{0: unit, unit - 1: unit, unit: unit,
		unit + 1: 2 * unit, 3 * unit: 4 * unit, 9 * unit: 16 * unit} {
		synctest.Test(t, func(t *testing.T) {
			g := &Guard{rules: Rules{RefusalTime: unit}, stopping: make(chan struct{})}
			began := time.Now()
			<-time.After(spent)
			g.takeTime(began)
			if got := time.Since(began); got != told {
				t.Errorf("after %v it is told at %v, not %v", spent, got, told)
			}
		})
	}
}
