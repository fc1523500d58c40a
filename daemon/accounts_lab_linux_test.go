package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/access"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
)

// accountPrefix begins the names of accounts that these tests make; the time at which it was made
// comes next.
const accountPrefix = "msshtest"

// leftoverAge is how old an account must be to be left over from an earlier run that was killed: no
// run takes so long.
const leftoverAge = 2 * time.Hour

var (
	accountNumber int
	accountLock   sync.Mutex
	sweepOnce     sync.Once
)

// needAccounts skips the test if accounts cannot be made.
func needAccounts(t testing.TB) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	for _, program := range []string{"useradd", "userdel", "usermod"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("not run: needs useradd")
		}
	}
	sweepOnce.Do(func() { sweepAccounts(t) })
}

// sweepAccounts removes what a killed run has left.
func sweepAccounts(t testing.TB) {
	all, err := process.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, acct := range all {
		digits, _, _ := strings.Cut(strings.TrimPrefix(acct.Name, accountPrefix), "n")
		made, err := strconv.ParseInt(digits, 10, 64)
		if strings.HasPrefix(acct.Name, accountPrefix) && err == nil &&
			time.Since(time.Unix(made, 0)) > leftoverAge {
			removeAccount(t, acct.Name)
		}
	}
}

// accountTool runs a program that changes the account files, again while another one has them
// locked.
func accountTool(t testing.TB, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
		if err == nil {
			return
		}
		if !strings.Contains(string(out), "lock") || ctx.Err() != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		<-tick.C
	}
}

func removeAccount(t testing.TB, name string) {
	t.Helper()
	accountTool(t, "userdel", "-f", name)
	exec.Command("groupdel", name).Run() // is gone already, usually
}

// newAccount makes an account with a home, its key file listing a key, and removes both at the end.
// options are useradd's.
func newAccount(t testing.TB, key ssh.PublicKey, options ...string) process.Account {
	t.Helper()
	needAccounts(t)
	accountLock.Lock()
	accountNumber++
	name := fmt.Sprintf("%s%dn%dp%d", accountPrefix, time.Now().Unix(), accountNumber, os.Getpid())
	accountLock.Unlock()
	base, err := os.MkdirTemp("/tmp", "minissh-home-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(base) })
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(base, name)
	args := append([]string{"useradd", "-M", "-U", "-p", "*", "-s", "/bin/sh", "-d", home},
		options...)
	accountTool(t, append(args, name)...)
	t.Cleanup(func() { removeAccount(t, name) })
	acct, err := process.LookupAccount(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	own(t, acct, home, 0o750, nil)
	own(t, acct, filepath.Join(home, ".ssh"), 0o700, nil)
	own(t, acct, keyFile(acct), 0o600, ssh.MarshalAuthorizedKey(key))
	return acct
}

func keyFile(acct process.Account) string {
	return filepath.Join(acct.Home, ".ssh", "authorized_keys")
}

// own makes a file with a text, or a directory, that belongs to the account.
func own(t testing.TB, acct process.Account, path string, mode os.FileMode, text []byte) {
	t.Helper()
	err := error(nil)
	if text == nil {
		err = os.MkdirAll(path, mode)
	} else {
		err = os.WriteFile(path, text, mode)
	}
	if err := errors.Join(err, os.Chown(path, int(acct.UID), int(acct.GID)),
		os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
}

// accountsLab is a daemon that serves every account.
func accountsLab(t testing.TB, policy access.Policy, listen ...string) *lab {
	t.Helper()
	needAccounts(t)
	return newLab(t, func(o *Options) {
		root, err := process.CurrentAccount()
		if err != nil {
			t.Fatal(err)
		}
		access, err := access.NewAccounts(root, policy, access.DefaultAccountFiles, access.Trust{},
			o.Log)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { access.Close() })
		o.Account, o.Access = root, access
	}, listen...)
}

// as logs a key in as an account.
func (l *lab) as(acct process.Account, id keys.Identity) *mux.Session {
	l.t.Helper()
	s, err := l.tryAs(acct.Name, id)
	if err != nil {
		l.t.Fatalf("%v\n%s", err, l.log)
	}
	l.t.Cleanup(func() { s.Close(nil) })
	return s
}

// refused tries to log in as a user and expects the answer that tells nothing.
func (l *lab) refused(name string, id keys.Identity) {
	l.t.Helper()
	_, err := l.tryAs(name, id)
	var said *protocol.RemoteError
	if !errors.As(err, &said) || said.Code != protocol.CodeKeyNotAuthorized || said.Key != "" ||
		said.Message != "this key may not log in as this user" {
		l.t.Errorf("%s: %v\n%s", name, err, l.log)
	}
}
