package options

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"minissh/protocol"
)

// Forward is a place to listen, and what is connected to whoever comes (ssh(1), -L).
type Forward struct {
	// Bind is the address to listen on: "" and "*" are all, if BindGiven; else GatewayPorts decides
	Bind      string
	BindGiven bool
	Port      int             // to listen on; 0 with Path
	Path      string          // of the Unix socket to listen on
	Target    protocol.Target // what to connect to
	Dynamic   bool            // or whoever comes says so, by SOCKS (-D)
}

// Listens is where the forward listens, as people write it.
func (f *Forward) Listens() string {
	switch {
	case f.Path != "":
		return f.Path
	case !f.BindGiven:
		return strconv.Itoa(f.Port)
	}
	return "[" + f.Bind + "]:" + strconv.Itoa(f.Port)
}

// targetWords are a target in the form of `ssh -G`.
func targetWords(t *protocol.Target) string {
	if len(t.Path) > 0 {
		return string(t.Path)
	}
	return "[" + t.Host + "]:" + strconv.Itoa(t.Port)
}

// words is the forward in the form of `ssh -G`.
func (f *Forward) words() string {
	if f.Dynamic {
		return f.Listens()
	}
	return f.Listens() + " " + targetWords(&f.Target)
}

// field is one part of a forward, as ssh splits it (readconf.c, parse_fwd_field).
type field struct {
	text string
	path bool // there is a slash in it
}

// fields splits a forward at its colons. Brackets keep theirs, and so does a backslash.
func fields(spec string) (all []field, ok bool) {
	rest := strings.TrimLeft(spec, " \t")
	for rest != "" {
		if rest[0] == '[' {
			inner, after, closed := strings.Cut(rest[1:], "]")
			if !closed || after != "" && after[0] != ':' {
				return nil, false
			}
			all = append(all, field{inner, strings.Contains(inner, "/")})
			rest = strings.TrimPrefix(after, ":")
			continue
		}
		var text []byte
		i := 0
		for ; i < len(rest) && rest[i] != ':'; i++ {
			if rest[i] == '\\' {
				if i++; i == len(rest) {
					return nil, false
				}
			}
			text = append(text, rest[i])
		}
		all = append(all, field{string(text), strings.Contains(string(text), "/")})
		rest = strings.TrimPrefix(rest[i:], ":")
	}
	return all, len(all) > 0
}

const localForm = "[bind_address:]port:host:hostport"

// parseLocal reads what -L takes: [bind:]port or a path, and host:port or a path (readconf.c,
// parse_forward).
func parseLocal(spec string) (*Forward, error) {
	bad := fmt.Errorf("%s is not %s", shown(spec), localForm)
	all, ok := fields(spec)
	if !ok || len(all) < 2 || len(all) > 4 {
		return nil, bad
	}
	f, here, there := new(Forward), all[:1], all[1:]
	if len(all) == 4 || len(all) == 3 && all[2].path && !all[0].path {
		here, there = all[:2], all[2:]
	}
	if here[0].path {
		f.Path = here[0].text
	} else if err := f.listenOn(here); err != nil {
		return nil, bad
	}
	if err := readTarget(&f.Target, there); err != nil {
		return nil, fmt.Errorf("%s: %w", shown(spec), err)
	}
	return f, nil
}

// listenOn reads [bind:]port.
func (f *Forward) listenOn(words []field) (err error) {
	if len(words) == 2 {
		f.Bind, f.BindGiven = words[0].text, true
	}
	f.Port, err = namedPort(words[len(words)-1].text)
	return err
}

// readTarget reads host:port or a path.
func readTarget(t *protocol.Target, words []field) (err error) {
	switch {
	case len(words) == 1 && words[0].path:
		t.Path = protocol.Bytes(words[0].text)
	case len(words) == 2:
		t.Host = words[0].text
		t.Port, err = namedPort(words[1].text)
	default:
		err = errors.New("the target is neither host:port nor the path of a socket")
	}
	if err != nil {
		return err
	}
	if broken, ok := errors.AsType[*protocol.Violation](t.Check()); ok {
		return errors.New(broken.Message)
	}
	return nil
}

// namedPort is a port by its number or, as in ssh, by the name of its service.
func namedPort(s string) (int, error) {
	if s != "" && strings.Trim(s, "0123456789") != "" {
		if n, err := net.LookupPort("tcp", s); err == nil {
			return n, nil
		}
	}
	return parsePort(s)
}

// parseStdio reads what -W takes: host:port or a path.
func parseStdio(spec string) (*protocol.Target, error) {
	all, ok := fields(spec)
	t := new(protocol.Target)
	if !ok {
		return nil, fmt.Errorf("%s is not host:port", shown(spec))
	}
	if err := readTarget(t, all); err != nil {
		return nil, fmt.Errorf("%s is not host:port", shown(spec))
	}
	return t, nil
}

// setLocal is LocalForward: a place here and a target there.
func setLocal(o *Options, v []string) error {
	if len(v) != 2 {
		return errors.New("it needs a port here and a target there")
	}
	return o.addLocal(v[0] + ":" + v[1])
}

// addLocal adds a forward, unless it is there.
func (o *Options) addLocal(spec string) error {
	f, err := parseLocal(spec)
	if err != nil {
		return err
	}
	addForward(&o.LocalForwards, f)
	return nil
}

func addForward(all *[]*Forward, f *Forward) {
	if !slices.ContainsFunc(*all, func(have *Forward) bool { return have.words() == f.words() }) {
		*all = append(*all, f)
	}
}

// setDynamic is DynamicForward: [bind:]port, or a path.
func setDynamic(o *Options, v []string) error {
	all, ok := fields(v[0])
	f, bad := &Forward{Dynamic: true}, fmt.Errorf("%s is not [bind_address:]port", shown(v[0]))
	switch {
	case !ok || len(all) > 2:
		return bad
	case len(all) == 1 && all[0].path:
		f.Path = all[0].text
	case f.listenOn(all) != nil:
		return bad
	}
	addForward(&o.DynamicForwards, f)
	return nil
}

// resolveForwards drops what is cleared, and expands paths.
func (p *parser) resolveForwards() (err error) {
	o := p.o
	if o.clearForwardings {
		o.LocalForwards, o.DynamicForwards = nil, nil
	}
	for _, f := range slices.Concat(o.LocalForwards, o.DynamicForwards) {
		if f.Path, err = p.env.expandFile(f.Path, p.env.fileTokens(o)); err != nil {
			return usage("", "%v", err)
		}
	}
	return nil
}
