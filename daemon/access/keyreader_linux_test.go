package access

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/authorized"
	"minissh/daemon/process"
)

func init() {
	// become takes on a user's rights as the helper that reads keys does, says which files it can
	// read, and stays so.
	process.Helper("become", func(args []string) int {
		uid, _ := strconv.Atoi(args[0])
		gid, _ := strconv.Atoi(args[1])
		if err := become(uint32(uid), uint32(gid), nil); err != nil {
			fmt.Println(err)
			return 1
		}
		said := make([]string, 0, 2)
		for _, file := range args[2:] {
			if _, err := os.ReadFile(file); err != nil {
				said = append(said, "refused")
			} else {
				said = append(said, "read")
			}
		}
		fmt.Println(strings.Join(said, " "))
		io.Copy(io.Discard, os.Stdin)
		return 0
	})
	// attack tries to stop, signal and read a process of root's; its exit code is 0 if it could
	// not.
	process.Helper("attack", func(args []string) int {
		pid, _ := strconv.Atoi(args[0])
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.EPERM) {
			return 1
		}
		if err := syscall.PtraceAttach(pid); !errors.Is(err, syscall.EPERM) {
			return 3
		}
		if _, err := os.ReadFile("/proc/" + args[0] + "/environ"); err == nil {
			return 2
		}
		return 0
	})
}

// someAccount is an account that no system knows, with a key file in its home.
func someAccount(t *testing.T) process.Account {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("not run: needs root")
	}
	const id = 65533
	home, err := os.MkdirTemp("/tmp", "minissh-home-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	file := filepath.Join(home, "keys")
	if err := errors.Join(os.WriteFile(file, ssh.MarshalAuthorizedKey(newKey(t).Public), 0o600),
		os.Chown(file, id, id), os.Chown(home, id, id)); err != nil {
		t.Fatal(err)
	}
	return process.Account{Name: "some", UID: id, GID: id, Home: home, Shell: "/bin/sh",
		Credential: &process.Credential{UID: id, GID: id}}
}

// Helpers that have died, or do not answer, cost a login only the start of a new one.
func TestKeyReaderSurvivesItsHelpers(t *testing.T) {
	acct := someAccount(t)
	root, err := process.CurrentAccount()
	if err != nil {
		t.Fatal(err)
	}
	k := newKeyReader(root)
	defer k.close()
	for range 3 {
		files, err := k.read(t.Context(), acct, []string{acct.Home + "/keys", acct.Home + "/none"})
		if err != nil || files[0].err() != nil || !files[1].Missing {
			t.Fatalf("%+v, %v", files, err)
		}
		if file, _ := authorized.Parse("x", files[0].Text); len(file.Entries) != 1 {
			t.Fatal("the file says something else")
		}
		if len(k.idle) != 1 {
			t.Fatalf("%d helpers wait", len(k.idle))
		}
		waits := <-k.idle
		syscall.Kill(waits.p.(*process.Process).PID, syscall.SIGKILL)
		<-waits.p.Done()
		k.idle <- waits
	}
}

// One account whose files hang leaves room for the others, and gives up in time.
func TestKeyReaderSharesItsPlaces(t *testing.T) {
	root, err := process.CurrentAccount()
	if err != nil {
		t.Fatal(err)
	}
	k := newKeyReader(root)
	var places []*place
	for range readersPerUser {
		at, err := k.enter(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		places = append(places, at)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.enter(ended, 1); err == nil {
		t.Error("one account may have all places")
	}
	at, err := k.enter(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range append(places, at) {
		at.pass()
		at.leave()
	}
	if len(k.users) != 0 || len(k.places) != 0 {
		t.Errorf("%d accounts are remembered, %d places taken", len(k.users), len(k.places))
	}
}

// While a helper has the user's rights, it still belongs to root: the user's processes can neither
// stop it nor look into it.
func TestKeyReaderIsRoots(t *testing.T) {
	acct := someAccount(t)
	root, err := process.CurrentAccount()
	if err != nil {
		t.Fatal(err)
	}
	reader, err := process.StartSelf(root, "become", fmt.Sprint(acct.UID), fmt.Sprint(acct.GID),
		"/etc/shadow", acct.Home+"/keys")
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer reader.Stdin.Close()
	said := make([]byte, 100)
	n, _ := reader.Stdout.Read(said)
	if got := string(said[:n]); got != "refused read\n" {
		t.Errorf("/etc/shadow and the account's file: %q", got)
	}
	p, err := process.StartSelf(acct, "attack", fmt.Sprint(reader.PID))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if r := p.Result(); r.Code != 0 {
		t.Errorf("%+v", r)
	}
}
