package options

import (
	"net/netip"
	"net/url"
	"strings"
	"unicode"
)

const unixPrefix = "unix:"

// destination reads the host argument. Its forms:
//
//	[user@]host  [user@]::1  [user@][::1]  [user@][host]:port
//	[user@]unix:PATH
//	ssh://[user@]host[:port][/]   minissh://[user@]host[:port][/]
//
// The user ends at the last @ that can be one, as in ssh. A user or port that an
// option gave before wins.
func (p *commandLine) destination(arg string) error {
	for _, scheme := range []string{"ssh://", "minissh://"} {
		if len(arg) >= len(scheme) && strings.EqualFold(arg[:len(scheme)], scheme) {
			return p.uri(arg, arg[len(scheme):])
		}
	}
	host := arg
	if !strings.HasPrefix(arg, unixPrefix) {
		at := strings.Index(arg, "@"+unixPrefix)
		if at < 0 {
			at = strings.LastIndexByte(arg, '@')
		}
		if at >= 0 {
			if err := p.giveUser(arg[:at], arg); err != nil {
				return err
			}
			host = arg[at+1:]
		}
	}
	if strings.HasPrefix(host, unixPrefix) {
		p.o.Alias = host
		return nil
	}
	port := ""
	if strings.HasPrefix(host, "[") {
		inner, after, closed := strings.Cut(host[1:], "]")
		if !closed || after != "" && after[0] != ':' || after == ":" {
			return usage("minissh [::1]:7422 command", "%s is not a host", shown(arg))
		}
		host = inner
		if after != "" {
			port = after[1:]
		}
	} else if name, number, ok := strings.Cut(host, ":"); ok && !strings.Contains(number, ":") {
		advice := "minissh -p " + number + " " + name
		if _, err := parsePort(number); err != nil {
			advice = "minissh host command, with a blank between the two"
		}
		return usage(advice, "%s: the port does not belong to the host", shown(arg))
	}
	return p.giveHost(host, port, arg)
}

// uri reads what follows the scheme (draft-ietf-secsh-scp-sftp-ssh-uri, as ssh
// does): connection parameters after ';' are dropped, a path is an error.
func (p *commandLine) uri(arg, rest string) error {
	bad := usage("minissh minissh://user@host:7422 command", "%s is not an address of a host",
		shown(arg))
	rest = strings.TrimSuffix(rest, "/")
	if strings.Contains(rest, "/") {
		return usage("leave out what follows the host", "%s: an address of a host has no path",
			shown(arg))
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		name, _, _ := strings.Cut(rest[:at], ";")
		name, err := url.PathUnescape(name)
		if err != nil {
			return bad
		}
		if err := p.giveUser(name, arg); err != nil {
			return err
		}
		rest = rest[at+1:]
	}
	host, port := "", ""
	if strings.HasPrefix(rest, "[") {
		inner, after, closed := strings.Cut(rest[1:], "]")
		if !closed || after != "" && after[0] != ':' {
			return bad
		}
		host, port = inner, strings.TrimPrefix(after, ":")
	} else {
		host, port, _ = strings.Cut(rest, ":")
	}
	return p.giveHost(host, port, arg)
}

func (p *commandLine) giveUser(name, arg string) error {
	if name == "" {
		return usage("minissh user@host command", "%s: there is no user before the @", shown(arg))
	}
	return p.setKey("User", name, place{name: "user@host", flag: true})
}

func (p *commandLine) giveHost(host, port, arg string) error {
	if host == "" {
		return usage("minissh [user@]host command", "%s names no host", shown(arg))
	}
	p.o.Alias = host
	if port == "" {
		return nil
	}
	if err := p.setKey("Port", port, place{name: "host:port", flag: true}); err != nil {
		return usage("minissh -p 7422 host command", "%s: %v", shown(arg), err)
	}
	return nil
}

// checkHost refuses what can only be a mistake or an attack. A name that begins with '-' becomes an
// option of another program later, and no host name holds blanks, control characters or characters
// that mean something to a shell (ssh.c's valid_hostname).
func checkHost(host string) error {
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	if strings.HasPrefix(host, "-") || strings.ContainsFunc(host, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar ||
			strings.ContainsRune("'`\"$\\;&<>|(){}", r)
	}) {
		return usage("minissh [user@]host command", "%s is not the name of a host", shown(host))
	}
	return nil
}

// checkUser is the same for user names (ssh.c's valid_ruser). A user name is
// bytes: only ASCII is judged.
func checkUser(name string) error {
	if name == "" || name[0] == '-' || strings.HasSuffix(name, `\`) ||
		strings.ContainsFunc(name, func(r rune) bool {
			return r < ' ' || r == 0x7f || strings.ContainsRune("'`\";&<>|(){}", r)
		}) || strings.Contains(name, " -") {
		return usage("minissh user@host command", "%s is not the name of a user", shown(name))
	}
	return nil
}
