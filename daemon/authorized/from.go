package authorized

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"minissh/protocol/wildcard"
)

// From is a list of addresses that a key may be used from: sshd's match_list. The zero value allows
// all.
type From struct {
	set      bool
	patterns []pattern
}

// pattern is one element: a network, or an address with * and ? in it.
type pattern struct {
	not     bool
	network netip.Prefix // if valid
	text    string       // else; in lower case
}

// ParseFrom reads a comma-separated list. remark tells of host names, which never match.
func ParseFrom(value string) (from From, remark string, err error) {
	from.set = true
	var names []string
	usable := false
	for element := range strings.SplitSeq(strings.ToLower(value), ",") {
		element, not := strings.CutPrefix(strings.Trim(element, " \t"), "!")
		if element == "" {
			return From{}, "", errors.New("one of its patterns is empty")
		}
		p := pattern{not: not, text: element}
		if strings.Contains(element, "/") {
			if p.network, err = netip.ParsePrefix(element); err != nil {
				return From{}, "", fmt.Errorf("%s is not a network", clipped(element))
			}
			if p.network != p.network.Masked() { // sshd: "Inconsistent mask length"
				return From{}, "", fmt.Errorf("%s has bits beyond its mask", clipped(element))
			}
		} else if addr, err := netip.ParseAddr(element); err == nil {
			p.network = netip.PrefixFrom(addr.Unmap().WithZone(""), addr.Unmap().BitLen())
		} else if !couldBeAddress(element) {
			if not {
				return From{}, "",
					fmt.Errorf("%s refuses nobody, since only addresses are compared",
						clipped("!"+element))
			}
			names = append(names, clipped(element))
		}
		usable = usable || !not
		from.patterns = append(from.patterns, p)
	}
	if len(names) > 0 {
		remark = "host names in from= never match, only addresses do: " + strings.Join(names, ", ")
	}
	if !usable {
		remark = "from= has patterns with ! only: it never matches"
	}
	return from, remark, nil
}

// couldBeAddress says whether a pattern has the characters of an IPv4 or an IPv6 address.
func couldBeAddress(pattern string) bool {
	if strings.Trim(pattern, "0123456789.*?") == "" {
		return true
	}
	return strings.Trim(pattern, "0123456789abcdef:.*?") == "" && strings.Contains(pattern, ":")
}

// Allows says whether a client at an address may use the key. The zero address stands for a Unix
// socket: only a line without from= allows it.
func (f From) Allows(addr netip.Addr) bool {
	if !f.set {
		return true
	}
	if !addr.IsValid() {
		return false
	}
	addr = addr.Unmap().WithZone("")
	text := addr.String()
	allowed := false
	for _, p := range f.patterns {
		if p.network.IsValid() && !p.network.Contains(addr) || !p.network.IsValid() &&
			!wildcard.Match(text, p.text) {
			continue
		}
		if p.not {
			return false
		}
		allowed = true
	}
	return allowed
}

// Never says that no address at all is allowed, so far as that can be told from the patterns alone.
func (f From) Never() bool {
	if !f.set {
		return false
	}
	for _, p := range f.patterns {
		if !p.not && (p.network.IsValid() || couldBeAddress(p.text)) {
			return false
		}
	}
	return true
}
