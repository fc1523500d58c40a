package options

import (
	"fmt"
	"strconv"
	"strings"

	"minissh/protocol"
)

// Jump is a host on the way to the one that is meant (ProxyJump, -J).
type Jump struct {
	User string // empty: what the configuration says of that host
	Host string
	Port int  // 0: what the configuration says
	SSH  bool // ssh://: ssh and its sshd carry the connection there
	text string
}

// parseJumps reads the value of ProxyJump: hops with commas between, as [user@]host[:port],
// minissh://… or ssh://…; nil for none.
func parseJumps(value string) (jumps []Jump, err error) {
	value, _, _ = strings.Cut(value, "#")
	value = strings.TrimRight(value, blanks)
	if oneOf(value, "none") {
		return nil, nil
	}
	for text := range strings.SplitSeq(value, ",") {
		j, err := parseJump(text)
		if err != nil {
			return nil, err
		}
		if before := len(jumps) - 1; j.SSH && before >= 0 && !jumps[before].SSH {
			return nil, fmt.Errorf("%s cannot come after %s: ssh does not know hops of minissh's; "+
				"hops with ssh:// go first", shown(text), shown(jumps[before].text))
		}
		jumps = append(jumps, j)
	}
	return jumps, nil
}

func parseJump(text string) (j Jump, err error) {
	j.text = text
	bad := fmt.Errorf("%s is not a host to go through (like user@host:7422)", shown(text))
	rest, uri := text, false
	for _, scheme := range []string{"ssh://", "minissh://"} {
		if len(text) >= len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
			rest, uri, j.SSH = strings.TrimSuffix(text[len(scheme):], "/"), true, scheme[0] == 's'
		}
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		j.User, rest = rest[:at], rest[at+1:]
		if uri {
			j.User, _, _ = strings.Cut(j.User, ";") // connection parameters, as in destination
		}
		if checkUser(j.User) != nil {
			return j, bad
		}
	}
	port := ""
	if inner, ok := strings.CutPrefix(rest, "["); ok {
		host, after, closed := strings.Cut(inner, "]")
		if !closed || after != "" && after[0] != ':' {
			return j, bad
		}
		j.Host, port = host, strings.TrimPrefix(after, ":")
	} else {
		j.Host, port, _ = strings.Cut(rest, ":")
	}
	if j.Host == "" || strings.Contains(j.Host, "/") || checkHost(j.Host) != nil {
		return j, bad
	}
	if port != "" {
		if j.Port, err = parsePort(port); err != nil {
			return j, err
		}
	}
	return j, nil
}

// String is the hop as ssh -G prints it.
func (j *Jump) String() string {
	var out strings.Builder
	if j.SSH {
		out.WriteString("ssh://")
	}
	if j.User != "" {
		out.WriteString(j.User + "@")
	}
	// ssh puts what looks like an address into brackets
	if strings.Contains(j.Host, ":") || strings.Trim(j.Host, "0123456789.") == "" {
		out.WriteString("[" + j.Host + "]")
	} else {
		out.WriteString(j.Host)
	}
	if j.Port > 0 {
		out.WriteString(":" + strconv.Itoa(j.Port))
	}
	return out.String()
}

// lastJump is the host that the connection to the one that is meant is made from; "": this one.
func (o *Options) lastJump() string {
	if len(o.Jumps) == 0 {
		return ""
	}
	return o.Jumps[len(o.Jumps)-1].Host
}

// Proxied says whether a program makes the connection: ProxyCommand or ProxyJump.
func (o *Options) Proxied() bool { return o.ProxyCommand != "" || len(o.Jumps) > 0 }

// JumpCommand is what makes the connection through the hops: this program, or ssh for a hop with
// ssh://, with -W on the last of them, which goes through the others by itself (ssh.c, "Setting
// implicit ProxyCommand from ProxyJump"). Each hop has its own configuration; it shares the file of
// -F, -v, -q, and that nobody is asked.
func (o *Options) JumpCommand(self string) []string {
	last := &o.Jumps[len(o.Jumps)-1]
	argv := []string{self}
	if last.SSH {
		argv[0] = "ssh"
	}
	if last.User != "" {
		argv = append(argv, "-l", last.User)
	}
	if last.Port > 0 {
		argv = append(argv, "-p", strconv.Itoa(last.Port))
	}
	var before []string
	for i := range o.Jumps[:len(o.Jumps)-1] {
		before = append(before, o.Jumps[i].String())
	}
	if len(before) > 0 {
		argv = append(argv, "-J", strings.Join(before, ","))
	}
	if o.configFile != "" {
		argv = append(argv, "-F", o.configFile)
	}
	if o.loudness != "" {
		argv = append(argv, o.loudness)
	}
	if o.BatchMode {
		argv = append(argv, "-oBatchMode=yes")
	}
	return append(argv, "-W", fmt.Sprintf("[%s]:%d", o.HostName, o.Port), last.Host)
}

// setJump is -J, which ssh takes once and not after ProxyCommand.
func (p *commandLine) setJump(arg string) error {
	switch {
	case p.o.ProxyCommand != "" || p.seen["proxy"] && len(p.o.Jumps) == 0:
		return usage("leave out one of them", "-J and ProxyCommand do not go together")
	case p.seen["proxyjump"]:
		return usage("-J first,second goes through several", "there is more than one -J")
	}
	if err := p.setKey("ProxyJump", arg, place{name: "-J", flag: true}); err != nil {
		return usage("minissh -J [user@]host[:port] host command", "-J %v", err)
	}
	return nil
}

// resolveProxy expands what makes the connection, and says why that cannot be.
func (p *parser) resolveProxy() error {
	o := p.o
	known := p.env.fileTokens(o)
	tokens := func(letter byte) (string, bool) {
		if strings.IndexByte("%hknpr", letter) < 0 {
			return "", false
		}
		return known(letter)
	}
	var err error
	if oneOf(o.ProxyCommand, "none") {
		o.ProxyCommand = ""
	}
	o.proxyAsGiven = o.ProxyCommand
	if o.ProxyCommand, err = expandTokens(o.ProxyCommand, tokens); err != nil {
		return usage("", "ProxyCommand: %v", err)
	}
	for i := range o.Jumps {
		text, err := expandTokens(o.Jumps[i].text, tokens)
		if err == nil {
			o.Jumps[i], err = parseJump(text)
		}
		if err != nil {
			return usage("", "ProxyJump: %v", err)
		}
	}
	if !o.Proxied() {
		return nil
	}
	if o.Socket != "" {
		return usage("-o ProxyJump=none -o ProxyCommand=none goes on without it",
			"%s is a socket of this machine, and there is a ProxyJump or ProxyCommand", o.Alias)
	}
	if len(o.Jumps) == 0 {
		return nil
	}
	last := &o.Jumps[len(o.Jumps)-1]
	if !last.SSH && (strings.EqualFold(last.Host, o.HostName) ||
		strings.EqualFold(last.Host, o.Alias)) && (last.Port == o.Port || last.Port == 0 &&
		o.Port == protocol.DefaultPort) && (last.User == "" || last.User == o.User) {
		return usage("ProxyJump none for this host, above, takes it out", "the way to %s goes "+
			"through itself: jumphost loop", shown(o.Alias))
	}
	return nil
}
