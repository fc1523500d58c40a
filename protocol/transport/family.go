package transport

import "net/netip"

// Family is the network of package net for listening on a host: IPv4 only for an IPv4 address
// (0.0.0.0 too), IPv6 only for an IPv6 address, as in sshd. Otherwise 0.0.0.0 would accept IPv6
// too, past a firewall for IPv4. A name, or no host, means both families.
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
