package mdns

import (
	"errors"
	"net"
	"net/netip"
	"slices"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

const (
	// MaxPacket is the most bytes of a packet (RFC 6762 section 17).
	MaxPacket = 9000
	// maxSent is the most that is sent: one frame of Ethernet.
	maxSent = 1440
	// maxInterfaces are used at most.
	maxInterfaces = 32
	// Port is that of multicast DNS.
	Port = 5353
	hops = 255
)

var (
	group4 = &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: Port}
	group6 = &net.UDPAddr{IP: net.ParseIP("ff02::fb"), Port: Port}
)

// Interface is one to the LAN, and this machine's addresses there.
type Interface struct {
	Index     int
	Name      string
	Addresses []netip.Prefix

	system *net.Interface
}

// Interfaces lists those that multicast works on, loopback apart.
func Interfaces() (list []Interface, err error) {
	all, err := net.Interfaces()
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagMulticast == 0 ||
			i.Flags&(net.FlagLoopback|net.FlagPointToPoint) != 0 || len(list) == maxInterfaces {
			continue
		}
		one := Interface{Index: i.Index, Name: i.Name, system: &i}
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			if network, ok := a.(*net.IPNet); ok {
				ip, _ := netip.AddrFromSlice(network.IP)
				bits, _ := network.Mask.Size()
				one.Addresses = append(one.Addresses, netip.PrefixFrom(ip.Unmap(), bits))
			}
		}
		if len(one.Addresses) > 0 {
			list = append(list, one)
		}
	}
	return list, err
}

// OnLink says whether an address is on the interface's link.
func (i *Interface) OnLink(a netip.Addr) bool {
	if a.IsLinkLocalUnicast() {
		return a.Is4() || a.Zone() == i.Name
	}
	return slices.ContainsFunc(i.Addresses, func(p netip.Prefix) bool { return p.Contains(a) })
}

// has says whether the interface has an address of the family.
func (i *Interface) has(four bool) bool {
	return slices.ContainsFunc(i.Addresses, func(p netip.Prefix) bool {
		return p.Addr().Is4() == four
	})
}

// Packet is one that came from the link.
type Packet struct {
	Bytes []byte // until the next one is read
	From  netip.AddrPort
	On    *Interface // where it came in
}

// Socket sends and receives packets of one family. Sends are for one goroutine, Receive for
// another.
type Socket struct {
	conn       net.PacketConn
	four       *ipv4.PacketConn // nil: it is six
	six        *ipv6.PacketConn
	interfaces []Interface
	buffer     [MaxPacket + 1]byte
}

// Open opens a socket on the interfaces' links, for IPv4 or IPv6. With group, it has the port of
// multicast DNS and hears what is sent to everybody; else it has a port of its own, where answers
// to its questions come.
func Open(four, group bool, interfaces []Interface) (*Socket, error) {
	network, where := "udp6", group6
	if four {
		network, where = "udp4", group4
	}
	address := where.String() // of which package net makes the wildcard, to be shared with others
	if !group {
		address = ":0"
	}
	conn, err := net.ListenPacket(network, address)
	if err != nil {
		return nil, err
	}
	s := &Socket{conn: conn}
	joined := errors.New("no interface has an address of the family")
	for _, i := range interfaces {
		if !i.has(four) {
			continue
		}
		err := s.prepare(four, group, i)
		if err == nil {
			s.interfaces = append(s.interfaces, i)
		} else if len(s.interfaces) == 0 {
			joined = err
		}
	}
	if len(s.interfaces) == 0 {
		conn.Close()
		return nil, joined
	}
	return s, nil
}

// prepare makes the socket ready for an interface.
func (s *Socket) prepare(four, group bool, i Interface) error {
	if four {
		if s.four == nil {
			s.four = ipv4.NewPacketConn(s.conn)
			s.four.SetControlMessage(ipv4.FlagInterface, true) // Windows cannot; see of
			s.four.SetMulticastTTL(hops)
			s.four.SetTTL(hops)
			s.four.SetMulticastLoopback(true)
		}
		if !group {
			return s.four.SetMulticastInterface(i.system)
		}
		return s.four.JoinGroup(i.system, group4)
	}
	if s.six == nil {
		s.six = ipv6.NewPacketConn(s.conn)
		s.six.SetControlMessage(ipv6.FlagInterface, true)
		s.six.SetMulticastHopLimit(hops)
		s.six.SetHopLimit(hops)
		s.six.SetMulticastLoopback(true)
	}
	if !group {
		return s.six.SetMulticastInterface(i.system)
	}
	return s.six.JoinGroup(i.system, group6)
}

// Receive returns the next packet from one of the links. Its error ends the socket.
func (s *Socket) Receive() (Packet, error) {
	for {
		var n, index int
		var from net.Addr
		var err error
		if s.four != nil {
			var about *ipv4.ControlMessage
			if n, about, from, err = s.four.ReadFrom(s.buffer[:]); about != nil {
				index = about.IfIndex
			}
		} else {
			var about *ipv6.ControlMessage
			if n, about, from, err = s.six.ReadFrom(s.buffer[:]); about != nil {
				index = about.IfIndex
			}
		}
		if err != nil {
			return Packet{}, err
		}
		udp, ok := from.(*net.UDPAddr)
		if !ok || n > MaxPacket {
			continue
		}
		p := Packet{Bytes: s.buffer[:n], From: udp.AddrPort()}
		p.From = netip.AddrPortFrom(p.From.Addr().Unmap(), p.From.Port())
		if p.On = s.of(index, p.From.Addr()); p.On != nil {
			return p, nil
		}
	}
}

// of is the interface that a packet came in on; nil if its source is not on the link there.
func (s *Socket) of(index int, from netip.Addr) *Interface {
	for i := range s.interfaces {
		one := &s.interfaces[i]
		if (index == 0 || index == one.Index) && one.OnLink(from) {
			return one
		}
	}
	return nil
}

// Interfaces are those that the socket works on.
func (s *Socket) Interfaces() []Interface { return s.interfaces }

// Multicast sends to everybody on an interface's link.
func (s *Socket) Multicast(on *Interface, bytes []byte) error {
	if len(bytes) == 0 {
		return nil
	}
	if s.four != nil {
		if err := s.four.SetMulticastInterface(on.system); err != nil {
			return err
		}
		_, err := s.four.WriteTo(bytes, nil, group4)
		return err
	}
	if err := s.six.SetMulticastInterface(on.system); err != nil {
		return err
	}
	_, err := s.six.WriteTo(bytes, nil, group6)
	return err
}

// Unicast sends to one.
func (s *Socket) Unicast(to netip.AddrPort, bytes []byte) error {
	if len(bytes) == 0 {
		return nil
	}
	_, err := s.conn.WriteTo(bytes, net.UDPAddrFromAddrPort(to))
	return err
}

// Close ends Receive.
func (s *Socket) Close() error { return s.conn.Close() }
