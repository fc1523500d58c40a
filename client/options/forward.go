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

// Forward is a place to listen, and what is connected to whoever comes (ssh(1), -L and -R).
type Forward struct {
	Remote bool // listen there and connect here (-R), not the other way round
	// Bind is the address to listen on: "" and "*" are all, if BindGiven; else GatewayPorts decides
	// here, and it is loopback there
	Bind      string
	BindGiven bool
	Port      int             // to listen on; 0 with Path, or if Remote: a free one
	Path      string          // of the Unix socket to listen on
	Target    protocol.Target // what to connect to
	Dynamic   bool            // or whoever comes says so, by SOCKS (-D, -R with nothing else)
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
	switch {
	case f.Dynamic && f.Remote:
		return f.Listens() + " [socks]:0"
	case f.Dynamic:
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

const forwardForm = "[bind_address:]port:host:hostport"

// parseForward reads what -L and -R take: [bind:]port or a path, and host:port or a path; in -R the
// port may be 0 (readconf.c, parse_forward).
func parseForward(spec string, remote bool) (*Forward, error) {
	bad := fmt.Errorf("%s is not %s", shown(spec), forwardForm)
	all, ok := fields(spec)
	if !ok || len(all) < 2 || len(all) > 4 {
		return nil, bad
	}
	f, here, there := &Forward{Remote: remote}, all[:1], all[1:]
	if len(all) == 4 || len(all) == 3 && all[2].path && !all[0].path {
		here, there = all[:2], all[2:]
	}
	if here[0].path {
		f.Path = here[0].text
	} else if err := f.listenOn(here); err != nil {
		return nil, bad
	}
	if remote && len(there) == 1 && there[0].path { // here, where it may begin with ~ or %
		f.Target.Path = protocol.Bytes(there[0].text)
	} else if err := readTarget(&f.Target, there); err != nil {
		return nil, fmt.Errorf("%s: %w", shown(spec), err)
	}
	return f, nil
}

// listenOn reads [bind:]port.
func (f *Forward) listenOn(words []field) (err error) {
	if len(words) == 2 {
		f.Bind, f.BindGiven = words[0].text, true
	}
	word := words[len(words)-1].text
	if f.Remote && word != "" && strings.Trim(word, "0") == "" {
		return nil // a free one
	}
	f.Port, err = namedPort(word)
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
	return addForward(&o.LocalForwards, v[0]+":"+v[1], false)
}

// setRemote is RemoteForward: a place there and a target here, which SOCKS clients name if it is
// missing.
func setRemote(o *Options, v []string) error {
	if len(v) == 1 {
		f, err := parseDynamic(v[0], true)
		if err == nil {
			add(&o.RemoteForwards, f)
		}
		return err
	}
	return addForward(&o.RemoteForwards, v[0]+":"+v[1], true)
}

// addRemote is -R: as RemoteForward, in one word.
func (o *Options) addRemote(spec string) error {
	all, ok := fields(spec)
	if ok && (len(all) == 1 || len(all) == 2 && !all[0].path && !all[1].path) {
		return setRemote(o, []string{spec})
	}
	return addForward(&o.RemoteForwards, spec, true)
}

// ErrNoForward is the error for what does not begin as a forward does.
var ErrNoForward = errors.New("a forward begins with L, R or D")

// ParseForward reads a forward as ~C takes it: L, R or D and what these options take, or, to cancel
// one, where it listens.
func ParseForward(line string, cancel bool) (*Forward, error) {
	if line == "" || !strings.Contains("LRD", line[:1]) {
		return nil, ErrNoForward
	}
	spec, remote := strings.TrimSpace(line[1:]), line[0] == 'R'
	switch {
	case cancel:
		f, err := parseDynamic(spec, remote)
		if err == nil {
			f.Dynamic = line[0] == 'D'
		}
		return f, err
	case line[0] == 'D':
		return parseDynamic(spec, false)
	case remote:
		var o Options
		err := o.addRemote(spec)
		if err != nil {
			return nil, err
		}
		return o.RemoteForwards[0], nil
	}
	return parseForward(spec, false)
}

// addForward adds a forward, unless it is there.
func addForward(all *[]*Forward, spec string, remote bool) error {
	f, err := parseForward(spec, remote)
	if err != nil {
		return err
	}
	add(all, f)
	return nil
}

func add(all *[]*Forward, f *Forward) {
	if !slices.ContainsFunc(*all, func(have *Forward) bool { return have.words() == f.words() }) {
		*all = append(*all, f)
	}
}

// setDynamic is DynamicForward: [bind:]port, or a path.
func setDynamic(o *Options, v []string) error {
	f, err := parseDynamic(v[0], false)
	if err == nil {
		add(&o.DynamicForwards, f)
	}
	return err
}

// parseDynamic reads what -D takes, and -R without a target.
func parseDynamic(spec string, remote bool) (*Forward, error) {
	all, ok := fields(spec)
	f, bad := &Forward{Dynamic: true, Remote: remote},
		fmt.Errorf("%s is not [bind_address:]port", shown(spec))
	switch {
	case !ok || len(all) > 2:
		return nil, bad
	case len(all) == 1 && all[0].path:
		f.Path = all[0].text
	case f.listenOn(all) != nil:
		return nil, bad
	}
	return f, nil
}

// setPermitRemoteOpen is PermitRemoteOpen: any, none, or host:port, where * is any of either.
func setPermitRemoteOpen(o *Options, v []string) error {
	o.PermitRemoteOpen = nil
	switch {
	case len(v) == 1 && oneOf(v[0], "any"):
		return nil
	case len(v) == 1 && oneOf(v[0], "none"):
		o.PermitRemoteOpen = []string{}
		return nil
	}
	for _, address := range v {
		at := strings.LastIndexByte(address, ':')
		if at < 1 {
			return fmt.Errorf("%s is not host:port", shown(address))
		}
		if _, err := parsePort(address[at+1:]); err != nil && address[at+1:] != "*" {
			return err
		}
	}
	o.PermitRemoteOpen = v
	return nil
}

// MayOpen says whether a SOCKS client on the other side may be connected to a target here. Names
// are compared as text.
func (o *Options) MayOpen(to *protocol.Target) bool {
	return o.PermitRemoteOpen == nil ||
		slices.ContainsFunc(o.PermitRemoteOpen, func(permitted string) bool {
			at := strings.LastIndexByte(permitted, ':')
			host, port := strings.Trim(permitted[:at], "[]"), permitted[at+1:]
			return (host == "*" || host == to.Host) &&
				(port == "*" || port == strconv.Itoa(to.Port))
		})
}

// resolveForwards drops what is cleared, and expands paths.
func (p *parser) resolveForwards() (err error) {
	o := p.o
	if o.clearForwardings {
		o.LocalForwards, o.DynamicForwards, o.RemoteForwards = nil, nil, nil
	}
	tokens := p.env.fileTokens(o)
	for _, f := range slices.Concat(o.LocalForwards, o.DynamicForwards, o.RemoteForwards) {
		expand := p.env.expandFile
		if f.Remote {
			expand = p.env.expandText // what ~ is there is not known here
			var path string
			path, err = p.env.expandFile(string(f.Target.Path), tokens)
			f.Target.Path = protocol.Bytes(path)
		}
		if err == nil {
			f.Path, err = expand(f.Path, tokens)
		}
		if err != nil {
			return usage("", "%v", err)
		}
	}
	return nil
}
