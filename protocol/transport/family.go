package transport

import "net/netip"

// Family is the network of package net for listening on a host: an IPv4 address (0.0.0.0 too) is of
// IPv4 alone and an IPv6 one of IPv6 alone, as with sshd. Without it 0.0.0.0 would let IPv6 in as
// well, past a firewall for IPv4. A name, and no host at all, are of both families.
func Family(network, host string) string {
	addr, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return network
	case addr.Unmap().Is4():
		return network + "4"
	}
	return network + "6"
}
