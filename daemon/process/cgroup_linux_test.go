package process

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// aCgroup is a new cgroup with the pids controller and a limit, v2 or v1, whichever is there.
func aCgroup(t *testing.T, limit int) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("not run: needs root")
	}
	for _, top := range []string{"/sys/fs/cgroup/pids", "/sys/fs/cgroup"} {
		dir := filepath.Join(top, "minissh-test-"+strconv.Itoa(os.Getpid()))
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		t.Cleanup(func() {
			for _, dir := range []string{dir + "/users/65533", dir + "/users/65532", dir + "/users",
				dir + "/daemon", dir} {
				if err := os.Remove(dir); err != nil && !os.IsNotExist(err) {
					t.Error(err)
				}
			}
		})
		if err := write(filepath.Join(dir, "pids.max"), strconv.Itoa(limit)); err != nil {
			os.Remove(dir)
			continue
		}
		return dir
	}
	t.Skip("not run: needs a cgroup with the pids controller")
	return ""
}

// An account that has used up its processes is told so, while another one and root start commands.
func TestCgroupOfAnAccount(t *testing.T) {
	acct := nobody(t)
	other := *acct.Credential
	other.UID = 65532
	dir := aCgroup(t, 300)
	if _, err := UseCgroups(dir, 30, false); err != nil {
		t.Fatal(err)
	}
	defer func() { cgroups = nil }()
	if n, _ := readCount(dir + "/users/pids.max"); n != 172 { // 128 are the daemon's
		t.Errorf("all accounts may have %d processes", n)
	}
	sleeper := func(as *Credential) (*Process, error) {
		return Start(Spec{Path: "/bin/sh", Args: []string{"sh", "-c", "echo; read x"}, Dir: "/",
			Credential: as})
	}
	for range 23 {
		p, err := sleeper(acct.Credential)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			p.Stdin.Close()
			result(t, p)
			p.Close()
		}()
		lines(t, p.Stdout, 1)
	}
	if p, err := sleeper(acct.Credential); !errors.Is(err, ErrTasks) {
		t.Errorf("the 24th process of 30, with 8 for a start: %v", err)
		p.Close()
	}
	for _, as := range []*Credential{&other, {}} {
		p, err := sleeper(as)
		if err != nil {
			t.Errorf("uid %d: %v", as.UID, err)
			continue
		}
		defer p.Close()
		where, _ := os.ReadFile("/proc/" + strconv.Itoa(p.PID) + "/cgroup")
		if in := strings.Contains(string(where), "users/65532"); in != (as.UID != 0) {
			t.Errorf("uid %d is in %s", as.UID, where)
		}
		p.Stdin.Close()
		result(t, p)
	}
}

// The limit of the account itself (RLIMIT_NPROC) is told in the same words. The threads of a stage
// do not count against it.
func TestProcessLimitOfAnAccount(t *testing.T) {
	acct := nobody(t)
	acct.Credential.UID = 65531
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &before); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NPROC, &before)
	if err := unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: 3, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	spec := Spec{Path: "/bin/sh", Args: []string{"sh", "-c", "echo; read x"}, Dir: "/",
		Credential: acct.Credential}
	for range 4 { // the kernel lets one beyond the limit change its ids
		p, err := Start(spec)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			p.Stdin.Close()
			result(t, p)
			p.Close()
		}()
		lines(t, p.Stdout, 1)
	}
	if p, err := Start(spec); !errors.Is(err, ErrTasks) || !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("the fifth of 3: %v", err)
		if err == nil {
			p.Close()
		}
	}
}

// Threads that were started early exist.
func TestStartThreads(t *testing.T) {
	StartThreads(40)
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil || len(tasks) < 40 {
		t.Errorf("%d threads, %v", len(tasks), err)
	}
}
