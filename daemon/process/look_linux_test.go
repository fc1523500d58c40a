package process

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// nobody is an account that owns nothing here. The test is not run without root.
func nobody(t *testing.T) Account {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	return Account{Name: "somebody", UID: 65533, GID: 65533, Home: "/", Shell: "/bin/sh", Credential: &Credential{UID: 65533, GID: 65533}}
}

// opened is a directory that everyone can enter, unlike t.TempDir's.
func opened(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "minissh-look-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// What root could see tells another account's client nothing: what is there and what is not look the same to it.
func TestRootTellsNothing(t *testing.T) {
	acct := nobody(t)
	dir := opened(t)
	hidden := filepath.Join(dir, "hidden")
	if err := os.MkdirAll(filepath.Join(hidden, "dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"hidden/tool": 0o755, "tool": 0o755, "mine": 0o700} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\nid -u; pwd\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		dir, path string
		op        string
		errno     syscall.Errno
	}{
		{hidden + "/dir", "/bin/sh", "chdir", syscall.EACCES},
		{hidden + "/none", "/bin/sh", "chdir", syscall.EACCES},
		{dir + "/none", "/bin/sh", "chdir", syscall.ENOENT},
		{dir + "/tool", "/bin/sh", "chdir", syscall.ENOTDIR},
		{"/", hidden + "/tool", "exec", syscall.EACCES},
		{"/", hidden + "/none", "exec", syscall.EACCES},
		{"/", dir + "/mine", "exec", syscall.EACCES},
		{"/", dir + "/none", "exec", syscall.ENOENT},
	} {
		p, err := Start(Spec{Path: c.path, Args: []string{"x"}, Dir: c.dir, Credential: acct.Credential})
		var start *StartError
		if err == nil {
			p.Close()
			t.Errorf("%s in %s was started", c.path, c.dir)
		} else if !errors.As(err, &start) || start.Op != c.op || !errors.Is(err, c.errno) {
			t.Errorf("%s in %s: %v", c.path, c.dir, err)
		}
	}
	for _, c := range []struct {
		name, path string
		found      string
		errno      syscall.Errno
	}{
		{"tool", hidden + ":" + dir, dir + "/tool", 0},
		{"tool", hidden, "", syscall.EACCES},
		{"mine", dir, "", syscall.EACCES},
		{"tool", "/nowhere", "", syscall.ENOENT},
		{"./tool", "/nowhere", dir + "/tool", 0},
	} {
		found, err := LookPathAs(acct, c.name, dir, []string{"PATH=" + c.path})
		if found != c.found || (c.errno != 0) != (err != nil) || c.errno != 0 && !errors.Is(err, c.errno) {
			t.Errorf("%s in %s: %q, %v", c.name, c.path, found, err)
		}
	}
}

// A home that root can enter and the account cannot: the command starts in DirElse.
func TestDirElse(t *testing.T) {
	acct := nobody(t)
	dir := opened(t)
	closed := filepath.Join(dir, "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	for where, want := range map[string]string{closed: "/\n", dir + "/none": "/\n", dir: dir + "\n"} {
		acct.Home = where
		p := start(t, Spec{Path: "/bin/sh", Args: []string{"sh", "-c", "pwd -P"}, Dir: acct.Dir(), DirElse: "/", Credential: acct.Credential})
		if out := rest(t, p.Stdout); out != want {
			t.Errorf("%s: %q", where, out)
		}
	}
	if _, err := Start(Spec{Path: dir + "/no-such-shell", Args: []string{"sh"}, Dir: closed, DirElse: "/", Credential: acct.Credential}); !errors.Is(err, syscall.ENOENT) {
		t.Error(err)
	}
}

// A command's pipes belong to its account: it can open them once more by their names.
func TestPipesBelongToTheAccount(t *testing.T) {
	acct := nobody(t)
	p := start(t, Spec{Path: "/bin/sh", Args: []string{"sh", "-c", "echo out >/dev/stdout; echo err >/dev/stderr; cat /dev/stdin"}, Dir: "/", Credential: acct.Credential})
	p.Stdin.Write([]byte("in\n"))
	p.Stdin.Close()
	if out, errs := rest(t, p.Stdout), rest(t, p.Stderr); out != "out\nin\n" || errs != "err\n" {
		t.Errorf("%q, %q", out, errs)
	}
}

// A command is not spared by the kernel's killer as its daemon may be.
func TestOOMScoreIsNotInherited(t *testing.T) {
	before, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		t.Skip("not run: needs /proc/self/oom_score_adj")
	}
	if err := os.WriteFile("/proc/self/oom_score_adj", []byte("100"), 0); err != nil { // lower than 0 only root may go
		t.Fatal(err)
	}
	defer os.WriteFile("/proc/self/oom_score_adj", before, 0)
	known := spared
	spared = func() bool { return true }
	defer func() { spared = known }()
	p := start(t, Spec{Path: "/bin/sh", Args: []string{"sh", "-c", "read x; cat /proc/self/oom_score_adj"}, Dir: "/"})
	p.Stdin.Write([]byte("\n"))
	if out := rest(t, p.Stdout); out != "0\n" {
		t.Errorf("%q", out)
	}
}
