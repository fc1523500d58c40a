package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/urfave/cli/v2"

	"minissh/daemon/access"
	"minissh/daemon/authorized"
	"minissh/daemon/service"
	"minissh/protocol"
)

// readPermits is what clients may do in their sessions.
func readPermits(c *cli.Context) (p access.Permits, err error) {
	for _, name := range []string{"allow-agent-forwarding", "permit-tty", "permit-user-rc",
		"print-motd", "print-last-login"} {
		if how := c.String(name); how != "yes" && how != "no" {
			return p, fmt.Errorf("--%s is yes or no, not %s", name, protocol.Quote(how))
		}
	}
	p.NoTTY = c.String("permit-tty") == "no"
	p.NoMotd, p.NoLastLogin = c.String("print-motd") == "no", c.String("print-last-login") == "no"
	p.NoUserRC, p.UserEnvironment = c.String("permit-user-rc") == "no",
		c.Bool("permit-user-environment")
	if err := readForwarding(c, &p); err != nil {
		return p, err
	}
	if p.Subsystems, err = readSubsystems(c.StringSlice("subsystem")); err != nil {
		return p, err
	}
	if p.ForceCommand = c.String("force-command"); p.ForceCommand == "none" {
		p.ForceCommand = ""
	}
	if p.Chroot = c.String("chroot-directory"); p.Chroot == "none" {
		p.Chroot = ""
	}
	if p.Chroot != "" {
		if err := access.CheckRoot(p.Chroot); err != nil {
			return p, fmt.Errorf("--chroot-directory %s: %w", protocol.Quote(p.Chroot), err)
		}
	}
	readOnly, built, err := service.InternalSFTP(p.ForceCommand)
	if err != nil {
		return p, fmt.Errorf("--force-command: %w", err)
	}
	p.CopiesFiles = built && !readOnly
	if p.AcceptEnv, err = readList(c, "accept-env", checkPattern); err != nil {
		return p, err
	}
	for _, pair := range c.StringSlice("set-env") {
		name, _, ok := strings.Cut(pair, "=")
		if !ok || !isName(name) || strings.IndexByte(pair, 0) >= 0 {
			return p, fmt.Errorf("--set-env is NAME=VALUE, not %s", protocol.Quote(pair))
		}
		if !slices.ContainsFunc(p.SetEnv, func(other string) bool { // the first one counts
			return strings.HasPrefix(other, name+"=")
		}) {
			p.SetEnv = append(p.SetEnv, pair)
		}
	}
	return p, nil
}

// readForwarding is what may be forwarded.
func readForwarding(c *cli.Context, p *access.Permits) (err error) {
	switch p.Forwarding = c.String("allow-forwarding"); p.Forwarding {
	case service.ForwardYes, service.ForwardNo, service.ForwardLocal, service.ForwardRemote:
	default:
		return fmt.Errorf("--allow-forwarding is yes, no, local or remote, not %s",
			protocol.Quote(p.Forwarding))
	}
	switch p.GatewayPorts = c.String("gateway-ports"); p.GatewayPorts {
	case service.GatewayNo, service.GatewayYes, service.GatewayClient:
	default:
		return fmt.Errorf("--gateway-ports is no, yes or clientspecified, not %s",
			protocol.Quote(p.GatewayPorts))
	}
	p.NoAgents = c.String("allow-agent-forwarding") == "no"
	p.NamesForwarding = c.IsSet("allow-forwarding")
	p.NamesAgents = c.IsSet("allow-agent-forwarding")
	if c.Bool("disable-forwarding") {
		p.Forwarding, p.NoAgents = service.ForwardNo, true
	}
	if p.PermitOpen, err = readList(c, "permit-open", func(value string) error {
		return authorized.CheckDestination(value, false)
	}); err != nil {
		return err
	}
	p.PermitListen, err = readList(c, "permit-listen", func(value string) error {
		return authorized.CheckDestination(value, true)
	})
	return err
}

// readList reads a list that may be any, which is nil, or none, which is empty.
func readList(c *cli.Context, name string, check func(string) error) ([]string, error) {
	values := words(c.StringSlice(name))
	switch {
	case len(values) == 0, len(values) == 1 && values[0] == "any" && name != "accept-env":
		return nil, nil
	case len(values) == 1 && values[0] == "none":
		return []string{}, nil
	}
	for _, value := range values {
		err := check(value)
		if value == "any" || value == "none" {
			err = fmt.Errorf("it is the only value, or not there")
		}
		if err != nil {
			return nil, fmt.Errorf("--%s %s: %w", name, protocol.Quote(value), err)
		}
	}
	return values, nil
}

// checkPattern refuses what sshd's AcceptEnv does, and what could not be a pattern of a name.
func checkPattern(pattern string) error {
	if strings.ContainsAny(pattern, "=!") {
		return fmt.Errorf("it is a name, with * and ? for many")
	}
	return nil
}

// isName says whether a variable of the environment may be called so.
func isName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
	})
}

// readSubsystems is what --subsystem adds to the daemon's own subsystems, or takes away.
func readSubsystems(given []string) (map[string]string, error) {
	all, seen := service.DefaultSubsystems(), map[string]bool{}
	for _, one := range given {
		name, command, _ := strings.Cut(one, "=")
		switch {
		case command == "" || name == "" || strings.ContainsFunc(name, unicode.IsSpace):
			return nil, fmt.Errorf("--subsystem is NAME=COMMAND, not %s", protocol.Quote(one))
		case seen[name]:
			return nil, fmt.Errorf("--subsystem %s is given twice", protocol.Quote(name))
		}
		if seen[name] = true; command == "none" {
			command = ""
		}
		all[name] = command
	}
	return all, nil
}
