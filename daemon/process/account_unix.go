//go:build linux || darwin

package process

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	rootDir      = "/"
	defaultShell = "/bin/sh"
	mailDir      = "/var/mail/"
	passwdFile   = "/etc/passwd"
)

// CurrentAccount is the account that the daemon itself runs as, by its real user id. It comes from
// /etc/passwd, else from getent(1) for accounts kept elsewhere (on darwin always from the system).
// Else (a bare number, as in some containers) it has HOME of the daemon's own environment and a
// number for a name. It never fails because an entry is missing.
func CurrentAccount() (Account, error) {
	uid := uint32(os.Getuid())
	acct, ok, err := findAccount(context.Background(), func(a Account) bool { return a.UID == uid },
		strconv.Itoa(int(uid)))
	if err != nil || ok {
		return acct, err
	}
	if runtime.GOOS == "darwin" {
		if u, err := user.Current(); err == nil {
			shell := os.Getenv("SHELL") // os/user does not tell it
			if !strings.HasPrefix(shell, "/") {
				shell = defaultShell
			}
			return Account{Name: u.Username, UID: uid, GID: uint32(os.Getgid()), Home: u.HomeDir,
				Shell: shell}, nil
		}
	}
	home := os.Getenv("HOME")
	if !strings.HasPrefix(home, "/") {
		home = rootDir
	}
	return Account{
		Name: strconv.Itoa(int(uid)), UID: uid, GID: uint32(os.Getgid()),
		Home: home, Shell: defaultShell,
	}, nil
}

// findAccount is the first account that matches: in /etc/passwd, else in getent's answer for a key.
// If getent is missing or fails, as it may in a container, there is none.
func findAccount(ctx context.Context, match func(Account) bool, key string) (Account, bool, error) {
	f, err := os.Open(passwdFile)
	if err == nil {
		defer f.Close()
		if acct, ok, err := scanPasswd(f, match); ok || err != nil {
			return acct, ok, err
		}
	} else if !os.IsNotExist(err) {
		return Account{}, false, err
	}
	out, err := getent(ctx, "passwd", "--", key)
	if err != nil {
		return Account{}, false, ctx.Err()
	}
	return scanPasswd(bytes.NewReader(out), match)
}

// scanPasswd returns the first matching entry of a passwd(5) file. Malformed lines are skipped.
func scanPasswd(r io.Reader, match func(Account) bool) (Account, bool, error) {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		f := strings.Split(scanner.Text(), ":")
		if len(f) != 7 || f[0] == "" || f[0][0] == '#' {
			continue
		}
		uid, err1 := parseID(f[2])
		gid, err2 := parseID(f[3])
		if err1 != nil || err2 != nil {
			continue
		}
		acct := Account{Name: f[0], UID: uid, GID: gid, Home: f[5], Shell: f[6],
			locked: strings.HasPrefix(f[1], lockedMark)}
		if acct.Shell == "" {
			acct.Shell = defaultShell
		}
		if match(acct) {
			return acct, true, nil
		}
	}
	return Account{}, false, scanner.Err()
}

// noID is not an id: setresuid(2) and its like take it for "leave it as it is".
const noID = 1<<32 - 1

// parseID reads a uid or gid.
func parseID(text string) (uint32, error) {
	id, err := strconv.ParseUint(text, 10, 32)
	if err == nil && id == noID {
		err = strconv.ErrRange
	}
	return uint32(id), err
}

// usableDir says whether the daemon can enter the directory.
func usableDir(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir() && syscall.Access(dir, 1 /* X_OK */) == nil
}

func baseEnvironment(a Account, path string) []string {
	env := []string{"HOME=" + a.Home, "USER=" + a.Name, "LOGNAME=" + a.Name, "SHELL=" + a.Shell,
		"PATH=" + path}
	if a.Credential == nil || a.Credential.Origin == nil { // with PAM, sshd leaves it to that
		env = append(env, "MAIL="+mailDir+a.Name)
	}
	return env
}

// programNames are the files that a program's name may mean.
func programNames(file string) []string { return []string{file} }

// isPathKey says whether an environment's variable is the path.
func isPathKey(key string) bool { return key == "PATH" }

// runnable says why the daemon cannot execute a file, or nil.
func runnable(file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fs.ErrPermission
	}
	return syscall.Access(file, 1 /* X_OK */)
}

const (
	groupFile    = "/etc/group"
	nsswitchFile = "/etc/nsswitch.conf"

	getentTime  = 5 * time.Second
	getentMost  = 4 << 20 // bytes of an answer
	maxGroups   = 65536   // Linux' NGROUPS_MAX
	maxAccounts = 100_000
)

// LookupAccount finds an account by its name, with its groups. It asks /etc/passwd first; for a
// name that is missing there, getent(1): accounts of directory services are reached through the C
// library only, and getent does that in a process of its own, with a limit on time and answer. The
// name goes to it as an argument, not through a shell. The account has a Credential if the daemon
// is root and can become others. ErrNoAccount says that it does not exist.
func LookupAccount(ctx context.Context, name string) (Account, error) {
	if !possibleName(name) {
		return Account{}, ErrNoAccount
	}
	// getent takes a number for a uid: only an entry of that very name counts.
	acct, ok, err := findAccount(ctx, func(a Account) bool { return a.Name == name }, name)
	if err != nil {
		return Account{}, err
	}
	if !ok {
		return Account{}, ErrNoAccount
	}
	return withGroups(ctx, acct)
}

// Accounts lists all accounts that the system knows, without their groups and Credentials: those of
// /etc/passwd, and of directory services that can be listed.
func Accounts(ctx context.Context) ([]Account, error) {
	var list []Account
	seen := map[string]bool{}
	collect := func(a Account) bool {
		if !seen[a.Name] {
			seen[a.Name] = true
			list = append(list, a)
		}
		return len(list) == maxAccounts
	}
	f, err := os.Open(passwdFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, _, err := scanPasswd(f, collect); err != nil {
		return nil, err
	}
	if onlyFiles("passwd") {
		return list, nil
	}
	out, err := getent(ctx, "passwd")
	if err != nil {
		return list, nil
	}
	_, _, err = scanPasswd(bytes.NewReader(out), collect)
	return list, err
}

// withGroups adds what an account's processes become. Only root can become another.
func withGroups(ctx context.Context, acct Account) (Account, error) {
	if os.Geteuid() != 0 {
		return acct, nil
	}
	groups, err := groupsOf(ctx, acct)
	if err != nil {
		return Account{}, fmt.Errorf("the groups of %s: %w", strconv.Quote(acct.Name), err)
	}
	acct.Credential = &Credential{UID: acct.UID, GID: acct.GID, Groups: groups}
	return acct, nil
}

// groupsOf is initgroups(3): the account's own group and those that list it. If nsswitch.conf(5)
// names other sources than files, it asks getent(1).
func groupsOf(ctx context.Context, acct Account) ([]uint32, error) {
	groups := []uint32{acct.GID}
	if !onlyFiles("initgroups", "group") {
		out, err := getent(ctx, "initgroups", "--", acct.Name)
		if err == nil {
			// "name 4 24 27"
			for _, word := range strings.Fields(strings.TrimPrefix(string(out), acct.Name)) {
				gid, err := parseID(word)
				if err != nil {
					return nil, fmt.Errorf("getent initgroups said %s", strconv.Quote(word))
				}
				groups = addGroup(groups, gid)
			}
			return groups, nil
		}
		if !errors.Is(err, ErrNoAccount) {
			return nil, err
		}
	}
	f, err := os.Open(groupFile)
	if errors.Is(err, os.ErrNotExist) {
		return groups, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return scanGroups(f, acct.Name, groups)
}

// scanGroups adds the groups of a group(5) file that list a name.
func scanGroups(r io.Reader, name string, groups []uint32) ([]uint32, error) {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		f := strings.Split(scanner.Text(), ":")
		if len(f) != 4 || f[0] == "" || f[0][0] == '#' ||
			!slices.Contains(strings.Split(f[3], ","), name) {
			continue
		}
		if gid, err := parseID(f[2]); err == nil {
			groups = addGroup(groups, gid)
		}
	}
	return groups, scanner.Err()
}

func addGroup(groups []uint32, gid uint32) []uint32 {
	if slices.Contains(groups, gid) || len(groups) == maxGroups {
		return groups
	}
	return append(groups, gid)
}

// onlyFiles says whether databases of nsswitch.conf(5) are only in files of /etc. systemd's source
// invents root, nobody and services' accounts, whose groups are in no other group.
func onlyFiles(databases ...string) bool {
	text, err := os.ReadFile(nsswitchFile)
	if err != nil {
		return true // musl knows files only; glibc's default is files
	}
	return !slices.ContainsFunc(databases, func(database string) bool {
		return !sourcesAreFiles(string(text), database)
	})
}

func sourcesAreFiles(text, database string) bool {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		name, sources, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) != database {
			continue
		}
		for _, source := range strings.Fields(sources) {
			if source != "files" && source != "compat" && source != "systemd" &&
				!strings.HasPrefix(source, "[") {
				return false
			}
		}
	}
	return true
}

// getent asks the C library's databases. ErrNoAccount: no such entry, or no getent here.
func getent(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, getentTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "getent", args...)
	cmd.Env, cmd.Dir, cmd.WaitDelay = []string{"PATH=" + rootPath, "LC_ALL=C"}, rootDir, time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return nil, ErrNoAccount
		}
		return nil, err
	}
	answer, readErr := io.ReadAll(io.LimitReader(out, getentMost+1))
	if len(answer) > getentMost {
		cancel()
		cmd.Wait()
		return nil, fmt.Errorf("getent %s gives more than %d MiB", args[0], getentMost>>20)
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("getent %s: %w", args[0], ctx.Err())
	// getent(1): one or more keys could not be found
	case errors.As(err, &exit) && exit.ExitCode() == 2:
		return answer, ErrNoAccount // with those that were found
	}
	return answer, errors.Join(err, readErr)
}
