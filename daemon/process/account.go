package process

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The PATHs that Debian's sshd gives, to users and to root.
const (
	userPath = "/usr/local/bin:/usr/bin:/bin:/usr/games"
	rootPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

// Account is who a command runs as.
type Account struct {
	Name     string
	UID, GID uint32
	Home     string
	Shell    string // absolute; /bin/sh if passwd has none

	// Credential is what a command of the account becomes; nil: the daemon's own account.
	Credential *Credential

	locked bool // by the password's field in passwd itself
}

// Sheltered is the account for a helper that is outside of where the account may be confined: on
// Linux the account's other processes cannot look into it. (It begins as root, and is not dumpable
// when it becomes the account: ptrace(2), PTRACE_MODE_READ.)
func (a Account) Sheltered() Account {
	if hasStages && a.Credential != nil && a.Credential.Root == "" {
		as := *a.Credential
		as.Root, a.Credential = rootDir, &as
	}
	return a
}

// Dir is where the account's commands start: its home, or / if the daemon cannot enter that.
// Another account's home is not checked: Spec.DirElse helps if it cannot be entered.
func (a Account) Dir() string {
	if filepath.IsAbs(a.Home) && (a.Credential != nil || usableDir(a.Home)) {
		return a.Home
	}
	return rootDir
}

// Environment builds a command's environment from nothing, as sshd does: HOME, USER, LOGNAME,
// SHELL, PATH, MAIL without an Origin, then TZ if the daemon has it, then the given pairs
// ("NAME=value"), a later one of the same name replacing the earlier, and then what the account's
// Origin has. Pairs without a name or with a NUL byte are left out; the caller decides which names
// a client may set. On Windows the daemon's own environment comes first: nothing runs there without
// it.
func Environment(acct Account, extra ...string) []string {
	path := userPath
	if acct.UID == 0 {
		path = rootPath
	}
	pairs := baseEnvironment(acct, path)
	if tz, ok := os.LookupEnv("TZ"); ok {
		pairs = append(pairs, "TZ="+tz)
	}
	var env []string
	at := make(map[string]int)
	pairs = append(pairs, extra...)
	if who := acct.Credential; who != nil && who.Origin != nil {
		pairs = append(pairs, who.Origin.Environment()...)
	}
	for _, pair := range pairs {
		name, _, ok := strings.Cut(pair, "=")
		if !ok || name == "" || strings.IndexByte(pair, 0) >= 0 {
			continue
		}
		if i, seen := at[name]; seen {
			env[i] = pair
			continue
		}
		at[name] = len(env)
		env = append(env, pair)
	}
	return env
}

// LookPath finds a program for an argument vector without a shell: a name with a separator is taken
// relative to dir, any other is looked up in the PATH of env (not the daemon's own). It looks with
// the daemon's rights; Spec.Search looks with the command's. Errors are *StartError.
func LookPath(name, dir string, env []string) (string, error) {
	if strings.ContainsFunc(name, isSeparator) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		if names := programNames(name); len(names) > 1 { // else nothing is touched: it may hang
			for _, file := range names {
				if runnable(file) == nil {
					return file, nil
				}
			}
		}
		return name, nil // exec itself says best what is wrong with it
	}
	found := error(fs.ErrNotExist)
	for _, pair := range env {
		key, path, _ := strings.Cut(pair, "=")
		if !isPathKey(key) || name == "" {
			continue
		}
		for _, place := range filepath.SplitList(path) {
			if !filepath.IsAbs(place) {
				place = filepath.Join(dir, place)
			}
			for _, file := range programNames(filepath.Join(place, name)) {
				if err := runnable(file); err == nil {
					return file, nil
				} else if !os.IsNotExist(err) {
					found = fs.ErrPermission
				}
			}
		}
	}
	return "", &StartError{"exec", name, found}
}

// ErrNoAccount means that the system has no account of that name.
var ErrNoAccount = errors.New("there is no such account")

// maxName is the longest account name, in bytes: utmp's limit is 32, other directories have more.
const maxName = 128

// possibleName says whether a name may be asked for. passwd(5) has no room for the first four
// characters here; and a name that begins like an option, or holds a path's separator, must never
// reach a program or become part of a file's name.
func possibleName(name string) bool {
	if name == "" || len(name) > maxName || name[0] == '-' || name == "." || name == ".." {
		return false
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c == ':' || c == ',' || c == '/' || c == 0x7f {
			return false
		}
	}
	return true
}

func isSeparator(r rune) bool { return r < 0x80 && os.IsPathSeparator(byte(r)) }
