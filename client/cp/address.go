package cp

import (
	"net/url"
	"path"
	"runtime"
	"strings"

	"minissh/protocol/files"
)

// Address is one argument of cp.
type Address struct {
	Host string // as minissh takes it: [user@]host, [v6], unix:SOCKET; "": on this machine
	Path string // there, as typed; "" is the home directory there
	Text string // the whole as typed
}

// Remote says whether it is on another machine.
func (a Address) Remote() bool { return a.Host != "" }

// ParseAddress reads one as scp does (scp.c, colon): the first colon ends the host unless a slash
// comes before it, so ./a:b and /a:b are files here; in brackets a host may hold colons.
// scp://[user@]host[:port]/path, minissh:// likewise, and [user@]unix:SOCKET:path, whose SOCKET
// ends at the next colon, are possible too. On Windows one letter and a colon are a drive. port is
// "" unless an address of the form scp:// names one.
func ParseAddress(text string) (a Address, port string) {
	a = Address{Path: text, Text: text}
	for _, scheme := range []string{"scp://", "minissh://"} {
		if rest, ok := strings.CutPrefix(text, scheme); ok {
			if host, path, port, ok := parseURI(rest); ok {
				return Address{Host: host, Path: path, Text: text}, port
			}
		}
	}
	if runtime.GOOS == "windows" && len(text) > 1 && text[1] == ':' {
		return a, ""
	}
	user, rest, _ := strings.Cut(text, "@unix:")
	if strings.HasPrefix(text, "unix:") {
		user, rest = "", text[len("unix:"):]
	}
	if rest != "" && !strings.Contains(user, "/") {
		if socket, path, ok := strings.Cut(rest, ":"); ok && socket != "" {
			return Address{Host: strings.TrimSuffix(text, ":"+path), Path: path, Text: text}, ""
		}
	}
	bracket := strings.HasPrefix(text, "[")
	for i := range len(text) {
		switch {
		case text[i] == '/' && !bracket, i == 0 && text[i] == ':':
			return a, ""
		case text[i] == '@' && strings.HasPrefix(text[i:], "@["):
			bracket = true
		case bracket && strings.HasPrefix(text[i:], "]:"):
			return Address{Host: text[:i+1], Path: text[i+2:], Text: text}, ""
		case text[i] == ':' && !bracket:
			return Address{Host: text[:i], Path: text[i+1:], Text: text}, ""
		}
	}
	return a, ""
}

func parseURI(rest string) (host, path, port string, ok bool) {
	host, path, _ = strings.Cut(rest, "/")
	user := ""
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		user, host = host[:at+1], host[at+1:]
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host, port = host[:i], host[i+1:]
	}
	path, err := url.PathUnescape(path)
	return user + host, path, port, err == nil && host != ""
}

// merges says whether an address means what is in a folder, since it has no name for the folder.
func (a Address) merges() bool {
	return files.Merges(a.Path) || a.Remote() && strings.TrimRight(a.Path, "/") == "~"
}

// there is a path on another machine without what makes no difference: it begins with a slash, or
// in the home directory.
func (a Address) there() string {
	p := a.Path
	if p == "~" || strings.HasPrefix(p, "~/") {
		p = "." + p[1:]
	}
	return path.Clean(p)
}

// itself refuses to copy what is on the target's machine onto or into itself, as far as the names
// show. A folder that is copied into itself would never end.
func (p *Plan) itself(source Address) error {
	if !source.Remote() || source.Host != p.Target.Host {
		return nil
	}
	from, to := source.there(), p.Target.there()
	into := from == "." && !path.IsAbs(to) && to != ".." && !strings.HasPrefix(to, "../") ||
		from == "/" && path.IsAbs(to) || strings.HasPrefix(to, from+"/")
	switch {
	case from == to, path.Dir(from) == to && !source.merges():
		return &UsageError{"source and target are the same file",
			"another name, or another folder, as the target"}
	case p.Recursive && into:
		return &UsageError{"a folder cannot be copied into itself",
			"a target outside of " + source.Text}
	}
	return nil
}
