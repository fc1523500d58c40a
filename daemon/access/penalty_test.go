package access

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// clocked are penalties under a clock that the test moves.
func clocked(exempt ...string) (*penalties, *time.Time) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var networks []netip.Prefix
	for _, text := range exempt {
		networks = append(networks, netip.MustParsePrefix(text))
	}
	return newPenalties(networks, func() time.Time { return now }), &now
}

func TestPenaltiesGrow(t *testing.T) {
	p, now := clocked()
	addr := netip.MustParseAddr("192.0.2.7")
	for _, want := range []time.Duration{5, 10, 20, 40, 80, 160, 320, 600, 600, 600} {
		want *= time.Second
		if p.refuses(addr, "x") != 0 {
			t.Fatalf("before %v: it is not heard", want)
		}
		if got := p.failed(addr, false); got != want {
			t.Fatalf("%v is announced, not %v", got, want)
		}
		if again := p.failed(addr, false); again != 0 || p.refuses(addr, "x") != 0 {
			t.Fatalf("a second failure while all are heard changes something: %v", again)
		}
		*now = now.Add(penaltyHeard)
		if got := p.refuses(addr, "x"); got != want {
			t.Fatalf("%v, not %v", got, want)
		}
		if p.refuses(netip.MustParseAddr("192.0.2.8"), "x") != 0 {
			t.Fatal("a neighbour with an address of its own is kept out")
		}
		p.failed(addr, false) // one that logged in before
		*now = now.Add(want)
	}
	*now = now.Add(penaltyHeard + penaltyForget + time.Second)
	if got := p.failed(addr, false); got != penaltyFirst {
		t.Errorf("after ten good minutes: %v", got)
	}
}

// The promise to whoever shares an address with somebody who never stops: a key that has logged in
// is never kept out, another one for ten minutes at most, and then it has ten seconds.
func TestRightKeyBehindTheSameAddress(t *testing.T) {
	p, now := clocked()
	addr := netip.MustParseAddr("192.0.2.7")
	p.loggedIn(netip.MustParseAddr("198.51.100.1"), "known")
	var closed, longest, open, shortest time.Duration
	shortest = time.Hour
	for range 5 * 3600 { // five hours, a try each second
		if p.refuses(addr, "known") != 0 {
			t.Fatal("a key that has logged in is kept out")
		}
		if p.refuses(addr, "new") > 0 {
			if closed == 0 && open > 0 {
				shortest = min(shortest, open)
			}
			closed, open = closed+time.Second, 0
			longest = max(longest, closed)
		} else {
			closed, open = 0, open+time.Second
			p.failed(addr, false)
		}
		*now = now.Add(time.Second)
	}
	if longest != penaltyMost || shortest != penaltyHeard {
		t.Errorf("kept out for %v, heard for %v", longest, shortest)
	}
}

// A refusal that names an acceptable key is not a failure, unless nothing comes of many (RULES A3).
func TestNamedRefusals(t *testing.T) {
	p, now := clocked()
	addr := netip.MustParseAddr("192.0.2.7")
	for range 100 {
		if got := p.failed(addr, true); got != 0 {
			t.Fatal(got)
		}
		p.loggedIn(addr, "right")
		*now = now.Add(time.Minute)
	}
	for range penaltyNamed {
		if got := p.failed(addr, true); got != 0 {
			t.Fatal(got)
		}
	}
	if got := p.failed(addr, true); got != penaltyFirst {
		t.Errorf("without a login after %d: %v", penaltyNamed, got)
	}
}

func TestPenaltySources(t *testing.T) {
	p, now := clocked("203.0.113.0/24", "2001:db8:7::/48")
	for text, exempt := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "::ffff:127.0.0.1": true,
		"203.0.113.9": true, "::ffff:203.0.113.9": true, "2001:db8:7:1::1": true,
		"192.0.2.1": false, "2001:db8:8::1": false, "203.0.114.1": false,
	} {
		if got := p.failed(netip.MustParseAddr(text), false); (got == 0) != exempt {
			t.Errorf("%s: %v", text, got)
		}
	}
	if p.failed(netip.Addr{}, false) != 0 {
		t.Error("a Unix socket is penalized")
	}
	*now = now.Add(penaltyHeard)
	for text, kept := range map[string]bool{"2001:db8:8::2": true, "2001:db8:8:0:ffff::": true,
		"2001:db8:8:1::1": false, "::ffff:192.0.2.1": true} {
		if got := p.refuses(netip.MustParseAddr(text), "x"); (got > 0) != kept {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// However many sources and keys there are, the tables stay within their bounds, and a new source
// still finds its place.
func TestPenaltyTablesAreBounded(t *testing.T) {
	p, now := clocked()
	for i := range 3 * sourcesMost {
		addr := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		p.failed(addr, false)
		p.loggedIn(addr, fmt.Sprint(i))
		*now = now.Add(time.Millisecond)
	}
	if len(p.sources) > sourcesMost || len(p.good) > keysMost {
		t.Errorf("%d sources, %d keys", len(p.sources), len(p.good))
	}
	last := netip.MustParseAddr("192.0.2.7")
	if p.failed(last, false); p.sources[Source(last)] == nil {
		t.Error("the last source is not in the table")
	}
}
