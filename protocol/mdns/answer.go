package mdns

import (
	"encoding/base64"
	"errors"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

var (
	errTooLong  = errors.New("the packet is too long")
	errNotForUs = errors.New("the packet is of another kind")
)

// Answer is a packet of records: an answer, or an announcement that nobody asked for.
type Answer struct {
	ID      uint16
	records []dnsmessage.Resource
}

// parseAnswer takes the records of an answer whose questions may not have been read to their end. A
// malformed record ends it; those before count.
func parseAnswer(p *dnsmessage.Parser, id uint16) (*Answer, error) {
	if err := p.SkipAllQuestions(); err != nil {
		return nil, err
	}
	a := &Answer{ID: id, records: resources(p.Answer)}
	if p.SkipAllAnswers() == nil && p.SkipAllAuthorities() == nil {
		a.records = append(a.records, resources(p.Additional)...)
	}
	return a, nil
}

// Record is what a client wants to know of one.
type Record struct {
	Name        string
	Type        dnsmessage.Type
	Gone        bool       // it is taken back
	Target      string     // of PTR and SRV
	Port        uint16     // of SRV
	Fingerprint string     // of TXT; "" if there is none, or it is malformed
	Address     netip.Addr // of A and AAAA
}

// Records are those that say something about daemons.
func (a *Answer) Records() (list []Record) {
	for _, r := range a.records {
		one := Record{Name: r.Header.Name.String(), Type: r.Header.Type, Gone: r.Header.TTL == 0}
		switch body := r.Body.(type) {
		case *dnsmessage.PTRResource:
			one.Target = body.PTR.String()
		case *dnsmessage.SRVResource:
			one.Target, one.Port = body.Target.String(), body.Port
		case *dnsmessage.TXTResource:
			one.Fingerprint = fingerprint(body.TXT)
		case *dnsmessage.AResource:
			one.Address = netip.AddrFrom4(body.A)
		case *dnsmessage.AAAAResource:
			one.Address = netip.AddrFrom16(body.AAAA)
		default:
			continue
		}
		list = append(list, one)
	}
	return list
}

// fingerprint takes a host key's out of a TXT record: the first counts (RFC 6763 section 6.4).
func fingerprint(fields []string) string {
	for _, field := range fields {
		if len(field) < len(hostKeyField) || !same(field[:len(hostKeyField)], hostKeyField) {
			continue
		}
		text := field[len(hostKeyField):]
		sum, is := strings.CutPrefix(text, "SHA256:")
		if raw, err := base64.RawStdEncoding.Strict().DecodeString(sum); !is || err != nil ||
			len(raw) != 32 || strings.ContainsAny(sum, "\r\n") {
			return ""
		}
		return text
	}
	return ""
}

// NameOf is the daemon's name in that of an instance; "" if it is an instance of something else, or
// has a byte that no name can have.
func NameOf(instance string) string {
	at := len(instance) - len("."+Type)
	if at <= 0 || !same(instance[at:], "."+Type) || strings.ContainsAny(instance[:at], ".\x00") {
		return ""
	}
	return instance[:at]
}

// Of says whether a name belongs to a type.
func Of(name string) bool { return same(name, Type) }

// Conflicts says whether somebody else publishes something under the service's names. ours are
// addresses of this machine, on any of its interfaces.
func (a *Answer) Conflicts(s *Service, ours func(netip.Addr) bool) bool {
	all := s.records()[2:]
	for _, r := range a.records {
		name := r.Header.Name.String()
		if r.Header.TTL == 0 {
			continue
		}
		switch body := r.Body.(type) {
		case *dnsmessage.SRVResource, *dnsmessage.TXTResource:
			if same(name, s.Instance()) && !has(all, r) {
				return true
			}
		case *dnsmessage.AResource:
			if same(name, s.Host()) && !has(all, r) && !ours(netip.AddrFrom4(body.A)) {
				return true
			}
		case *dnsmessage.AAAAResource:
			if same(name, s.Host()) && !has(all, r) && !ours(netip.AddrFrom16(body.AAAA)) {
				return true
			}
		}
	}
	return false
}

// TakesBack says whether the answer takes back what the service publishes, as an older daemon on
// this machine may, or somebody who lies.
func (a *Answer) TakesBack(s *Service) bool {
	for _, r := range a.records {
		if r.Header.TTL == 0 && has(s.records()[1:], r) {
			return true
		}
	}
	return false
}

func has(list []record, r dnsmessage.Resource) bool {
	for _, one := range list {
		if same(r.Header.Name.String(), one.name) && equal(r.Body, one) {
			return true
		}
	}
	return false
}
