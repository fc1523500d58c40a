//go:build linux

package service_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"minissh/scripts/testhost"
)

// alive says whether a process runs; a zombie does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, _ := strings.Cut(string(stat), ") ")
	return err == nil && !strings.HasPrefix(after, "Z")
}

// pidIn is the process id that a command wrote, once it has.
func pidIn(t *testing.T, p *testhost.Place, name string) (pid int) {
	t.Helper()
	await(t, name, func() bool {
		text := p.Read(name)
		pid, _ = strconv.Atoi(strings.TrimSpace(text))
		return strings.HasSuffix(text, "\n")
	})
	return pid
}

// The daemon proper is killed: what clients had running is stopped, also what ignores HUP; what
// they left in the background, and a job, lives; a new daemon serves at once; and clients are told.
func TestCrash(t *testing.T) {
	p := testhost.New(t)
	r := supervised(t, p, "--stop-grace", "500ms")
	note := func(name string) string { return "echo $$ >" + p.Path(name) + "; " }
	// what was left in the background: on purpose, by a command that has ended since
	b := p.Run("minissh", "box", "sh -c '"+note("left")+"exec sleep 290' >/dev/null 2>&1 &")
	if b.Code != 0 {
		t.Fatalf("%+v", b)
	}
	told := new(testhost.Text)
	c := p.StartWith(p.Command("minissh", "box", "sh -c '"+note("child")+"exec sleep 291' & "+
		note("plain")+"sleep 292; echo never"), io.Discard, told)
	d := p.StartWith(p.Command("minissh", "box", "trap '' HUP; "+note("deaf")+
		"while :; do sleep 1; done"), io.Discard, io.Discard)
	// a shell's background job on a terminal is the shell's affair
	e := p.StartWith(p.Command("minissh", "-tt", "box", "set -m; nohup sh -c '"+note("nohup")+
		"exec sleep 293' >/dev/null 2>&1 & "+note("shell")+"sleep 294"), io.Discard, io.Discard)
	j := p.Run("minissh", "--detach", "--name", jobName(), "box", note("job")+"exec sleep 295")
	if j.Code != 0 {
		t.Fatalf("%+v", j)
	}
	dead := []int{pidIn(t, p, "plain"), pidIn(t, p, "child"), pidIn(t, p, "deaf"),
		pidIn(t, p, "shell")}
	lives := []int{pidIn(t, p, "left"), pidIn(t, p, "nohup"), pidIn(t, p, "job")}
	t.Cleanup(func() {
		for _, pid := range lives {
			syscall.Kill(pid, unix.SIGKILL)
		}
	})
	daemon := r.daemons()
	if len(daemon) != 1 {
		t.Fatalf("the daemons are %v", daemon)
	}
	p.Must(syscall.Kill(daemon[0], unix.SIGKILL))
	killed := time.Now()
	if run := p.Run("minissh", "box", "echo served"); run.Out != "served\n" {
		t.Errorf("%+v", run)
	}
	t.Logf("served again after %v", time.Since(killed))
	await(t, "all commands dead", func() bool {
		for _, pid := range dead {
			if alive(pid) {
				return false
			}
		}
		return true
	})
	for _, one := range []*testhost.Daemon{c, d, e} {
		<-one.Done
		if code := one.Cmd.ProcessState.ExitCode(); code != 255 {
			t.Errorf("a client's exit code is %d", code)
		}
	}
	if text := told.String(); !strings.Contains(text, "was restarted") ||
		!strings.Contains(text, "its outcome is unknown") {
		t.Errorf("a client is told %s", text)
	}
	for _, pid := range lives {
		if !alive(pid) {
			t.Errorf("what should live is dead: %v of %v; %s", pid, lives, r.Log)
		}
	}
	if s := p.Run("minissh", "job", "stop", "box", jobName()); s.Code != 0 {
		t.Errorf("%+v", s)
	}
	removeJobs(p)
	if zombies := zombiesOf(r.Cmd.Process.Pid); len(zombies) > 0 {
		t.Errorf("the supervisor has not reaped %v", zombies)
	}
}

// zombiesOf lists the children of a process that nobody has reaped, after a moment for it.
func zombiesOf(pid int) (list []string) {
	for range 50 {
		list = nil
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
		for _, task := range tasks {
			text, _ := os.ReadFile(task)
			for _, child := range strings.Fields(string(text)) {
				if id, _ := strconv.Atoi(child); !alive(id) {
					list = append(list, child)
				}
			}
		}
		if list == nil {
			return nil
		}
		<-time.After(20 * time.Millisecond)
	}
	return list
}

// A supervisor that dies leaves its daemon to serve its sessions to their end; what it listened on
// is free for the next one.
func TestSupervisorKilled(t *testing.T) {
	p := testhost.New(t)
	r := supervised(t, p)
	cat := p.Command("minissh", "box", "cat; exit 7")
	typed, err := cat.StdinPipe()
	p.Must(err)
	said := new(testhost.Text)
	c := p.StartWith(cat, said, os.Stderr)
	fmt.Fprintln(typed, "one")
	said.Await(t, "one\n")
	old := r.daemons()
	r.Cmd.Process.Kill()
	r.Log.Await(t, "this one stays for its sessions")
	next := p.Start(p.Command("minisshd", "--supervisor", "yes", "--control", r.control,
		"--listen", "127.0.0.1:"+r.Port, "--host-key", p.Path("host_key"), "--authorized-keys",
		p.Path("authorized_keys")))
	next.Out.Await(t, "\n")
	other := p.Start(p.Command("minissh", "box", "sleep 300"))
	// the numbers of the new daemon's sessions are above those of the old one's
	await(t, "both sessions", func() bool {
		who := p.Run("minisshd", "who", "--control", r.control).Out
		return strings.Contains(who, `(old daemon) "cat; exit 7"`) &&
			strings.Contains(who, "\n1 ") && strings.Contains(who, "\n1002 ")
	})
	other.Cmd.Process.Signal(syscall.SIGTERM)
	fmt.Fprintln(typed, "two")
	typed.Close()
	<-c.Done
	if code := cat.ProcessState.ExitCode(); code != 7 || said.String() != "one\ntwo\n" {
		t.Errorf("exit code %d, %q", code, said)
	}
	await(t, "the end of the old daemon", func() bool { return !alive(old[0]) })
}

// Signals: the first ends everything, as without a supervisor, also if all processes get it; the
// second ends it at once; USR2 ends nobody, not even a daemon without a supervisor, or a keeper.
func TestSupervisorSignals(t *testing.T) {
	for _, c := range []struct {
		name  string
		group bool
		twice bool
	}{{"once", false, false}, {"once, to all", true, false}, {"twice", false, true}} {
		t.Run(c.name, func(t *testing.T) {
			p := testhost.New(t)
			r := supervised(t, p, "--stop-grace", "20s", "--shutdown-grace", "400ms")
			told := new(testhost.Text)
			command := "sleep 300"
			if c.twice {
				command = "trap '' HUP TERM; " + command + "; sleep 301"
			}
			k := p.StartWith(p.Command("minissh", "box", "echo $$ >"+p.Path("pid")+"; "+command),
				io.Discard, told)
			pid := pidIn(t, p, "pid")
			r.mustUpgrade()
			began := time.Now()
			signal := func(sig syscall.Signal) {
				if r.Cmd.Process.Signal(sig); c.group {
					for _, daemon := range r.daemons() {
						syscall.Kill(daemon, sig)
					}
				}
			}
			signal(unix.SIGTERM)
			if c.twice {
				r.Log.Await(t, "Stopping")
				signal(unix.SIGINT)
			}
			<-r.Done
			<-k.Done
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
			if !c.twice && (time.Since(began) < 400*time.Millisecond ||
				r.Cmd.ProcessState.ExitCode() != 0) {
				t.Errorf("no grace: %v after %v; %s", r.Cmd.ProcessState, time.Since(began), r.Log)
			}
			await(t, "a dead command", func() bool { return !alive(pid) })
			if !strings.Contains(told.String(), "being stopped") {
				t.Errorf("the client is told %s", told)
			}
		})
	}
	p := testhost.New(t)
	d := p.Daemon()
	p.Run("minissh", "--detach", "--name", jobName(), "box", "echo $$ >"+p.Path("pid")+
		"; exec sleep 300")
	pid := pidIn(t, p, "pid")
	d.Cmd.Process.Signal(syscall.SIGUSR2)
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, after, _ := strings.Cut(string(status), "\nPPid:\t")
	parent, _, _ := strings.Cut(after, "\n")
	keeper, err := strconv.Atoi(parent)
	p.Must(err)
	p.Must(syscall.Kill(keeper, unix.SIGUSR2))
	if line := ownJob(p); !strings.Contains(line, " running ") {
		t.Errorf("%s", line)
	}
	if s := p.Run("minissh", "job", "stop", "box", jobName()); s.Code != 0 {
		t.Errorf("%+v", s)
	}
	removeJobs(p)
}

// What runs on a terminal becomes a job by ~d. It is its daemon's child still, so a daemon that was
// replaced stays for it, and tells how it ended; one that dies loses that, but the job lives.
func TestAdoptedJob(t *testing.T) {
	for _, crash := range []bool{false, true} {
		p := testhost.New(t)
		r := supervised(t, p, "--stop-grace", "100ms")
		end := p.Path("end")
		cmd := p.Command("minissh", "-t", "box", "echo $$ >"+p.Path("pid")+"; while [ ! -e "+end+
			" ]; do sleep 0.1; done; exit 7")
		cmd.Env = append(cmd.Env, "TERM=xterm")
		master, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
		p.Must(err)
		defer master.Close()
		shown := new(testhost.Text)
		go shown.ReadFrom(master)
		pid := pidIn(t, p, "pid")
		io.WriteString(master, "\r~d")
		cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 0 {
			t.Fatalf("exit code %d: %s", code, shown)
		}
		old := r.daemons()[0]
		if crash {
			p.Must(syscall.Kill(old, unix.SIGKILL))
		} else {
			r.mustUpgrade()
		}
		// for longer than a command would have that is stopped
		if run := p.Run("minissh", "box", "sleep 1; echo served"); run.Out != "served\n" {
			t.Errorf("%+v", run)
		}
		if !alive(pid) || alive(old) == crash {
			t.Errorf("crash %v: the job lives: %v, its daemon: %v", crash, alive(pid), alive(old))
		}
		p.Write("end", "")
		await(t, "the job's end", func() bool { return !alive(pid) })
		await(t, "the daemon's end", func() bool { return !alive(old) })
		want := " 7 "
		if crash {
			want = " ? "
		}
		if line := ownJob(p); !strings.Contains(line, " ended ") || !strings.Contains(line, want) {
			t.Errorf("crash %v: %s", crash, line)
		}
		removeJobs(p)
	}
}

// jobName is one that nobody else's test gives.
func jobName() string { return fmt.Sprintf("test%d", os.Getpid()) }

// ownJob is the line about this test's job among all jobs of the account.
func ownJob(p *testhost.Place) string {
	for line := range strings.Lines(p.Run("minissh", "job", "list", "box").Out) {
		if strings.Contains(line, p.Dir) {
			return line
		}
	}
	return ""
}

// removeJobs removes the jobs that a test has begun, by their commands: they are in the account's
// own home.
func removeJobs(p *testhost.Place) {
	for line := range strings.Lines(p.Run("minissh", "job", "list", "box").Out) {
		if strings.Contains(line, p.Dir) {
			p.Run("minissh", "job", "remove", "box", strings.Fields(line)[0])
		}
	}
}
