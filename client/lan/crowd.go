package lan

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"minissh/protocol"
	"minissh/protocol/mdns"
)

// Bounds on what is kept: of one answering address, and of all. A text has at most 255 bytes, which
// is DNS's own bound.
const (
	MaxHosts   = 1024
	maxEach    = 32
	maxSources = MaxHosts
)

// Host is a daemon as it announces itself.
type Host struct {
	Name        string // any bytes; see Shown
	Addresses   []netip.Addr
	Port        uint16
	Fingerprint string // SHA256:…; "" if it announces none that is well-formed
}

// Shown is the name, quoted unless it looks like a host's name.
func (h Host) Shown() string {
	if h.plain() {
		return h.Name
	}
	return protocol.Quote(h.Name)
}

func (h Host) plain() bool {
	return h.Name != "" && h.Name[0] != '-' && !strings.ContainsFunc(h.Name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			r == '-' || r == '_')
	})
}

// source is who answered: an address on a link. What one source says about a name does not count
// for what another one does.
type source struct {
	address netip.Addr
	link    int
}

// instance is one daemon of a source's, as far as it is known.
type instance struct {
	full, name  string
	target      string
	port        uint16
	fingerprint string
	service     bool // an SRV record was there
	text        bool // a TXT record was there
	asked       int  // how often about it: for both, then for addresses
}

// told is what one source said.
type told struct {
	from      source
	zone      string
	instances []*instance
	addresses map[string][]netip.Addr // by the host's name in lower case
}

// crowd is what all sources said.
type crowd struct {
	sources map[source]*told
	count   int // instances
	Dropped int // more instances than are kept
}

func (c *crowd) of(from source, zone string) *told {
	t := c.sources[from]
	if t == nil {
		if len(c.sources) >= maxSources {
			c.Dropped++
			return nil
		}
		t = &told{from: from, zone: zone, addresses: map[string][]netip.Addr{}}
		c.sources[from] = t
	}
	return t
}

// add takes the records of one answer.
func (c *crowd) add(from source, zone string, records []mdns.Record) {
	t := c.of(from, zone)
	if t == nil {
		return
	}
	for _, r := range records {
		switch r.Type {
		case dnsmessage.TypePTR:
			if !mdns.Of(r.Name) {
				continue
			}
			if r.Gone {
				c.remove(t, r.Target)
			} else {
				c.instance(t, r.Target)
			}
		case dnsmessage.TypeSRV:
			if r.Gone {
				continue
			}
			if i := c.instance(t, r.Name); i != nil {
				i.target, i.port, i.service = r.Target, r.Port, true
			}
		case dnsmessage.TypeTXT:
			if r.Gone {
				continue
			}
			if i := c.instance(t, r.Name); i != nil {
				i.fingerprint, i.text = r.Fingerprint, true
			}
		case dnsmessage.TypeA, dnsmessage.TypeAAAA:
			t.address(r)
		}
	}
}

// instance is the one of that name, which may be new; nil if it is not a daemon's, or there are too
// many.
func (c *crowd) instance(t *told, full string) *instance {
	name := mdns.NameOf(full)
	if name == "" {
		return nil
	}
	for _, i := range t.instances {
		if strings.EqualFold(i.full, full) {
			return i
		}
	}
	if len(t.instances) >= maxEach || c.count >= MaxHosts && !c.makeRoom(t) {
		c.Dropped++
		return nil
	}
	i := &instance{full: full, name: name}
	t.instances, c.count = append(t.instances, i), c.count+1
	return i
}

// makeRoom drops the last one of the source that has most, unless t has as many.
func (c *crowd) makeRoom(t *told) bool {
	most := t
	for _, other := range c.sources {
		if len(other.instances) > len(most.instances) {
			most = other
		}
	}
	if len(most.instances) <= len(t.instances)+1 {
		return false
	}
	most.instances = most.instances[:len(most.instances)-1]
	c.count--
	c.Dropped++
	return true
}

func (c *crowd) remove(t *told, full string) {
	before := len(t.instances)
	t.instances = slices.DeleteFunc(t.instances, func(i *instance) bool {
		return strings.EqualFold(i.full, full)
	})
	c.count -= before - len(t.instances)
}

func (t *told) address(r mdns.Record) {
	host := strings.ToLower(r.Name)
	list, there := t.addresses[host]
	a := r.Address.Unmap()
	if a.Is6() && a.IsLinkLocalUnicast() {
		a = a.WithZone(t.zone)
	}
	switch {
	case r.Gone || slices.Contains(list, a) || len(list) >= mdns.MaxAddresses:
	case !there && len(t.addresses) >= maxEach:
	case !a.IsValid() || a.IsUnspecified() || a.IsMulticast() || a.IsLoopback():
	default:
		t.addresses[host] = append(list, a)
	}
}

// missing is what is to be asked about an instance.
func (t *told) missing(i *instance) (ask []mdns.Asked) {
	switch {
	case (!i.service || !i.text) && i.asked == 0:
		i.asked = 1
		return []mdns.Asked{{Name: i.full, Type: dnsmessage.TypeSRV},
			{Name: i.full, Type: dnsmessage.TypeTXT}}
	case i.service && i.asked < 2 && len(t.addresses[strings.ToLower(i.target)]) == 0:
		i.asked = 2
		return []mdns.Asked{{Name: i.target, Type: dnsmessage.TypeA},
			{Name: i.target, Type: dnsmessage.TypeAAAA}}
	}
	return nil
}

// hosts are those that can be connected to, each once, in the order of their names.
func (c *crowd) hosts() (list []Host) {
	for _, t := range c.sources {
		for _, i := range t.instances {
			h := Host{Name: i.name, Port: i.port, Fingerprint: i.fingerprint,
				Addresses: slices.Clone(t.addresses[strings.ToLower(i.target)])}
			if i.port == 0 || len(h.Addresses) == 0 {
				continue
			}
			slices.SortFunc(h.Addresses, likelier)
			list = append(list, h)
		}
	}
	slices.SortFunc(list, func(a, b Host) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Port, b.Port),
			cmp.Compare(a.Fingerprint, b.Fingerprint),
			slices.CompareFunc(a.Addresses, b.Addresses, netip.Addr.Compare))
	})
	return slices.CompactFunc(list, func(a, b Host) bool {
		return a.Name == b.Name && a.Port == b.Port && a.Fingerprint == b.Fingerprint &&
			slices.Equal(a.Addresses, b.Addresses)
	})
}

// likelier puts addresses in the order in which they are to be tried.
func likelier(a, b netip.Addr) int {
	last := func(a netip.Addr) int {
		if a.IsLinkLocalUnicast() {
			return 1
		}
		return 0
	}
	return cmp.Or(last(a)-last(b), a.BitLen()-b.BitLen(), a.Compare(b))
}
