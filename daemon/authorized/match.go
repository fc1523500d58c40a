package authorized

import (
	"fmt"
	"net/netip"
	"path"
	"strings"
	"time"
)

// patterns is a from= list: addresses, networks and wildcards, some of them negated (ssh_config(5), PATTERNS; sshd(8), from=).
type patterns struct{ list []pattern }

type pattern struct {
	negated bool
	network netip.Prefix // if valid
	glob    string       // else
}

func parsePatterns(text string) (*patterns, error) {
	p := &patterns{}
	for word := range strings.SplitSeq(text, ",") {
		word, negated := strings.CutPrefix(strings.TrimSpace(word), "!")
		if word == "" {
			return nil, fmt.Errorf("from= has an empty pattern")
		}
		one := pattern{negated: negated, glob: strings.ToLower(word)}
		if strings.Contains(word, "/") {
			network, err := netip.ParsePrefix(word)
			if err != nil || network != network.Masked() {
				return nil, fmt.Errorf("from= has a network that is none: %.60q", word)
			}
			one.network = network
		} else if _, err := path.Match(strings.ReplaceAll(word, "[", ""), ""); err != nil || strings.ContainsAny(word, `[\`) {
			return nil, fmt.Errorf("from= has a pattern that is none: %.60q", word)
		}
		p.list = append(p.list, one)
	}
	return p, nil
}

// match says whether an address may come in: some pattern matches, and no negated one does. A local socket has no address and matches nothing.
func (p *patterns) match(addr netip.Addr) bool {
	if !addr.IsValid() {
		return false
	}
	addr = addr.Unmap().WithZone("")
	found := false
	for _, one := range p.list {
		hit := one.network.IsValid() && one.network.Contains(addr)
		if !one.network.IsValid() {
			hit, _ = path.Match(one.glob, addr.String())
			if single, err := netip.ParseAddr(one.glob); err == nil {
				hit = single.Unmap() == addr
			}
		}
		if hit && one.negated {
			return false
		}
		found = found || hit
	}
	return found
}

// parseTime reads sshd's YYYYMMDD[HHMM[SS]][Z]; without Z it is local time.
func parseTime(text string) (time.Time, error) {
	zone := time.Local
	digits, utc := strings.CutSuffix(text, "Z")
	if utc {
		zone = time.UTC
	}
	layout, ok := map[int]string{8: "20060102", 12: "200601021504", 14: "20060102150405"}[len(digits)]
	if !ok {
		return time.Time{}, fmt.Errorf("expiry-time= is not YYYYMMDD[HHMM[SS]][Z]")
	}
	at, err := time.ParseInLocation(layout, digits, zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("expiry-time= is not YYYYMMDD[HHMM[SS]][Z]")
	}
	return at, nil
}
