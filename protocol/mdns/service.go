package mdns

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// Names of DNS-SD (RFC 6763 sections 4 and 9).
const (
	domain  = "local."
	Type    = "_minissh._tcp." + domain          // the type of all daemons
	allType = "_services._dns-sd._udp." + domain // the type of all types
)

// TTL is how long others may remember a record, in seconds. RFC 6762 section 10 has 75 minutes for
// those without a host's name; a daemon that was killed should be forgotten sooner.
const TTL = 120

// legacyTTL is the most for those who ask as a resolver of plain DNS does (section 6.7).
const legacyTTL = 10

// flush is the top bit of a class: the record replaces others of its name and type (section 10.2).
// In a question it asks for an answer to the asker alone (section 5.4).
const flush = 0x8000

// maxLabel is the most bytes between two dots of a name.
const maxLabel = 63

// MaxAddresses of a daemon are published, and taken.
const MaxAddresses = 16

// hostSuffix distinguishes the host's name from that of the machine's own responder.
const hostSuffix = "-minissh"

// Service is what is published about one daemon, on one interface.
type Service struct {
	Name        string // of the daemon: one label; see Label
	Port        uint16
	Fingerprint string // of its host key: SHA256:…
	Addresses   []netip.Addr
}

// Label is a machine's name as a Service's name: the first label of it, with room for what
// distinguishes it from others.
func Label(hostname string) string {
	first, _, _ := strings.Cut(hostname, ".")
	const room = maxLabel - len(hostSuffix) - len("-65535") - len("-9999") // a port, a number
	first = strings.ToValidUTF8(first[:min(len(first), room)], "")
	return cmp.Or(first, "minissh")
}

// Instance is the service's full name.
func (s *Service) Instance() string { return s.Name + "." + Type }

// Host is the name that its addresses have.
func (s *Service) Host() string { return s.Name + hostSuffix + "." + domain }

const hostKeyField = "hostkey="

func (s *Service) text() []string { return []string{"txtvers=1", hostKeyField + s.Fingerprint} }

// addresses are those published, in an order that does not depend on the system's.
func (s *Service) addresses() []netip.Addr {
	list := slices.Clone(s.Addresses)
	slices.SortFunc(list, netip.Addr.Compare)
	list = slices.Compact(list)
	return list[:min(len(list), MaxAddresses)]
}

// Equal says whether both are published in the same words.
func (s *Service) Equal(other *Service) bool {
	return s.Name == other.Name && s.Port == other.Port && s.Fingerprint == other.Fingerprint &&
		slices.Equal(s.addresses(), other.addresses())
}

// record is one that is published.
type record struct {
	name string
	kind dnsmessage.Type
	body dnsmessage.ResourceBody
}

// shared says that other daemons have records of the same name and type.
func (r record) shared() bool { return r.kind == dnsmessage.TypePTR }

func nameOf(text string) dnsmessage.Name {
	name, _ := dnsmessage.NewName(text) // ours are short enough
	return name
}

// records are all of a service, in the order of the package's comment.
func (s *Service) records() []record {
	list := []record{
		{allType, dnsmessage.TypePTR, &dnsmessage.PTRResource{PTR: nameOf(Type)}},
		{Type, dnsmessage.TypePTR, &dnsmessage.PTRResource{PTR: nameOf(s.Instance())}},
		{s.Instance(), dnsmessage.TypeSRV,
			&dnsmessage.SRVResource{Port: s.Port, Target: nameOf(s.Host())}},
		{s.Instance(), dnsmessage.TypeTXT, &dnsmessage.TXTResource{TXT: s.text()}},
	}
	for _, a := range s.addresses() {
		if a.Is4() {
			list = append(list, record{s.Host(), dnsmessage.TypeA,
				&dnsmessage.AResource{A: a.As4()}})
		} else {
			list = append(list, record{s.Host(), dnsmessage.TypeAAAA,
				&dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	return list
}

// packet is what is sent, by section.
type packet struct {
	header     dnsmessage.Header
	questions  []dnsmessage.Question
	answers    []record
	authority  []record
	additional []record
	ttl        uint32
	plain      bool // without the flush bit
}

func (p *packet) pack() []byte {
	b := dnsmessage.NewBuilder(make([]byte, 0, 512), p.header)
	b.EnableCompression()
	err := b.StartQuestions()
	for _, q := range p.questions {
		if err == nil {
			err = b.Question(q)
		}
	}
	for _, part := range []struct {
		start   func() error
		records []record
	}{{b.StartAnswers, p.answers}, {b.StartAuthorities, p.authority},
		{b.StartAdditionals, p.additional}} {
		if err == nil {
			err = part.start()
		}
		for _, r := range part.records {
			if err == nil {
				err = p.add(&b, r)
			}
		}
	}
	if err != nil {
		return nil
	}
	bytes, err := b.Finish()
	if err != nil || len(bytes) > maxSent {
		return nil
	}
	return bytes
}

func (p *packet) add(b *dnsmessage.Builder, r record) error {
	class := dnsmessage.ClassINET
	if !p.plain && !r.shared() {
		class |= flush
	}
	head := dnsmessage.ResourceHeader{Name: nameOf(r.name), Class: class, TTL: p.ttl}
	switch body := r.body.(type) {
	case *dnsmessage.PTRResource:
		return b.PTRResource(head, *body)
	case *dnsmessage.SRVResource:
		return b.SRVResource(head, *body)
	case *dnsmessage.TXTResource:
		return b.TXTResource(head, *body)
	case *dnsmessage.AResource:
		return b.AResource(head, *body)
	case *dnsmessage.AAAAResource:
		return b.AAAAResource(head, *body)
	}
	return nil
}

// answering is the header of every answer (section 18).
var answering = dnsmessage.Header{Response: true, Authoritative: true}

// Announcement tells everybody about a service, unasked (section 8.3).
func (s *Service) Announcement() []byte {
	p := &packet{header: answering, answers: s.records(), ttl: TTL}
	return p.pack()
}

// Goodbye takes it back (section 10.1). The type of all types is left to run out: others may have a
// daemon.
func (s *Service) Goodbye() []byte {
	p := &packet{header: answering, answers: s.records()[1:]}
	return p.pack()
}

// Probe asks whether somebody has the service's names already (section 8.1). The second part tells
// others who ask the same what we are about to publish.
func (s *Service) Probe() []byte {
	p := &packet{authority: s.records()[2:], ttl: TTL, plain: true}
	for _, name := range []string{s.Instance(), s.Host()} {
		p.questions = append(p.questions, dnsmessage.Question{Name: nameOf(name),
			Type: dnsmessage.TypeALL, Class: dnsmessage.ClassINET})
	}
	return p.pack()
}
