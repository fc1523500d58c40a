package access

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"minissh/daemon/authorized"
	"minissh/daemon/process"
	"minissh/protocol"
)

// A setting takes away what a key's line may allow, and gives nothing back.

// under is what a client may do in a channel where these permits hold. ForceCommand counts before
// a key's command=, as in sshd.
func (g *Grant) under(p *Permits) *Grant {
	now := *g
	now.permits = p
	if p.ForceCommand != "" {
		now.Forced, now.Command = true, p.ForceCommand
	}
	return &now
}

// ClosedError is what a setting takes away. Its text may be told to the client.
type ClosedError struct{ Service, Setting string }

func (e *ClosedError) Error() string {
	return fmt.Sprintf("this login may not use %s (%s in the daemon's settings)", e.Service,
		e.Setting)
}

// settingsAllow says whether the settings leave a service open. With force-command a login may do
// what a key with command= may (authorized.Restrictions), and what the settings name.
func (g *Grant) settingsAllow(service authorized.Service) error {
	p := g.permits
	switch {
	case p == nil:
		return nil
	case p.Chroot != "" && slices.Contains(outside, service.Name):
		return &ClosedError{"the service " + service.Name, "chroot-directory"}
	case p.NoTTY && service.Name == authorized.PTY.Name:
		return &ClosedError{"a terminal", "permit-tty"}
	case p.ForceCommand == "", service.Name == authorized.Files.Name && p.CopiesFiles:
		return nil
	}
	forced := authorized.Restrictions{HasCommand: true, NamesPortForwarding: p.NamesForwarding,
		NamesAgentForwarding: p.NamesAgents}
	if g.line != nil {
		forced.NamesPortForwarding = forced.NamesPortForwarding || g.line.NamesPortForwarding
		forced.NamesAgentForwarding = forced.NamesAgentForwarding || g.line.NamesAgentForwarding
	}
	if forced.Allows(service) != nil {
		return &ClosedError{"the service " + service.Name, "force-command"}
	}
	return nil
}

// outside are the services that use files outside of a directory that a login is confined to: the
// folders of jobs, an agent's socket, the pipes of a shell that is told its lines.
var outside = []string{authorized.Job.Name, authorized.Agent.Name, authorized.Lines.Name}

// nowhere is a Root that is refused: nothing starts.
const nowhere = "."

// confined is an account confined to the directory that Chroot names.
func (p *Permits) confined(acct process.Account) process.Account {
	as := process.Credential{UID: nobody.UID, GID: nobody.GID, Root: nowhere}
	if acct.Credential != nil {
		as = *acct.Credential
		as.Root = nowhere
		if root, err := Expand(p.Chroot, acct, true); err == nil && root != "" {
			as.Root = root
		}
	}
	acct.Credential = &as
	return acct
}

// settingsSocket says whether a Unix socket may be used: not outside of where a login is confined
// to.
func (g *Grant) settingsSocket(target *protocol.Target) error {
	if g.permits != nil && g.permits.Chroot != "" && len(target.Path) > 0 {
		return &ClosedError{"Unix sockets", "chroot-directory"}
	}
	return nil
}

// CheckRoot says what is wrong with a value of chroot-directory.
func CheckRoot(value string) error {
	acct := process.Account{Name: "u", Home: "/h"}
	path, err := Expand(value, acct, true)
	switch {
	case err != nil:
		return errors.New("it takes %h, %u and %% only")
	case !filepath.IsAbs(path) || filepath.Clean(path) != path:
		return errors.New("it is a whole path, from / on, without . and .. in it")
	}
	return nil
}

// settingsConnect says whether permit-open names a target.
func (g *Grant) settingsConnect(target *protocol.Target) error {
	if err := g.settingsSocket(target); err != nil {
		return err
	}
	if g.permits == nil || g.permits.PermitOpen == nil {
		return nil
	}
	may := authorized.Restrictions{PermitOpen: g.permits.PermitOpen}
	if may.MayOpen(target.Host, target.Port) != nil {
		return &ClosedError{"this target", "permit-open"}
	}
	return nil
}

// settingsListen says whether permit-listen names an address.
func (g *Grant) settingsListen(on *protocol.Target) error {
	if err := g.settingsSocket(on); err != nil {
		return err
	}
	if g.permits == nil || g.permits.PermitListen == nil {
		return nil
	}
	may := authorized.Restrictions{PermitListen: g.permits.PermitListen}
	if may.MayListen(on.Host, on.Port, len(on.Path) > 0) != nil {
		return &ClosedError{"this address", "permit-listen"}
	}
	return nil
}
