//go:build linux || darwin

package process

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"os/user"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

const (
	rootDir      = "/"
	defaultShell = "/bin/sh"
	passwdFile   = "/etc/passwd"
)

// CurrentAccount is the account the daemon itself runs as, by its real user
// id: from /etc/passwd, else from getent(1) for accounts kept elsewhere (on
// darwin from the system, whose accounts are elsewhere always), else (a bare
// number, as in some containers) with HOME of the daemon's own environment and
// a number for a name. It never fails for want of an entry.
func CurrentAccount() (Account, error) {
	uid := uint32(os.Getuid())
	acct, ok, err := findAccount(context.Background(), func(a Account) bool { return a.UID == uid }, strconv.Itoa(int(uid)))
	if err != nil || ok {
		return acct, err
	}
	if runtime.GOOS == "darwin" {
		if u, err := user.Current(); err == nil {
			shell := os.Getenv("SHELL") // os/user does not tell it
			if !strings.HasPrefix(shell, "/") {
				shell = defaultShell
			}
			return Account{Name: u.Username, UID: uid, GID: uint32(os.Getgid()), Home: u.HomeDir, Shell: shell}, nil
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

// findAccount is the first account that matches: in /etc/passwd, else in getent's answer for a key. Where getent is missing or fails, as it may in
// a container, there is none.
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

// scanPasswd returns the first matching entry of a passwd(5) file. Malformed
// lines are passed over.
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
		acct := Account{Name: f[0], UID: uid, GID: gid, Home: f[5], Shell: f[6], locked: strings.HasPrefix(f[1], lockedMark)}
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
	return []string{"HOME=" + a.Home, "USER=" + a.Name, "LOGNAME=" + a.Name, "SHELL=" + a.Shell, "PATH=" + path}
}

// runnable tells why a file cannot be executed by the daemon, or nil.
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

// SystemShell is how a command runs where an account has no shell of its own:
// /bin/sh -c command.
func SystemShell(command string) Spec {
	return Spec{Path: defaultShell, Args: ShellCommand(defaultShell, command)}
}
