package options

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// Environment is what Parse takes from around it; tests give their own.
type Environment struct {
	Home     string // the user's directory; "" if there is none
	User     string // the user's login name
	UID      int    // -1 where there is none
	Hostname string // this machine's name
	// Getenv reads a variable; ok is false when it is not set.
	Getenv func(name string) (value string, ok bool)
}

// CurrentEnvironment describes this process.
func CurrentEnvironment() *Environment {
	env := &Environment{UID: os.Getuid(), Getenv: os.LookupEnv}
	env.Home, _ = os.UserHomeDir()
	env.Hostname, _ = os.Hostname()
	if u, err := user.Current(); err == nil {
		env.User = u.Username
		if env.Home == "" {
			env.Home = u.HomeDir
		}
	} else if env.User = os.Getenv("USER"); env.User == "" {
		env.User = os.Getenv("USERNAME")
	}
	if i := strings.LastIndexByte(env.User, '\\'); i >= 0 && runtime.GOOS == "windows" {
		env.User = env.User[i+1:] // DOMAIN\name
	}
	return env
}

// expandHome replaces a leading ~ or ~name.
func (env *Environment) expandHome(path string) (string, error) {
	if !strings.HasPrefix(path, "~") {
		return path, nil
	}
	end := strings.IndexFunc(path, func(r rune) bool { return r < 0x80 && os.IsPathSeparator(uint8(r)) })
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

// expandTokens replaces %x by tokens[x] (ssh_config(5), TOKENS).
func expandTokens(s string, tokens map[byte]string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			out.WriteByte(s[i])
			continue
		}
		if i++; i == len(s) {
			return "", fmt.Errorf("%% at the end (%%%% is a percent sign)")
		}
		value, ok := tokens[s[i]]
		if !ok {
			return "", fmt.Errorf("%s is not known here (%%%% is a percent sign)", shown("%"+s[i:i+1]))
		}
		out.WriteString(value)
	}
	return out.String(), nil
}

// tokens are those that ssh_config(5) allows in file names.
func (env *Environment) tokens(o *Options) map[byte]string {
	short, _, _ := strings.Cut(env.Hostname, ".")
	alias := o.HostKeyAlias
	if alias == "" {
		alias = o.Alias
	}
	host := o.HostName
	if host == "" {
		host = o.Alias
	}
	return map[byte]string{
		'%': "%", 'd': env.Home, 'h': host, 'i': strconv.Itoa(env.UID), 'k': alias, 'L': short, 'l': env.Hostname,
		'n': o.Alias, 'p': strconv.Itoa(o.Port), 'r': o.User, 'u': env.User, 'j': "",
	}
}
