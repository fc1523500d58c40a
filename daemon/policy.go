package daemon

import (
	"fmt"
	"slices"
	"strings"

	"minissh/daemon/authorized"
	"minissh/daemon/process"
)

// The values of Policy.PermitRoot. sshd's default, prohibit-password, means yes here: there is nothing but keys.
const (
	RootYes    = "yes"
	RootNo     = "no"
	RootForced = "forced-commands-only" // with a key that has command= only
)

// Policy is whom a daemon of root serves, beside what the system says of each account.
type Policy struct {
	Allow      []string // patterns of names with * and ?; none: everybody
	Deny       []string // likewise; wins over Allow
	PermitRoot string   // RootYes if ""; for every account with uid 0
}

// Check finds what is wrong with a policy, and would be understood otherwise than meant: sshd's USER@HOST and !USER are not known here, from=
// does the former.
func (p *Policy) Check() error {
	for option, patterns := range map[string][]string{"--allow-users": p.Allow, "--deny-users": p.Deny} {
		for _, pattern := range patterns {
			if pattern == "" || strings.HasPrefix(pattern, "!") || strings.ContainsAny(pattern, "@,: \t\n") {
				return fmt.Errorf("%s %q: it takes names, with * and ? for many; from= in authorized_keys says from where", option, pattern)
			}
		}
	}
	switch p.PermitRoot {
	case "prohibit-password", "without-password", "":
		p.PermitRoot = RootYes
	case RootYes, RootNo, RootForced:
	default:
		return fmt.Errorf("--permit-root is %s, %s or %s, not %q", RootYes, RootNo, RootForced, p.PermitRoot)
	}
	return nil
}

// refuses says why an account is not served, "" if it is.
func (p *Policy) refuses(acct process.Account) string {
	matches := func(pattern string) bool { return authorized.MatchPattern(acct.Name, pattern) }
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

// refusesKey says why a line of authorized_keys is not enough for an account that is served, "" if it is.
func (p *Policy) refusesKey(acct process.Account, entry *authorized.Entry) string {
	if acct.UID == 0 && p.PermitRoot == RootForced && !entry.HasCommand {
		return "--permit-root is " + RootForced + ", and the key has no command="
	}
	return ""
}

// named are the names in Allow that stand for one account each.
func (p *Policy) named() (names []string) {
	for _, pattern := range p.Allow {
		if !strings.ContainsAny(pattern, "*?") {
			names = append(names, pattern)
		}
	}
	return names
}

// Expand is a file's name for an account: %u stands for its name, %h for its home, %% for % (sshd_config(5), TOKENS). "" is no file: a
// name without %u and %h would be one file for all, and keys count for the account alone that the file belongs to (RULES A7); own says that
// this is the account.
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
