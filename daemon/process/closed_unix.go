//go:build linux || darwin

package process

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// lockedMark comes before a password that `passwd -l` or `usermod -L` has locked, or that an
// account from useradd never had.
const lockedMark = "!"

// shadowFile has the mark of a locked password, and the day on which an account ends.
const shadowFile = "/etc/shadow"

// nologinFiles, if one of them exists, keep everybody but root out (nologin(5), pam_nologin(8)).
var nologinFiles = []string{"/etc/nologin", "/run/nologin"}

// ClosedError is why the system keeps an account from logging in until somebody changes the
// account. It is for the log.
type ClosedError struct{ Why, Advice string }

func (e *ClosedError) Error() string { return e.Why }

// Hint is what an administrator can type, "" if there is nothing.
func (e *ClosedError) Hint() string { return e.Advice }

// Closed says why the system keeps an account from logging in: its shell cannot be run, or is
// nologin or false; it is locked, which means a `!` before the password as in sshd (`*`, which
// means no password, locks nobody out); it has expired (chage -E); or /etc/nologin exists. The
// error is nil if the account is open, a *ClosedError unless the reason is /etc/nologin, which is
// about a time and not about the account, or what made this impossible to find out: then too nobody
// may log in. Only root can see all that. If PAM is asked as well, it knows about everything but
// the shell, as with sshd.
func Closed(ctx context.Context, acct Account, asksPAM bool) error {
	if asksPAM {
		return closedByShell(ctx, acct)
	}
	if acct.UID != 0 {
		for _, file := range nologinFiles {
			if _, err := os.Stat(file); err == nil {
				return errors.New("only root may log in while " + file + " is there")
			}
		}
	}
	if err := closedByShell(ctx, acct); err != nil {
		return err
	}
	line, err := shadowLine(ctx, acct.Name)
	if err != nil {
		return err
	}
	return closedByShadow(acct, line, int(time.Now().Unix()/86400))
}

// closedByShell is sshd's check of the shell (auth.c, allowed_user), and the two programs that are
// not shells. A shell that /etc/shells does not list may be anywhere, even where files do not
// answer: it is examined with the account's rights.
func closedByShell(ctx context.Context, acct Account) error {
	shell := strconv.Quote(acct.Shell)
	advice := "chsh -s /bin/sh " + acct.Name
	switch filepath.Base(acct.Shell) {
	case "nologin", "false":
		return &ClosedError{"its shell is " + shell, advice}
	}
	var seen string
	if acct.Credential == nil || listedShell(acct.Shell) {
		seen = seeShell(acct.Shell)
	} else {
		var err error
		if seen, err = seeShellAs(ctx, acct); err != nil {
			return err
		}
	}
	if seen != "" {
		return &ClosedError{"its shell " + shell + " " + seen, advice}
	}
	return nil
}

// listedShell says whether shells(5) has a shell.
func listedShell(shell string) bool {
	text, err := os.ReadFile("/etc/shells")
	return err == nil && slices.Contains(strings.Split(string(text), "\n"), shell)
}

// seeShell says what is wrong with a shell, "" if nothing is.
func seeShell(shell string) string {
	info, err := os.Stat(shell)
	switch {
	case !filepath.IsAbs(shell) || errors.Is(err, os.ErrNotExist):
		return "does not exist"
	case err != nil:
		return "cannot be looked at"
	case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
		return "is not executable"
	}
	return ""
}

// shellVerb is the helper that looks at an account's shell.
const shellVerb = "shell"

func init() {
	Helper(shellVerb, func(args []string) int {
		if len(args) != 1 {
			return 2
		}
		fmt.Println(seeShell(args[0]))
		return 0
	})
}

// shellTime is how long examining a shell may take, and shellLooks how many are examined at once.
const shellTime = 5 * time.Second

var shellLooks = make(chan struct{}, 4)

// seeShellAs is seeShell with the account's rights.
func seeShellAs(ctx context.Context, acct Account) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, shellTime)
	defer cancel()
	select {
	case shellLooks <- struct{}{}:
		defer func() { <-shellLooks }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	p, err := StartSelf(acct, shellVerb, acct.Shell)
	if err != nil {
		return "", err
	}
	defer p.Retire()
	stop := context.AfterFunc(ctx, func() { p.Stdout.Close(); p.Signal("KILL") })
	defer stop()
	p.Stdin.Close()
	p.Stderr.Close()
	answer, err := io.ReadAll(io.LimitReader(p.Stdout, 256))
	if err == nil && len(answer) == 0 {
		err = errors.New("nobody could look at it")
	}
	if err != nil {
		return "", fmt.Errorf("its shell %s: %w", strconv.Quote(acct.Shell), cmp.Or(ctx.Err(), err))
	}
	return strings.TrimSpace(string(answer)), nil
}

// closedByShadow judges an entry of shadow(5), "" if there is none. Days count from 1970.
func closedByShadow(acct Account, line string, today int) error {
	f := strings.Split(line, ":")
	if acct.locked || len(f) > 1 && strings.HasPrefix(f[1], lockedMark) {
		return &ClosedError{"it is locked", unlock(acct.Name, f)}
	}
	if len(f) < 8 || f[7] == "" {
		return nil
	}
	expires, err := strconv.Atoi(f[7])
	if err != nil {
		return &ClosedError{"the day on which it expires cannot be read in shadow",
			"chage -E -1 " + acct.Name}
	}
	if expires > 0 && today > expires {
		day := time.Unix(int64(expires)*86400, 0).UTC().Format(time.DateOnly)
		return &ClosedError{fmt.Sprintf("it expired on %s", day), "chage -E -1 " + acct.Name}
	}
	return nil
}

// unlock is what to type for a locked account. One that useradd has just made never had a password:
// usermod -U refuses it, since that would leave an empty one. sshd admits it through PAM.
func unlock(name string, shadow []string) string {
	if len(shadow) > 1 && strings.Trim(shadow[1], "!*") == "" {
		return "usermod -p '*' " + name + " opens it for keys, without a password"
	}
	return "usermod -U " + name
}

// shadowLine is an account's entry of shadow(5), "" if it has none.
func shadowLine(ctx context.Context, name string) (string, error) {
	f, err := os.Open(shadowFile)
	if err == nil {
		defer f.Close()
		var line string
		if line, err = scanShadow(f, name); line != "" {
			return line, nil
		}
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	if onlyFiles("shadow") {
		return "", nil
	}
	out, err := getent(ctx, "shadow", "--", name)
	if errors.Is(err, ErrNoAccount) {
		return "", nil
	}
	line, _, _ := strings.Cut(string(out), "\n")
	if !strings.HasPrefix(line, name+":") {
		line = ""
	}
	return line, err
}

// scanShadow is the first entry of a shadow(5) file for a name, "" if it has none.
func scanShadow(r io.Reader, name string) (string, error) {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		if bytes.HasPrefix(scanner.Bytes(), []byte(name+":")) {
			return scanner.Text(), nil
		}
	}
	return "", scanner.Err()
}
