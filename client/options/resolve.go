package options

import (
	"cmp"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"

	"minissh/protocol"
	"minissh/protocol/keys"
)

// resolve fills in defaults and expands ~, % and ${} once everything was read.
func (p *parser) resolve() error {
	o := p.o
	o.UserGiven = p.seen["user"]
	if !o.UserGiven {
		o.User = p.env.User()
	}
	if o.Port == 0 {
		o.Port = protocol.DefaultPort
	}
	orDefault(&o.AddressFamily, "any")
	orDefault(&o.StrictHostKeyChecking, StrictAsk)
	orDefault(&o.RequestTTY, TTYAuto)
	orDefault(&o.SessionType, SessionDefault)
	orDefault(&o.FingerprintHash, "sha256")
	orDefault(&o.SyslogFacility, "USER")
	if !p.seen["loglevel"] {
		o.LogLevel = LevelInfo
	}
	if err := p.resolveHost(); err != nil {
		return err
	}
	if err := p.resolveProxy(); err != nil {
		return err
	}
	if err := p.resolveFiles(); err != nil {
		return err
	}
	if err := p.resolveForwards(); err != nil {
		return err
	}
	if err := p.resolvePrograms(); err != nil {
		return err
	}
	if err := p.resolveAgent(); err != nil {
		return err
	}
	return p.resolveLentAgent()
}

func orDefault[T ~string](field *T, value T) {
	if *field == "" {
		*field = value
	}
}

// hostName is the host as typed, or HostName with %h, as it is dialled: names in lower case,
// addresses in their shortest form.
func (p *parser) hostName() (string, error) {
	o := p.o
	name := cmp.Or(o.HostName, o.Alias)
	// fe80::1%eth0 holds no token
	if _, err := netip.ParseAddr(name); err != nil && o.HostName != "" && !p.named {
		known := map[byte]string{'%': "%", 'h': o.Alias}
		if name, err = expandTokens(name, func(letter byte) (string, bool) {
			value, ok := known[letter]
			return value, ok
		}); err != nil {
			return "", usage("", "HostName: %v", err)
		}
	}
	if strings.HasPrefix(name, unixPrefix) {
		return name, nil
	}
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr.String(), nil
	}
	return strings.ToLower(name), nil
}

// resolveHost finds what to dial, which may be a Unix socket too.
func (p *parser) resolveHost() error {
	o := p.o
	name, err := p.hostName()
	if err != nil {
		return err
	}
	path, ok := strings.CutPrefix(name, unixPrefix)
	if !ok {
		o.HostName = name
		return nil
	}
	if path, err = p.env.expandHome(path); err != nil {
		return usage("", "%v", err)
	}
	if path == "" || strings.IndexByte(path, 0) >= 0 {
		return usage("minissh unix:/path/of/socket command", "%s names no socket", shown(name))
	}
	o.Socket, o.HostName = path, ""
	return nil
}

// resolveFiles expands the names of files, and adds the default ones if none was named.
func (p *parser) resolveFiles() error {
	o, env := p.o, p.env
	tokens := env.fileTokens(o)
	var err error
	if o.IdentityFiles, err = env.expandFiles("IdentityFile", o.IdentityFiles, tokens); err != nil {
		return err
	}
	if o.CertificateFiles, err = env.expandFiles("CertificateFile", o.CertificateFiles,
		tokens); err != nil {
		return err
	}
	if !p.seen["identityfile"] && env.Home != "" {
		o.DefaultIdentityFiles = keys.DefaultFiles(env.Home)
	}
	if o.RevokedHostKeys, err = env.expandHome(o.RevokedHostKeys); err != nil {
		return usage("", "RevokedHostKeys: %v", err)
	}
	if o.RemoteCommand, err = expandTokens(o.RemoteCommand, tokens); err != nil {
		return usage("", "RemoteCommand: %v", err)
	}
	if o.UserKnownHostsFiles, err = env.expandFiles("UserKnownHostsFile", o.UserKnownHostsFiles,
		tokens); err != nil {
		return err
	}
	if !p.seen["userknownhostsfile"] && env.Home != "" {
		o.UserKnownHostsFiles = []string{env.inHome(".ssh", "known_hosts"),
			env.inHome(".ssh", "known_hosts2")}
	}
	if o.GlobalKnownHostsFiles, err = env.expandFiles("GlobalKnownHostsFile",
		o.GlobalKnownHostsFiles, tokens); err != nil {
		return err
	}
	if !p.seen["globalknownhostsfile"] {
		o.GlobalKnownHostsFiles = []string{"/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"}
	}
	return nil
}

// expandFiles expands each name, drops "none", and keeps the first of equal ones.
func (env *Environment) expandFiles(key string, names []string, tokens tokens) ([]string, error) {
	var files []string
	seen := make(map[string]bool)
	for _, name := range names {
		if strings.EqualFold(name, "none") {
			continue
		}
		path, err := env.expandFile(name, tokens)
		if err != nil {
			return nil, usage("", "%s: %v", key, err)
		}
		if !seen[path] {
			files = append(files, path)
		}
		seen[path] = true
	}
	return files, nil
}

// expandFile expands % and ${} before ~, so that a percent sign in the name of the home directory
// is not expanded.
func (env *Environment) expandFile(name string, tokens tokens) (string, error) {
	path, err := env.expandText(name, tokens)
	if err == nil && strings.HasPrefix(name, "~") {
		path, err = env.expandHome(path)
	}
	return path, err
}

// expandText expands % and ${}.
func (env *Environment) expandText(text string, tokens tokens) (string, error) {
	text, err := expandTokens(text, tokens)
	if err != nil {
		return "", err
	}
	return env.expandVariables(text)
}

// resolveAgent finds the agent's socket: SSH_AUTH_SOCK, unless IdentityAgent
// says none, another variable ($NAME), or a path.
func (p *parser) resolveAgent() error {
	o, env := p.o, p.env
	agent := o.IdentityAgent
	switch {
	case strings.EqualFold(agent, "none"):
		o.IdentityAgent = ""
	case agent == "" || agent == "SSH_AUTH_SOCK":
		o.IdentityAgent, _ = env.Getenv("SSH_AUTH_SOCK")
	case agent[0] == '$' && !strings.HasPrefix(agent, "${"):
		o.IdentityAgent, _ = env.Getenv(agent[1:])
	default:
		path, err := env.expandFile(agent, env.fileTokens(o))
		if err != nil {
			return usage("", "IdentityAgent: %v", err)
		}
		o.IdentityAgent = filepath.Clean(path)
	}
	return nil
}

// resolveLentAgent finds the socket that ForwardAgent names: that of IdentityAgent, a variable's
// ($NAME), or a path.
func (p *parser) resolveLentAgent() error {
	o, env := p.o, p.env
	switch lent := o.forwardAgent; {
	case lent == "", strings.EqualFold(lent, "no"), strings.EqualFold(lent, "false"):
		o.forwardAgent = "no"
	case strings.EqualFold(lent, "yes"), strings.EqualFold(lent, "true"):
		o.forwardAgent, o.LentAgent = "yes", o.IdentityAgent
	case lent[0] == '$' && !strings.HasPrefix(lent, "${"):
		o.LentAgent, _ = env.Getenv(lent[1:])
	default:
		path, err := env.expandFile(lent, env.fileTokens(o))
		if err != nil {
			return usage("", "ForwardAgent: %v", err)
		}
		o.LentAgent = filepath.Clean(path)
	}
	if o.LentAgent == "" && o.forwardAgent != "no" {
		o.Notes = append(o.Notes, "there is no agent to lend (ForwardAgent "+
			protocol.Quote(o.forwardAgent)+")")
	}
	return nil
}

// check refuses combinations that make no sense, as ssh does before it connects.
func (p *parser) check() error {
	o := p.o
	if o.Socket == "" {
		if err := checkHost(o.Alias); err != nil {
			return err
		}
		if err := checkHost(o.HostName); err != nil {
			return err
		}
	}
	if o.UserGiven {
		if err := checkUser(o.User); err != nil {
			return err
		}
	}
	line := o.CommandLine()
	switch {
	case o.Syslog && o.LogFile != "":
		return usage("leave out one of them", "-y and -E do not go together")
	case o.Exec && len(o.Command) == 0:
		return usage("minissh --exec host program argument…",
			"--exec needs a program and its arguments")
	case o.Exec && o.SessionType == SessionSubsystem:
		return usage("leave out one of them", "--exec and -s do not go together")
	case len(o.Command) > 0 && o.RemoteCommand != "":
		return usage("minissh -o RemoteCommand=none host command",
			"there is a command here and a RemoteCommand in the configuration")
	case o.SessionType == SessionSubsystem && line == "":
		return usage("minissh -s host sftp",
			"-s needs the name of a subsystem")
	case o.ForkAfterAuthentication && line == "" && o.SessionType != SessionNone:
		return usage("minissh -f host command",
			"Cannot fork into background without a command to execute.")
	}
	return nil
}

// KnownHostsName is the host's name in known_hosts, and the port: HostKeyAlias, which may have the
// form [name]:port, as with ssh; else the name that is dialled.
func (o *Options) KnownHostsName() (host string, port int) {
	if o.HostKeyAlias != "" {
		if strings.HasPrefix(o.HostKeyAlias, "[") { // [name]:port, as it is in the file
			name, digits, err := net.SplitHostPort(o.HostKeyAlias)
			if port, wrong := strconv.ParseUint(digits, 10, 16); err == nil && wrong == nil {
				return name, int(port)
			}
		}
		return o.HostKeyAlias, 22
	}
	return o.HostName, o.Port
}
