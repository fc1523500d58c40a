package daemon

import (
	"net/netip"
	"sync"
)

// gate bounds how many connections may be unauthenticated at once, in all and per source. A source is an IPv4 address or
// an IPv6 /64, because whoever has one address of a /64 has all of them.
type gate struct {
	most, mostPerSource int

	mu      sync.Mutex // guards the rest
	inside  int
	sources map[netip.Prefix]int
}

func newGate(most, mostPerSource int) *gate {
	return &gate{most: most, mostPerSource: mostPerSource, sources: map[netip.Prefix]int{}}
}

// source is what counts as one origin of connections. The zero address stands for Unix sockets.
func source(addr netip.Addr) netip.Prefix {
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

// enter takes a place, or says that there is none. leave is safe to call more than once.
func (g *gate) enter(from netip.Prefix) (leave func(), ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside >= g.most || g.sources[from] >= g.mostPerSource {
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
