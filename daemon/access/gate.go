package access

import (
	"net/netip"
	"sync"
)

// gate limits how many connections may be unauthenticated at once, in all and per origin. The last
// few places are kept for root and the daemon's own user, whom the kernel names on a Unix socket.
type gate struct {
	most, mostPerSource, reserve int

	mu      sync.Mutex // guards the rest
	inside  int
	sources map[origin]int
}

// origin is one source of connections: an address (Source), or a uid on a Unix socket.
type origin struct {
	network netip.Prefix
	uid     uint32
	first   bool // may use the reserve
}

func newGate(most, mostPerSource, reserve int) *gate {
	return &gate{most: most, mostPerSource: mostPerSource, reserve: reserve,
		sources: map[origin]int{}}
}

// Source is what counts as one source on the network: an IPv4 address or an IPv6 /64, because
// whoever has one address of a /64 has all of them. The zero address is a Unix socket.
func Source(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}

// enter takes a place, or says that all are taken. leave may be called more than once.
func (g *gate) enter(from origin) (leave func(), ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	most := g.most
	if !from.first {
		most -= g.reserve
	}
	if g.inside >= most || g.sources[from] >= g.mostPerSource {
		return nil, false
	}
	g.inside++
	g.sources[from]++
	return sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.inside--
		if g.sources[from]--; g.sources[from] == 0 {
			delete(g.sources, from)
		}
	}), true
}
