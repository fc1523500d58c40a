//go:build linux || darwin

package process

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// lookTime bounds a look with another account's rights: its directories may lie on a server that does not answer.
const lookTime = 10 * time.Second

func init() { Helper("look", look) }

// sight is what the helper "look" saw.
type sight struct {
	Op    string // as in StartError; "" if all is well
	Path  []byte // the program, or what Op could not be done to
	Errno int
}

// look enters a directory and finds a program there, with the rights that it was started with. Its arguments are the directory ("" for none), the
// program's name and, if the name is to be looked up, a PATH.
func look(args []string) int {
	if len(args) < 2 {
		return 2
	}
	dir, name := args[0], args[1]
	seen := sight{Path: []byte(name)}
	saw := func(op, path string, err error) {
		seen.Op, seen.Path, seen.Errno = op, []byte(path), int(syscall.EACCES)
		var errno syscall.Errno
		switch {
		case errors.As(err, &errno):
			seen.Errno = int(errno)
		case errors.Is(err, os.ErrNotExist):
			seen.Errno = int(syscall.ENOENT)
		}
	}
	if err := os.Chdir(dir); dir != "" && err != nil {
		saw("chdir", dir, err)
	} else if len(args) == 2 {
		if err := runnable(name); err != nil {
			saw("exec", name, err)
		}
	} else if path, err := LookPath(name, dir, []string{"PATH=" + args[2]}); err != nil {
		saw("exec", name, err)
	} else {
		seen.Path = []byte(path)
	}
	if json.NewEncoder(os.Stdout).Encode(seen) != nil {
		return 1
	}
	return 0
}

// LookPathAs is LookPath with an account's rights: a daemon of root neither runs nor tells what the account could not find itself. Where the account
// is the daemon's own, it is LookPath.
func LookPathAs(acct Account, name, dir string, env []string) (string, error) {
	if acct.Credential == nil || strings.ContainsRune(name, filepath.Separator) {
		return LookPath(name, dir, env)
	}
	path := ""
	for _, pair := range env {
		if value, ok := strings.CutPrefix(pair, "PATH="); ok {
			path = value
		}
	}
	found, err := lookAs(acct, dir, name, path)
	if err != nil {
		return "", err
	}
	return found, nil
}

// explainAs is explain with the command's rights: what root sees is not for the client's eyes.
func (s Spec) explainAs(why error) error {
	_, err := lookAs(Account{Credential: s.Credential}, s.Dir, s.Path)
	if err == nil {
		return &StartError{"exec", s.Path, why} // a script's interpreter, for instance
	}
	return err
}

// lookAs starts the helper "look" and hears it out. Errors are *StartError.
func lookAs(acct Account, args ...string) (string, error) {
	fail := func(err error) (string, error) { return "", &StartError{"start", args[1], err} }
	p, err := StartSelf(acct, "look", args...)
	if err != nil {
		return fail(err)
	}
	defer p.Close()
	timer := time.AfterFunc(lookTime, func() { p.Kill(context.Background()) })
	defer timer.Stop()
	p.Stdin.Close()
	p.Stderr.Close()
	var seen sight
	if err := json.NewDecoder(io.LimitReader(p.Stdout, 64<<10)).Decode(&seen); err != nil {
		return fail(errors.New("it could not be looked for"))
	}
	if seen.Op != "" {
		return "", &StartError{seen.Op, string(seen.Path), syscall.Errno(seen.Errno)}
	}
	return string(seen.Path), nil
}
