package completion

import (
	"slices"
	"strings"

	"minissh/client/knownhosts"
	"minissh/client/options"
)

// IsHost says whether the user's configuration files or known_hosts name a host so.
func IsHost(env *options.Environment, name string) bool {
	if slices.Contains(env.ConfiguredHosts(), name) {
		return true
	}
	o, err := env.Parse([]string{"-F", "none", name})
	return err == nil && knownhosts.Open(slices.Concat(o.UserKnownHostsFiles,
		o.GlobalKnownHostsFiles)...).Knows(name, o.Port)
}

// Hosts are the names in the user's configuration files and known_hosts that are not hashed, each
// once, in order. Names with characters that have a meaning in a shell are left out: whoever writes
// into known_hosts must not write into command lines.
func Hosts(env *options.Environment) []string {
	names := env.ConfiguredHosts()
	if o, err := env.Parse([]string{"-F", "none", "host"}); err == nil {
		names = append(names,
			knownhosts.Open(slices.Concat(o.UserKnownHostsFiles,
				o.GlobalKnownHostsFiles)...).Names()...)
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return name == "" || name[0] == '-' || strings.ContainsFunc(name, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
				strings.ContainsRune(".-_:%", r))
		})
	})
	slices.Sort(names)
	return slices.Compact(names)
}
