package daemon

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"minissh/daemon/access"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

// jobsInCgroups gives jobs cgroups of their own for a test, and says where.
func jobsInCgroups(t *testing.T) (dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	mounts, _ := os.ReadFile("/proc/self/mounts")
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			dir = filepath.Join(f[1], "minissh-test-"+strconv.Itoa(os.Getpid()))
			break
		}
	}
	if dir == "" || os.Mkdir(dir, 0o755) != nil {
		t.Skip("not run: needs cgroup v2")
	}
	t.Cleanup(func() {
		os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0)
		testend.Until(t, "the cgroup can be removed", func() bool {
			process.UseJobCgroups(dir)
			process.UseJobCgroups("/nowhere")
			os.Remove(filepath.Join(dir, "jobs"))
			return os.Remove(dir) == nil
		})
	})
	if process.UseJobCgroups(dir) != dir {
		t.Skip("not run: needs cgroup.kill (Linux 5.14)")
	}
	return dir
}

// noJobsIn waits until the cgroups of all jobs have been removed.
func (l *lab) noJobsIn(dir string) {
	l.t.Helper()
	l.until("the cgroups of jobs that have ended are removed", func() bool {
		left, _ := filepath.Glob(filepath.Join(dir, "jobs/job-*"))
		return len(left) == 0
	})
}

// escapes is a command with a child that has left its kernel session, and heeds no hang-up.
const escapes = "trap '' HUP; (setsid sh -c 'echo $$ >escaped; exec sleep 1000' &); " +
	"trap - HUP; exec sleep 1000"

func (l *lab) stopsAll(s *mux.Session, home, dir string) {
	l.t.Helper()
	r := jobRecords(l.t, s, command("cd "+home+"; "+escapes))[0]
	var escaped int
	l.until("a child has left the session", func() bool {
		text, _ := os.ReadFile(filepath.Join(home, "escaped"))
		escaped, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		return escaped > 0
	})
	for _, pid := range []int{escaped, r.PID} {
		text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
		_, path, _ := strings.Cut(string(text), "0::")
		path, _, _ = strings.Cut(path, "\n")
		if !strings.Contains(path, filepath.Base(dir)+"/jobs/job-") ||
			!strings.HasSuffix(path, "/command") {
			l.t.Errorf("process %d is in %q", pid, path)
		}
	}
	stopped := jobRecords(l.t, s, protocol.Open{Job: &protocol.Job{Do: protocol.JobStop,
		Name: r.ID}})
	if len(stopped) != 1 || stopped[0].Exit == nil || len(stopped[0].Exit.Left) > 0 ||
		stopped[0].Exit.How != protocol.HowCancelled {
		l.t.Errorf("%+v", stopped)
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(escaped) + "/stat")
	if err == nil && !strings.Contains(string(stat), ") Z ") {
		l.t.Errorf("what left the session lives: %s", stat)
	}
	l.noJobsIn(dir)
}

// A job with a cgroup of its own is stopped as a whole, with what has left its kernel session, when
// a client stops it and at its deadline; and the cgroup is removed.
func TestJobCgroup(t *testing.T) {
	dir := jobsInCgroups(t)
	l := newLab(t, func(o *Options) { o.StopGrace = 50 * time.Millisecond })
	s := l.session(nil)
	defer s.Close(nil)
	l.stopsAll(s, t.TempDir(), dir)

	home := t.TempDir()
	open := command("cd " + home + "; " + escapes)
	open.Timeout = 300
	r := l.begun(s, open)
	got := collect(t, attach(t, s, r.ID))
	if got.exit == nil || got.exit.How != protocol.HowDeadline || len(got.exit.Left) > 0 {
		t.Errorf("%+v", got)
	}
	l.noJobsIn(dir)
}

// What a job leaves running when it ends by itself lives on; its cgroup goes when the next daemon
// starts and nothing is in it any more.
func TestJobCgroupLeft(t *testing.T) {
	dir := jobsInCgroups(t)
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	home := t.TempDir()
	r := l.begun(s, command("cd "+home+"; nohup sleep 1000 >/dev/null 2>&1 & echo $! >left"))
	if got := collect(t, attach(t, s, r.ID)); got.exit == nil || *got.exit.Code != 0 {
		t.Fatalf("%+v", got)
	}
	l.keeperEnds(r.ID)
	text, _ := os.ReadFile(filepath.Join(home, "left"))
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	process.UseJobCgroups(dir)
	left, _ := filepath.Glob(filepath.Join(dir, "jobs/job-*/command/cgroup.kill"))
	if len(left) != 1 {
		t.Fatalf("%q are left", left)
	}
	if err := os.WriteFile(left[0], []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	testend.Gone(t, pid)
	l.until("it is removed", func() bool {
		process.UseJobCgroups(dir)
		_, err := os.Stat(left[0])
		return os.IsNotExist(err)
	})
}

// An account's job is in a cgroup from which the account can stop all of it, and into which it can
// move nothing from elsewhere, or out.
func TestJobCgroupOfAnAccount(t *testing.T) {
	dir := jobsInCgroups(t)
	needAccounts(t)
	l := accountsLab(t, access.Policy{})
	id := newKey(t)
	acct := newAccount(t, id.Public)
	s := l.as(acct, id)
	defer s.Close(nil)
	home := acct.Home
	l.home = home
	l.stopsAll(s, home, dir)

	r := jobRecords(t, s, command("exec 2>&1; for there in "+dir+" "+dir+"/jobs; do "+
		"(echo 0 >$there/cgroup.procs); (echo 1 >$there/cgroup.kill); mkdir $there/mine; done; "+
		"cd "+dir+"/jobs/job-*/ && mkdir mine command/mine; find . -type f -user $(id -u) | sort"))
	got := collect(t, attach(t, s, r[0].ID))
	if n := strings.Count(got.out, "ermission denied"); n != 8 || !strings.HasSuffix(got.out,
		"\n./cgroup.procs\n./command/cgroup.kill\n./command/cgroup.procs\n") {
		t.Errorf("%d: %s", n, got.out)
	}
	l.noJobsIn(dir)
}
