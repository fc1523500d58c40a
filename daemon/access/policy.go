package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"minissh/daemon/authorized"
	"minissh/daemon/logbook"
	"minissh/daemon/process"
	"minissh/protocol/wildcard"
)

// The values of Policy.PermitRoot. sshd's default, prohibit-password, means yes here.
const (
	RootYes    = "yes"
	RootNo     = "no"
	RootForced = "forced-commands-only" // with a key that has command= only
)

// Policy is whom root's daemon serves, besides what the system says about each account.
type Policy struct {
	Allow       []string // patterns of names with * and ?; none: everybody
	Deny        []string // likewise; wins over Allow
	AllowGroups []string // patterns of names of groups; none: everybody
	DenyGroups  []string // likewise; wins over AllowGroups
	PermitRoot  string   // RootYes if ""; for every account with uid 0
	// PAM is asked about every login, which is not done here: so which accounts are locked or
	// expired is left to it
	PAM bool
}

// Check finds what is wrong with a policy, and would be misunderstood: sshd's USER@HOST and !USER
// do not exist here; from= does the former.
func (p *Policy) Check() error {
	users := map[string][]string{"--allow-users": p.Allow, "--deny-users": p.Deny}
	for option, patterns := range users {
		for _, s := range patterns {
			if s == "" || strings.HasPrefix(s, "!") || strings.ContainsAny(s, "@,: \t\n") {
				return fmt.Errorf("%s %q: it takes names, with * and ? for many; from= in "+
					"authorized_keys says from where", option, s)
			}
		}
	}
	groups := map[string][]string{"--allow-groups": p.AllowGroups, "--deny-groups": p.DenyGroups}
	for option, patterns := range groups {
		for _, s := range patterns {
			if s == "" || strings.HasPrefix(s, "!") || strings.ContainsAny(s, ",: \t\n") {
				return fmt.Errorf("%s %q: it takes names of groups, with * and ? for many", option,
					s)
			}
		}
	}
	switch p.PermitRoot {
	case "prohibit-password", "without-password", "":
		p.PermitRoot = RootYes
	case RootYes, RootNo, RootForced:
	default:
		return fmt.Errorf("--permit-root is %s, %s or %s, not %q", RootYes, RootNo, RootForced,
			p.PermitRoot)
	}
	return nil
}

// refuses says why an account is not served, in the order of sshd_config(5); nil if it is. It is
// Revoked unless nobody can tell for now which groups the account is in.
func (p *Policy) refuses(ctx context.Context, acct process.Account) error {
	if why := p.refusesName(acct); why != "" {
		return Revoked{Err: errors.New(why)}
	}
	if len(p.DenyGroups) == 0 && len(p.AllowGroups) == 0 {
		return nil
	}
	groups, err := process.GroupNames(ctx, acct)
	if err != nil {
		return fmt.Errorf("nobody can tell which groups it is in: %w", err)
	}
	if why := p.refusesGroups(groups); why != "" {
		return Revoked{Err: errors.New(why)}
	}
	return nil
}

// refusesName says why an account is not served, whatever its groups; "" if it may be.
func (p *Policy) refusesName(acct process.Account) string {
	matches := func(pattern string) bool { return wildcard.Match(acct.Name, pattern) }
	switch {
	case slices.ContainsFunc(p.Deny, matches):
		return "it is in --deny-users"
	case len(p.Allow) > 0 && !slices.ContainsFunc(p.Allow, matches):
		return "it is not in --allow-users"
	case acct.UID == 0 && p.PermitRoot == RootNo:
		return "--permit-root is no"
	}
	return ""
}

// refusesGroups says why an account in these groups is not served, "" if it is.
func (p *Policy) refusesGroups(groups []string) string {
	in := func(patterns []string) string {
		for _, pattern := range patterns {
			for _, group := range groups {
				if wildcard.Match(group, pattern) {
					return group
				}
			}
		}
		return ""
	}
	if group := in(p.DenyGroups); group != "" {
		return "its group " + logbook.Name(group) + " is in --deny-groups"
	}
	if len(p.AllowGroups) > 0 && in(p.AllowGroups) == "" {
		return "none of its groups is in --allow-groups"
	}
	return ""
}

// refusesKey says why a line of authorized_keys is not enough for an account, "" if it is.
func (p *Policy) refusesKey(acct process.Account, entry *authorized.Entry) string {
	if acct.UID == 0 && p.PermitRoot == RootForced && !entry.HasCommand {
		return "--permit-root is " + RootForced + ", and the key has no command="
	}
	return ""
}

// named are the names in Allow that are not patterns.
func (p *Policy) named() (names []string) {
	for _, pattern := range p.Allow {
		if !strings.ContainsAny(pattern, "*?") {
			names = append(names, pattern)
		}
	}
	return names
}

// Expand is a file's name for an account: %u is its name, %h its home, %% a % (sshd_config(5),
// TOKENS). A name without %u and %h would be one file for all: it counts only for the daemon's own
// account (RULES A7), and is "" for others.
func Expand(template string, acct process.Account, own bool) (string, error) {
	var b strings.Builder
	theirs := false
	for i := 0; i < len(template); i++ {
		if template[i] != '%' {
			b.WriteByte(template[i])
			continue
		}
		i++
		switch {
		case i < len(template) && template[i] == '%':
			b.WriteByte('%')
		case i < len(template) && template[i] == 'u':
			b.WriteString(acct.Name)
			theirs = true
		case i < len(template) && template[i] == 'h':
			b.WriteString(acct.Home)
			theirs = true
		default:
			return "", fmt.Errorf("--authorized-keys %q: it takes %%h, %%u and %%%% only", template)
		}
	}
	if !theirs && !own {
		return "", nil
	}
	return b.String(), nil
}
