package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"minissh/protocol/keys"
)

// PairingStarted is what `minisshd pair` shows.
type PairingStarted struct {
	User      string           `json:"user"`
	Codes     []string         `json:"codes"` // as people type them: secrets
	Until     time.Time        `json:"until"`
	HostKey   string           `json:"host_key"`  // type and fingerprint
	Reachable []netip.AddrPort `json:"reachable"` // where other machines may find the daemon, the likeliest first; none: on loopback only
	Port      uint16           `json:"port"`      // on loopback, if it is not reachable; 0: on Unix sockets only
}

// PairingEvent is told while codes live: one of the two.
type PairingEvent struct {
	Started *PairingStarted `json:"started,omitempty"`
	Paired  *Paired         `json:"paired,omitempty"`
}

// PairingEnded is the answer when no code is left.
type PairingEnded struct {
	Paired int `json:"paired"`
	Unused int `json:"unused"` // expired, or burnt by wrong proofs
}

// controlPair offers codes on the control socket. Whoever hangs up takes them back.
func controlPair(ctx context.Context, s *Server, args json.RawMessage, say func(event any) error) (any, error) {
	var offer Offer
	if err := json.Unmarshal(args, &offer); err != nil {
		return nil, errors.New("the arguments of pair cannot be read")
	}
	made, err := s.OfferPairing(offer)
	if err != nil {
		return nil, err
	}
	return s.FollowPairing(ctx, made, func(e PairingEvent) error { return say(e) })
}

// FollowPairing tells what becomes of codes, until none is left or ctx ends; then they are withdrawn.
func (s *Server) FollowPairing(ctx context.Context, made *PairingOffer, say func(PairingEvent) error) (*PairingEnded, error) {
	defer made.Withdraw()
	key := s.shown().public
	started := &PairingStarted{User: made.User, Until: made.Until, HostKey: keys.TypeName(key) + " " + keys.Fingerprint(key), Reachable: s.reachable(), Port: s.loopbackPort()}
	for _, c := range made.Codes {
		started.Codes = append(started.Codes, c.Shown())
	}
	if err := say(PairingEvent{Started: started}); err != nil {
		return nil, err
	}
	ended := &PairingEnded{Unused: len(made.Codes)}
	for {
		select {
		case p, more := <-made.Events:
			if !more {
				return ended, nil
			}
			ended.Paired++
			ended.Unused--
			if err := say(PairingEvent{Paired: &p}); err != nil {
				return nil, err
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// loopbackPort is where this machine finds the daemon.
func (s *Server) loopbackPort() uint16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.listeners {
		if tcp, ok := l.Addr().(*net.TCPAddr); ok && tcp.IP.IsLoopback() {
			return tcp.AddrPort().Port()
		}
	}
	return 0
}

// reachable lists addresses at which other machines may find the daemon, IPv4 before IPv6, as people type them.
func (s *Server) reachable() (list []netip.AddrPort) {
	s.mu.Lock()
	listeners := slices.Clone(s.listeners)
	s.mu.Unlock()
	for _, l := range listeners {
		tcp, ok := l.Addr().(*net.TCPAddr)
		if !ok || tcp.IP.IsLoopback() {
			continue
		}
		at := tcp.AddrPort()
		if !at.Addr().IsUnspecified() {
			list = append(list, netip.AddrPortFrom(at.Addr().Unmap(), at.Port()))
			continue
		}
		_, six := l.(onlyIPv6)
		addrs, _ := net.InterfaceAddrs()
		for _, a := range addrs {
			network, ok := a.(*net.IPNet)
			if !ok {
				continue
			}
			ip, _ := netip.AddrFromSlice(network.IP)
			ip = ip.Unmap()
			if ip.IsGlobalUnicast() && (ip.Is4() && !six || ip.Is6() && tcp.IP.To4() == nil) {
				list = append(list, netip.AddrPortFrom(ip, at.Port()))
			}
		}
	}
	slices.SortStableFunc(list, func(a, b netip.AddrPort) int { return a.Addr().BitLen() - b.Addr().BitLen() })
	return slices.Compact(list)
}
