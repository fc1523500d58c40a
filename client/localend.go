package client

import (
	"context"
	"net"
	"time"
)

// dialTCP dials until it succeeds, at most ConnectionAttempts times, a second apart as in ssh, each for at most ConnectTimeout.
func (d *Dialer) dialTCP(ctx context.Context, network, address string) (conn net.Conn, err error) {
	dial := d.dialing
	if dial == nil {
		dialer, err := d.localEnd(ctx, network)
		if err != nil {
			return nil, err
		}
		dial = dialer.DialContext
	}
	for attempt := 1; ; attempt++ {
		attempting, cancel := ctx, context.CancelFunc(func() {})
		if most := d.Options.ConnectTimeout; most > 0 {
			attempting, cancel = context.WithTimeout(ctx, most)
		}
		conn, err = dial(attempting, network, address)
		cancel()
		if err == nil || attempt >= d.Options.ConnectionAttempts {
			return conn, err
		}
		d.debug("attempt %d of %d failed: %v", attempt, d.Options.ConnectionAttempts, plainError(err))
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// localEnd is the dialer of a connection: from the address that BindAddress (-b) names, else from one of the interface that BindInterface (-B) names. What
// cannot be had is an error, since the other side, or a firewall between, may go by where we come from.
func (d *Dialer) localEnd(ctx context.Context, network string) (*net.Dialer, error) {
	dialer := &net.Dialer{KeepAlive: -1} // a link has its own signs of life (SE6)
	var candidates []net.IPAddr
	var named string
	switch o := d.Options; {
	case o.BindAddress != "":
		named = "BindAddress " + o.BindAddress
		list, err := net.DefaultResolver.LookupIPAddr(ctx, o.BindAddress)
		if err != nil {
			return nil, fail(err, "minissh -b ADDRESS names an address of this machine", "%s cannot be used: there is no such address", named)
		}
		candidates = list
	case o.BindInterface != "":
		named = "BindInterface " + o.BindInterface
		list, err := interfaceAddresses(o.BindInterface)
		if err != nil {
			return nil, fail(err, "minissh -B INTERFACE names a network interface of this machine", "%s cannot be used: there is no such interface", named)
		}
		candidates = list
	default:
		return dialer, nil
	}
	for _, from := range candidates {
		if isFour := from.IP.To4() != nil; network == "tcp" || isFour == (network == "tcp4") {
			dialer.LocalAddr = &net.TCPAddr{IP: from.IP, Zone: from.Zone}
			return dialer, nil
		}
	}
	return nil, fail(nil, "-4 and -6 choose the kind of address", "%s cannot be used: it has no address of the kind that is wanted", named)
}

// interfaceAddresses are an interface's addresses, those of the link alone and of the loopback last, as ssh prefers them.
func interfaceAddresses(name string) (first []net.IPAddr, err error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return nil, err
	}
	all, err := i.Addrs()
	if err != nil {
		return nil, err
	}
	var last []net.IPAddr
	for _, a := range all {
		has, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		if has.IP.IsLinkLocalUnicast() || has.IP.IsLoopback() {
			from := net.IPAddr{IP: has.IP}
			if has.IP.IsLinkLocalUnicast() {
				from.Zone = name
			}
			last = append(last, from)
			continue
		}
		first = append(first, net.IPAddr{IP: has.IP})
	}
	return append(first, last...), nil
}
