package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"minissh/daemon/process/stage"
	"path/filepath"
	"syscall"
	"testing"
)

// nobody is an account that owns nothing. The test needs root.
func nobody(t *testing.T) Account {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	return Account{Name: "somebody", UID: 65533, GID: 65533, Home: "/", Shell: "/bin/sh",
		Credential: &Credential{UID: 65533, GID: 65533}}
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

// What only root can see reveals nothing to another account's client: what exists and what does not
// look the same to it.
func TestRootTellsNothing(t *testing.T) {
	acct := nobody(t)
	dir := opened(t)
	hidden := filepath.Join(dir, "hidden")
	if err := os.MkdirAll(filepath.Join(hidden, "dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"hidden/tool": 0o755, "tool": 0o755,
		"mine": 0o700} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\nid -u; pwd\n"),
			mode); err != nil {
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
		p, err := Start(Spec{Path: c.path, Args: []string{"x"}, Dir: c.dir,
			Credential: acct.Credential})
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
		errno      syscall.Errno
	}{
		{"tool", hidden + ":" + dir, 0},
		{"tool", ":/nowhere", 0},
		{"tool", hidden, syscall.EACCES},
		{"mine", dir, syscall.EACCES},
		{"tool", "/nowhere", syscall.ENOENT},
		{"./tool", "/nowhere", 0},
		{"", dir, syscall.ENOENT},
	} {
		p, err := Start(Spec{Path: c.name, Search: true, Args: []string{"x"}, Dir: dir,
			Env: []string{"PATH=" + c.path}, Credential: acct.Credential})
		if err == nil {
			if out := rest(t, p.Stdout); out != dir+"\n" {
				t.Errorf("%s in %s: %q", c.name, c.path, out)
			}
			p.Close()
		}
		if (c.errno != 0) != (err != nil) || c.errno != 0 && !errors.Is(err, c.errno) {
			t.Errorf("%s in %s: %v", c.name, c.path, err)
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
	for where, want := range map[string]string{closed: "/\n", dir + "/none": "/\n",
		dir: dir + "\n"} {
		acct.Home = where
		p := start(t, Spec{Path: "/bin/sh", Args: []string{"sh", "-c", "pwd -P"}, Dir: acct.Dir(),
			DirElse: "/", Credential: acct.Credential})
		if out := rest(t, p.Stdout); out != want {
			t.Errorf("%s: %q", where, out)
		}
	}
	if _, err := Start(Spec{Path: dir + "/no-such-shell", Args: []string{"sh"}, Dir: closed,
		DirElse: "/", Credential: acct.Credential}); !errors.Is(err, syscall.ENOENT) {
		t.Error(err)
	}
}

// A command's pipes belong to its account: it can open them once more by their names.
func TestPipesBelongToTheAccount(t *testing.T) {
	acct := nobody(t)
	p := start(t,
		Spec{
			Path: "/bin/sh",
			Args: []string{
				"sh", "-c", "echo out >/dev/stdout; echo err >/dev/stderr; cat /dev/stdin"},
			Dir: "/", Credential: acct.Credential})
	p.Stdin.Write([]byte("in\n"))
	p.Stdin.Close()
	if out, errs := rest(t, p.Stdout), rest(t, p.Stderr); out != "out\nin\n" || errs != "err\n" {
		t.Errorf("%q, %q", out, errs)
	}
}

// The kernel's out-of-memory killer does not spare a command as it may spare its daemon.
func TestOOMScoreIsNotInherited(t *testing.T) {
	before, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		t.Skip("not run: needs /proc/self/oom_score_adj")
	}
	// lower than 0 only root may go
	if err := os.WriteFile("/proc/self/oom_score_adj", []byte("100"), 0); err != nil {
		t.Fatal(err)
	}
	defer os.WriteFile("/proc/self/oom_score_adj", before, 0)
	known := spared
	spared = func() bool { return true }
	defer func() { spared = known }()
	p := start(t,
		Spec{Path: "/bin/sh", Args: []string{"sh", "-c", "read x; cat /proc/self/oom_score_adj"},
			Dir: "/"})
	p.Stdin.Write([]byte("\n"))
	if out := rest(t, p.Stdout); out != "0\n" {
		t.Errorf("%q", out)
	}
}

// A stage runs before most packages of its program are initialized: the runtime's own trace of that
// does not have the test framework's.
func TestStageRunsEarly(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], stage.Mark)
	cmd.Env = []string{"GODEBUG=inittrace=1"}
	out, _ := cmd.CombinedOutput() // descriptor 3 is not there: it ends
	if code := cmd.ProcessState.ExitCode(); code != 2 {
		t.Errorf("exit code %d", code)
	}
	if text := string(out); !strings.Contains(text, "init os ") ||
		strings.Contains(text, "init flag ") || strings.Contains(text, "init unicode ") {
		t.Errorf("initialized before it:\n%s", text)
	}
}

// Waiting stages are used, replaced, and gone at the end; one that was killed meanwhile makes
// nothing fail.
func TestReadyStages(t *testing.T) {
	acct := nobody(t)
	defer EndReady()
	KeepReady()
	for round := range 3 {
		pids := waitReady(t, 2)
		if round == 2 {
			for _, pid := range pids {
				syscall.Kill(pid, syscall.SIGKILL)
				waitState(t, pid, 'Z')
			}
		}
		p := start(t, Spec{Path: "/bin/sh", Args: []string{"sh", "-c", "echo $$; kill -9 $$"},
			Dir: "/", Credential: acct.Credential})
		if out := rest(t, p.Stdout); out != fmt.Sprintln(p.PID) {
			t.Errorf("%q, not %d", out, p.PID)
		}
		if used := slices.Contains(pids, p.PID); used != (round < 2) {
			t.Errorf("round %d: %d of %v", round, p.PID, pids)
		}
		if r := result(t, p); r.Signal != "KILL" {
			t.Errorf("%+v", r)
		}
	}
	pids := waitReady(t, 2)
	EndReady()
	for _, pid := range pids {
		if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
			t.Errorf("%d is there: %v", pid, err)
		}
	}
}

// waitReady waits until so many stages wait, and tells their ids.
func waitReady(t *testing.T, n int) (pids []int) {
	t.Helper()
	for ctx, tick := t.Context(), time.NewTicker(time.Millisecond); ; {
		ready.Lock()
		pids = nil
		for _, s := range ready.stages {
			pids = append(pids, s.p.PID)
		}
		ready.Unlock()
		if len(pids) == n {
			return pids
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal(pids)
		}
	}
}
