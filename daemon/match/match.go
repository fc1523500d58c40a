// Package match reads the Match lines of a configuration, and says for whom they hold, as
// sshd_config(5) does.
//
// Criteria are User, Group, Address, LocalAddress, LocalPort and All, which mean what they mean to
// sshd, and Key, which is minisshd's own. A line is a list of them, all of which must hold. The
// package looks nothing up: whoever asks says what it knows about a login.
package match

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"minissh/daemon/authorized"
	"minissh/protocol"
	"minissh/protocol/wildcard"
)

// Login is what criteria are compared with.
type Login struct {
	User  string
	Addr  netip.Addr     // where the client is; zero: on a Unix socket, which no address matches
	Local netip.AddrPort // where it was accepted; zero likewise
	Key   string         // the key's fingerprint, SHA256:…; "": the kernel has named the user
	// Groups are the names of the user's groups. It is asked only if the rest of a line holds; an
	// error means that nobody can tell.
	Groups func() ([]string, error)
}

// Line is a Match line.
type Line struct {
	criteria []criterion
	groups   [][]string // lists of patterns, each of which the user's groups must match
}

// criterion is one that nothing needs to be looked up for. holds is what it asks of a login; never:
// it has patterns with ! only, and matches nothing.
type criterion struct {
	holds   func(*Login) bool
	never   bool
	account bool // it asks about the user alone
}

// The most that a line may have: sections are compared at each login.
const (
	mostCriteria = 16
	mostPatterns = 1024
)

// Error is what is wrong with a Match line, and perhaps what to write.
type Error struct{ What, Advice string }

func (e *Error) Error() string { return e.What }

// Hint is what to write; it may be "".
func (e *Error) Hint() string { return e.Advice }

func wrong(advice, format string, args ...any) error {
	return &Error{fmt.Sprintf(format, args...), advice}
}

// known are the criteria that have a value, in small letters.
var known = []string{"user", "group", "address", "localaddress", "localport", "key"}

const offer = "the criteria are User, Group, Address, LocalAddress, LocalPort, Key and All"

// Parse reads what follows Match, split into words. NAME=VALUE is the same as NAME VALUE.
func Parse(words []string) (*Line, error) {
	line := &Line{}
	for i := 0; i < len(words); i++ {
		name, value, joined := strings.Cut(words[i], "=")
		lower := strings.ToLower(name)
		switch {
		case lower == "all" && len(words) > 1:
			return nil, wrong("", "all cannot be combined with other criteria")
		case lower == "all" && !joined:
			return line, nil
		case lower == "host":
			return nil, wrong("Match Address 192.0.2.0/24, or a pattern such as 192.0.2.*",
				"there is no criterion Host: the daemon asks no DNS who an address is")
		case lower == "rdomain":
			return nil, wrong("Match LocalAddress, or LocalPort",
				"there is no criterion RDomain")
		case !slices.Contains(known, lower):
			return nil, wrong(offer, "%s is not a criterion of Match", protocol.Quote(name))
		case i/2 >= mostCriteria:
			return nil, wrong("", "a Match line has %d criteria at most", mostCriteria)
		}
		if !joined {
			if i++; i == len(words) {
				return nil, wrong("Match "+name+" …", "the criterion %s needs a value after it",
					name)
			}
			value = words[i]
		}
		if err := line.add(lower, value); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if len(words) == 0 {
		return nil, wrong(offer+"; Match All holds for everybody", "Match needs a criterion")
	}
	return line, nil
}

// add takes one criterion with a value.
func (l *Line) add(name, value string) error {
	if name == "localport" {
		port, err := strconv.ParseUint(value, 10, 16)
		if err != nil || port == 0 {
			return fmt.Errorf("%s is not a port", protocol.Quote(value))
		}
		l.criteria = append(l.criteria, criterion{holds: func(at *Login) bool {
			return at.Local.IsValid() && at.Local.Port() == uint16(port)
		}})
		return nil
	}
	patterns := strings.Split(value, ",")
	switch {
	case len(patterns) > mostPatterns:
		return fmt.Errorf("it has more than %d patterns", mostPatterns)
	case slices.ContainsFunc(patterns, func(p string) bool { return p == "" || p == "!" }):
		return errors.New("one of its patterns is empty")
	}
	never := !slices.ContainsFunc(patterns, func(p string) bool { return p[0] != '!' })
	if strings.HasSuffix(name, "address") {
		return l.addAddress(name, value, never)
	}
	switch name {
	case "user":
		l.criteria = append(l.criteria, criterion{never: never, account: true,
			holds: func(at *Login) bool { return wildcard.List([]string{at.User}, patterns) }})
	case "key":
		for _, p := range patterns {
			if p = strings.TrimPrefix(p, "!"); p != "*" && !strings.HasPrefix(p, "SHA256:") {
				return wrong("ssh-keygen -lf FILE shows it", "%s is not the fingerprint of a key, "+
					"SHA256:…", protocol.Quote(p))
			}
		}
		l.criteria = append(l.criteria, criterion{never: never, holds: func(at *Login) bool {
			return at.Key != "" && wildcard.List([]string{at.Key}, patterns)
		}})
	case "group":
		l.groups = append(l.groups, patterns)
		if never {
			l.criteria = append(l.criteria, criterion{never: true, account: true,
				holds: func(*Login) bool { return false }})
		}
	}
	return nil
}

// addAddress takes a list of networks, addresses and patterns of them, as from= has in
// authorized_keys.
func (l *Line) addAddress(name, value string, never bool) error {
	from, remark, err := authorized.ParseFrom(value)
	if err != nil {
		return err
	}
	if remark != "" && !never {
		return wrong("write addresses, networks such as 192.0.2.0/24, or patterns of them",
			"a name of a host never matches, only addresses do")
	}
	l.criteria = append(l.criteria, criterion{never: never, holds: func(at *Login) bool {
		if name == "localaddress" {
			return from.Allows(at.Local.Addr())
		}
		return from.Allows(at.Addr)
	}})
	return nil
}

// Holds says whether a line holds for a login. The error says that nobody can tell, since the
// user's groups are not known.
func (l *Line) Holds(at *Login) (bool, error) { return l.holds(at, false) }

// Could says whether a line could hold for a user of this name and these groups, from somewhere and
// with some key.
func (l *Line) Could(at *Login) (bool, error) { return l.holds(at, true) }

func (l *Line) holds(at *Login, anywhere bool) (bool, error) {
	for _, c := range l.criteria {
		if (c.account || c.never || !anywhere) && !c.holds(at) {
			return false, nil
		}
	}
	if len(l.groups) == 0 {
		return true, nil
	}
	groups, err := at.Groups()
	if err != nil {
		return false, fmt.Errorf("nobody can tell which groups the user is in: %w", err)
	}
	for _, patterns := range l.groups {
		if !wildcard.List(groups, patterns) {
			return false, nil
		}
	}
	return true, nil
}

// Never says that a line holds for nobody: one of its lists has only patterns with ! before them.
func (l *Line) Never() bool {
	return slices.ContainsFunc(l.criteria, func(c criterion) bool { return c.never })
}
