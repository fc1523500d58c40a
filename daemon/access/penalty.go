package access

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Penalties per source, after sshd's PerSourcePenalties. A source (an IPv4 address, an IPv6 /64)
// whose logins fail is still heard for ten seconds from the first failure on, and then refused for
// five; for each failure within the ten seconds that follow, twice as long, up to ten minutes.
//
// This limits what a neighbour with the same address can do to somebody with a right key, even if
// the neighbour never stops. A key that has logged in since the daemon's start is never kept out;
// another one for ten minutes at most, since between two penalties there are always ten seconds in
// which every key is judged. Only failures of judged keys count. Guessing keys is hopeless anyway:
// a penalty saves the daemon work, it does not guard a secret.
const (
	penaltyFirst  = 5 * time.Second
	penaltyMost   = 10 * time.Minute
	penaltyHeard  = 10 * time.Second // between two penalties
	penaltyForget = 10 * time.Minute // without failures, after which a source starts anew
	// refusals that named a key which would do, without a login, until they count as failures
	penaltyNamed = 16

	sourcesMost = 4096 // remembered; the one that would be forgotten first makes room
	keysMost    = 4096 // known to be good
)

type penalties struct {
	exempt []netip.Prefix
	now    func() time.Time

	mu      sync.Mutex // guards the rest
	sources map[netip.Prefix]*offender
	good    map[string]bool // fingerprints that have logged in
}

// offender is a source that has failed. It is refused until `until`, then heard until `open`.
type offender struct {
	level  int       // penalties so far
	until  time.Time // the last penalty's end
	open   time.Time // every key is judged from until to open
	failed bool      // in that time: another penalty begins at open
	named  int
}

func newPenalties(exempt []netip.Prefix, now func() time.Time) *penalties {
	return &penalties{exempt: exempt, now: now, sources: map[netip.Prefix]*offender{},
		good: map[string]bool{}}
}

// exempted says whether an address is never penalized: loopback, which all users of this machine
// and all that is forwarded to it share, Unix sockets, and what the administrator named.
func (p *penalties) exempted(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return !addr.IsValid() || addr.IsLoopback() ||
		slices.ContainsFunc(p.exempt, func(n netip.Prefix) bool { return n.Contains(addr) })
}

// refuses is how long a source is still kept out, 0 if it is heard. A key that has logged in always
// is.
func (p *penalties) refuses(addr netip.Addr, fingerprint string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, now := p.sources[Source(addr)], p.now()
	if e == nil || p.good[fingerprint] {
		return 0
	}
	e.advance(now)
	return max(0, e.until.Sub(now))
}

// failed notes a refusal. If it named another of the client's keys that would be accepted, the
// client is about to come back with that one: only many such refusals count. The answer is the
// penalty that will follow, for the log: 0 if there is none or the log has it already.
func (p *penalties) failed(addr netip.Addr, named bool) time.Duration {
	if p.exempted(addr) {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	e := p.sources[Source(addr)]
	if e == nil {
		p.makeRoom(now)
		e = &offender{open: now.Add(penaltyHeard)}
		p.sources[Source(addr)] = e
	}
	e.advance(now)
	if e.forgotten(now) {
		*e = offender{open: now.Add(penaltyHeard)}
	}
	if named {
		if e.named++; e.named <= penaltyNamed {
			return 0
		}
	}
	// it was let in before the penalty began, or this one is noted already
	if now.Before(e.until) || e.failed {
		return 0
	}
	if e.open.Before(now) {
		e.open = now.Add(penaltyHeard)
	}
	e.failed = true
	return penalty(e.level)
}

// loggedIn notes a key that logged in.
func (p *penalties) loggedIn(addr netip.Addr, fingerprint string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.sources[Source(addr)]; e != nil {
		e.named = 0
	}
	if !p.good[fingerprint] && len(p.good) >= keysMost {
		for some := range p.good {
			delete(p.good, some)
			break
		}
	}
	p.good[fingerprint] = true
}

// advance begins the penalty that is due.
func (e *offender) advance(now time.Time) {
	if e.failed && !now.Before(e.open) {
		e.until = e.open.Add(penalty(e.level))
		e.open = e.until.Add(penaltyHeard)
		e.level++
		e.failed = false
	}
}

func (e *offender) forgotten(now time.Time) bool {
	return !e.failed && now.After(e.open.Add(penaltyForget))
}

// makeRoom keeps the table within its bound. The caller holds mu.
func (p *penalties) makeRoom(now time.Time) {
	if len(p.sources) < sourcesMost {
		return
	}
	var first netip.Prefix
	for at, e := range p.sources {
		if e.forgotten(now) {
			delete(p.sources, at)
			continue
		}
		if best := p.sources[first]; best == nil || e.open.Before(best.open) {
			first = at
		}
	}
	if len(p.sources) >= sourcesMost {
		delete(p.sources, first)
	}
}

// penalty is the length of a source's next penalty after some.
func penalty(level int) time.Duration {
	if level > 16 {
		return penaltyMost
	}
	return min(penaltyMost, penaltyFirst<<level)
}
