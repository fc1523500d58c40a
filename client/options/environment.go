package options

import (
	"cmp"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"minissh/protocol/names"
)

// Environment is what Parse takes from its surroundings; tests provide their own.
type Environment struct {
	Home string // the user's directory; "" if there is none
	// the user's login name; asked for only if needed, since that reads the system's files
	User     func() string
	UID      int    // -1 if there is none
	Hostname string // this machine's name
	// SystemConfig is ssh's configuration for all users of this machine; "" if there is none.
	SystemConfig string
	// Getenv reads a variable; ok is false when it is not set.
	Getenv func(name string) (value string, ok bool)
	// Addresses are those of this machine's interfaces that are up; nil: none.
	Addresses func() []netip.Addr
	// Lookup says whether a host's name has an address of the family ("any", "inet", "inet6"), and
	// with wantAlias what it is an alias of; nil: no name has.
	Lookup func(family, name string, wantAlias bool) (alias string, found bool)
}

// CurrentEnvironment describes this process.
func CurrentEnvironment() *Environment {
	env := &Environment{UID: os.Getuid(), User: sync.OnceValue(currentUser), Getenv: os.LookupEnv,
		Addresses: localAddresses, Lookup: lookup}
	env.Hostname, _ = os.Hostname()
	if runtime.GOOS != "windows" {
		env.SystemConfig = "/etc/ssh/ssh_config"
	}
	if env.Home, _ = os.UserHomeDir(); env.Home == "" {
		if u, err := user.Current(); err == nil {
			env.Home = u.HomeDir
		}
	}
	return env
}

// localAddresses are the addresses of interfaces that are up.
func localAddresses() (all []netip.Addr) {
	interfaces, _ := net.Interfaces()
	for _, i := range interfaces {
		has, err := i.Addrs()
		if i.Flags&net.FlagUp == 0 || err != nil {
			continue
		}
		for _, a := range has {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil {
				all = append(all, prefix.Addr())
			}
		}
	}
	return all
}

// lookupTime is the most that one question about a host's name may take.
const lookupTime = 20 * time.Second

// lookup is Environment.Lookup for this machine.
func lookup(family, name string, wantAlias bool) (alias string, found bool) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	network := map[string]string{"inet": "tcp4", "inet6": "tcp6"}[family]
	if _, err := names.Lookup(ctx, cmp.Or(network, "tcp"), name); err != nil {
		return "", false
	}
	if wantAlias {
		alias = names.Alias(ctx, name)
	}
	return alias, true
}

// StateFile is where minissh keeps a file for the next time; see StateFileOf.
func StateFile(name string) string { return StateFileOf("minissh", name) }

// StateFileOf is where a program keeps a file for the next time: in a directory of its name in
// $XDG_STATE_HOME, by default in ~/.local/state; "" when there is no home directory. The variable
// has to be a whole path to count (XDG Base Directory Specification).
func StateFileOf(program, name string) string {
	dir := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, program, name)
}

// currentUser is the login name of whoever runs this process.
func currentUser() string {
	name := ""
	if u, err := user.Current(); err == nil {
		name = u.Username
	} else if name = os.Getenv("USER"); name == "" {
		name = os.Getenv("USERNAME")
	}
	if i := strings.LastIndexByte(name, '\\'); i >= 0 && runtime.GOOS == "windows" {
		name = name[i+1:] // DOMAIN\name
	}
	return name
}

// expandHome replaces a leading ~ or ~name.
func (env *Environment) expandHome(path string) (string, error) {
	if !strings.HasPrefix(path, "~") {
		return path, nil
	}
	end := strings.IndexFunc(path,
		func(r rune) bool { return r < 0x80 && os.IsPathSeparator(uint8(r)) })
	if end < 0 {
		end = len(path)
	}
	home, name := env.Home, path[1:end]
	if name != "" {
		u, err := user.Lookup(name)
		if err != nil {
			return "", fmt.Errorf("%s: there is no user %s", shown(path), shown(name))
		}
		home = u.HomeDir
	}
	if home == "" {
		return "", fmt.Errorf("%s: no home directory is known", shown(path))
	}
	return home + path[end:], nil
}

// inHome joins names below the home directory; "" when there is none.
func (env *Environment) inHome(names ...string) string {
	if env.Home == "" {
		return ""
	}
	return filepath.Join(append([]string{env.Home}, names...)...)
}

// expandVariables replaces ${NAME}; an unset variable is an error, as in ssh.
func (env *Environment) expandVariables(s string) (string, error) {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(s, "${")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed || name == "" {
			return "", fmt.Errorf("${ without a name and }")
		}
		value, ok := env.Getenv(name)
		if !ok {
			return "", fmt.Errorf("the environment variable %s is not set", shown(name))
		}
		out.WriteString(value)
		s = rest
	}
}

// tokens returns what % and a letter stand for; false: nothing.
type tokens func(letter byte) (string, bool)

// expandTokens replaces % and a letter by their meaning (ssh_config(5), TOKENS).
func expandTokens(s string, tokens tokens) (string, error) {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			out.WriteByte(s[i])
			continue
		}
		if i++; i == len(s) {
			return "", fmt.Errorf("%% at the end (%%%% is a percent sign)")
		}
		value, ok := tokens(s[i])
		if !ok {
			return "", fmt.Errorf("%s is not known here (%%%% is a percent sign)",
				shown("%"+s[i:i+1]))
		}
		out.WriteString(value)
	}
	return out.String(), nil
}

// connectionHash is %C: a digest of who connects from where to where (misc.c,
// ssh_connection_hash).
func (env *Environment) connectionHash(o *Options) string {
	sum := sha1.Sum([]byte(env.Hostname + cmp.Or(o.HostName, o.Alias) + strconv.Itoa(o.Port) +
		o.User + o.lastJump()))
	return hex.EncodeToString(sum[:])
}

// fileTokens are those that ssh_config(5) allows in file names.
func (env *Environment) fileTokens(o *Options) tokens {
	return func(letter byte) (string, bool) {
		switch letter {
		case '%':
			return "%", true
		case 'C':
			return env.connectionHash(o), true
		case 'd':
			return env.Home, true
		case 'h':
			return cmp.Or(o.HostName, o.Alias), true
		case 'i':
			return strconv.Itoa(env.UID), true
		case 'j':
			return o.lastJump(), true
		case 'k':
			return cmp.Or(o.HostKeyAlias, o.Alias), true
		case 'L':
			short, _, _ := strings.Cut(env.Hostname, ".")
			return short, true
		case 'l':
			return env.Hostname, true
		case 'n':
			return o.Alias, true
		case 'p':
			return strconv.Itoa(o.Port), true
		case 'r':
			return o.User, true
		case 'u':
			return env.User(), true
		}
		return "", false
	}
}
