//go:build linux

package service_test

import (
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/scripts/testhost"
)

// replaced is a daemon with a supervisor, and a relay on the way to it.
type replaced struct {
	*testhost.Daemon
	t       *testing.T
	p       *testhost.Place
	control string
	relay   *relay
}

// supervised starts a daemon with a supervisor. The client knows it as `box`, and by way of the
// relay as `far`.
func supervised(t *testing.T, p *testhost.Place, args ...string) *replaced {
	t.Helper()
	dir, err := os.MkdirTemp("", "m") // a socket's path is short
	p.Must(err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	r := &replaced{t: t, p: p, control: filepath.Join(dir, "c")}
	r.Daemon = p.Start(p.Command("minisshd", append([]string{"--supervisor", "yes", "--control",
		r.control, "--listen", "127.0.0.1:0", "--host-key", p.Path("host_key"),
		"--authorized-keys", p.Path("authorized_keys")}, args...)...))
	r.Out.Await(t, "\n")
	_, after, _ := strings.Cut(r.Out.String(), "127.0.0.1:")
	r.Port, _, _ = strings.Cut(after, " ")
	p.Knows("box", r.Port)
	r.relay = newRelay(t, "127.0.0.1:"+r.Port)
	p.Knows("far", r.relay.port)
	return r
}

// daemons are the process ids of the generations.
func (r *replaced) daemons() (list []int) {
	return children(r.Cmd.Process.Pid, "minisshd")
}

// children are a process's children of a name, the oldest first.
func children(pid int, name string) (list []int) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		for _, word := range strings.Fields(string(text)) {
			comm, _ := os.ReadFile("/proc/" + word + "/comm")
			id, err := strconv.Atoi(word)
			if err == nil && strings.TrimSpace(string(comm)) == name {
				list = append(list, id)
			}
		}
	}
	slices.Sort(list)
	return list
}

// upgrade replaces the daemon, and says how that went.
func (r *replaced) upgrade() testhost.Ran {
	return r.p.Run("minisshd", "upgrade", "--control", r.control)
}

func (r *replaced) mustUpgrade() {
	r.t.Helper()
	if u := r.upgrade(); u.Code != 0 || !strings.Contains(u.Out, "serves from now on") {
		r.t.Fatalf("%+v; the daemon says %s", u, r.Log)
	}
}

// await waits until something is so.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	late := time.After(testhost.Patience)
	for !is() {
		select {
		case <-late:
			t.Fatal("never: " + what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// A running command and its input and output outlive that its daemon is replaced, twice; who shows
// old and new under numbers of one series; nobody is refused; and an old daemon goes with its last
// session.
func TestUpgrade(t *testing.T) {
	p := testhost.New(t)
	dir, err := os.MkdirTemp("", "m")
	p.Must(err)
	defer os.RemoveAll(dir)
	socket := "unix:" + filepath.Join(dir, "s")
	r := supervised(t, p, "--listen", socket)
	stop := knocking(r.Port)
	cat := p.Command("minissh", "box", "cat; exit 7")
	typed, err := cat.StdinPipe()
	p.Must(err)
	said := new(testhost.Text)
	c := p.StartWith(cat, said, os.Stderr)
	fmt.Fprintln(typed, "one")
	said.Await(t, "one\n")
	first := r.daemons()
	r.mustUpgrade()
	if now := r.daemons(); len(first) != 1 || len(now) != 2 || now[0] != first[0] {
		t.Errorf("the daemons were %v and are %v", first, now)
	}
	fmt.Fprintln(typed, "two")
	said.Await(t, "two\n")
	r.Cmd.Process.Signal(syscall.SIGUSR2)
	await(t, "a third daemon", func() bool {
		now := r.daemons() // the second one has had no session
		return len(now) == 2 && now[0] == first[0]
	})
	other := p.Start(p.Command("minissh", "box", "sleep 300"))
	await(t, "two sessions", func() bool {
		who := p.Run("minisshd", "who", "--control", r.control).Out
		return strings.Contains(who, "\n1 ") &&
			strings.Contains(who, `(old daemon) "cat; exit 7"`) &&
			strings.Contains(who, "\n2 ") && strings.Contains(who, ` "sleep 300"`)
	})
	if e := p.Run("minisshd", "end", "--control", r.control, "2"); e.Code != 0 {
		t.Errorf("%+v", e)
	}
	<-other.Done
	fmt.Fprintln(typed, "three")
	typed.Close()
	<-c.Done
	if code := cat.ProcessState.ExitCode(); code != 7 || said.String() != "one\ntwo\nthree\n" {
		t.Errorf("exit code %d, %q", code, said)
	}
	if knocks, err := stop(); err != nil || knocks < 20 {
		t.Errorf("%d connections, then %v", knocks, err)
	}
	await(t, "one daemon", func() bool {
		now := r.daemons()
		return len(now) == 1 && now[0] != first[0]
	})
	// its Unix socket has its name still, and loses it with the last daemon
	if u := p.Run("minissh", socket, "echo local"); u.Out != "local\n" {
		t.Errorf("%+v", u)
	}
	r.Cmd.Process.Signal(syscall.SIGTERM)
	<-r.Done
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}

// WELCOME names the generation, and counts its time from when no other lets anybody in (RE5, RE9).
func TestWelcomeOfGenerations(t *testing.T) {
	p := testhost.New(t)
	r := supervised(t, p, "--login-grace", "700ms")
	identity, err := keys.LoadFile(p.Path("home/.ssh/id_ed25519"), nil)
	p.Must(err)
	me, err := user.Current()
	p.Must(err)
	uptime := func() (w protocol.Welcome) {
		f := answerTo(p, r.Port, identity, func(h *protocol.Hello) { h.User = me.Username })
		p.Must(f.Decode(&w))
		return w
	}
	first := uptime()
	if first.Uptime != 0 || len(first.Generation) != 16 {
		t.Errorf("%+v", first)
	}
	await(t, "an uptime", func() bool { return uptime().Uptime > 0 })
	r.mustUpgrade()
	second := uptime()
	if second.Uptime != 0 || second.Generation == first.Generation ||
		!protocol.ValidGeneration(second.Generation) {
		t.Errorf("%+v, then %+v", first, second)
	}
}

// The administrator ends a session of an old daemon.
func TestEndOld(t *testing.T) {
	p := testhost.New(t)
	r := supervised(t, p)
	said := new(testhost.Text)
	c := p.StartWith(p.Command("minissh", "box", "echo there; sleep 300"), said, io.Discard)
	said.Await(t, "there")
	r.mustUpgrade()
	if e := p.Run("minisshd", "end", "--control", r.control, "1"); e.Code != 0 ||
		!strings.Contains(e.Out, "session 1 of") {
		t.Errorf("%+v", e)
	}
	<-c.Done
	if e := p.Run("minisshd", "end", "--control", r.control, "1"); e.Code != 1 ||
		!strings.Contains(e.Err, "there is no session 1") {
		t.Errorf("%+v", e)
	}
}

// What cannot start, or cannot serve as it is told to, leaves the old daemon serving, and is told.
func TestUpgradeFails(t *testing.T) {
	p := testhost.New(t)
	program := p.Path("minisshd")
	p.Must(os.Symlink(testhost.Bin+"/minisshd", program))
	lead := func(to string) {
		p.Must(os.Symlink(to, program+"-new"))
		p.Must(os.Rename(program+"-new", program))
	}
	dir, err := os.MkdirTemp("", "m")
	p.Must(err)
	defer os.RemoveAll(dir)
	r := &replaced{t: t, p: p, control: filepath.Join(dir, "c")}
	cmd := p.Command(program, "--supervisor", "yes", "--control", r.control, "--listen",
		"127.0.0.1:0", "--host-key", p.Path("host_key"), "--authorized-keys",
		p.Path("authorized_keys"))
	r.Daemon = p.Start(cmd)
	r.Out.Await(t, "\n")
	_, after, _ := strings.Cut(r.Out.String(), "127.0.0.1:")
	r.Port, _, _ = strings.Cut(after, " ")
	p.Knows("box", r.Port)
	first := r.daemons()
	key := p.Read("host_key")
	whole := func() { lead(testhost.Bin + "/minisshd") }
	for _, c := range []struct {
		name  string
		spoil func()
		said  string
		mend  func()
	}{
		{"a program that ends", func() { lead("/bin/false") },
			"it ended before it was ready: exit code 1", whole},
		{"no program", func() { os.Remove(program) }, "is not there", whole},
		{"a host key that is not one", func() { p.Write("host_key", "nonsense") },
			"the host key", func() { p.Write("host_key", key) }},
	} {
		c.spoil()
		u := r.upgrade()
		if u.Code != 1 || !strings.Contains(u.Err, "the old one serves on") ||
			!strings.Contains(u.Err, c.said) {
			t.Errorf("%s: %+v", c.name, u)
		}
		if now := r.daemons(); !slices.Equal(now, first) {
			t.Errorf("%s: the daemons were %v and are %v", c.name, first, now)
		}
		if run := p.Run("minissh", "box", "echo served"); run.Out != "served\n" {
			t.Errorf("%s: %+v", c.name, run)
		}
		c.mend()
	}
	// the program that the name leads to now is the one that is started
	copied, err := os.ReadFile(testhost.Bin + "/minisshd")
	p.Must(err)
	p.Must(os.WriteFile(p.Path("another"), copied, 0o700))
	lead(p.Path("another"))
	r.mustUpgrade()
	await(t, "the other program alone", func() bool {
		now := r.daemons()
		if len(now) != 1 {
			return false
		}
		exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", now[0]))
		return exe == p.Path("another")
	})
}

// A client whose link is lost after its daemon was replaced, twice, finds the daemon that has its
// session, and goes on; one that comes back after the session was ended there, and that daemon has
// gone, learns that it was.
func TestResumeFindsOld(t *testing.T) {
	p := testhost.New(t)
	r := supervised(t, p)
	cat := p.Command("minissh", "-v", "far", "cat; exit 7")
	typed, err := cat.StdinPipe()
	p.Must(err)
	said, told := new(testhost.Text), new(testhost.Text)
	c := p.StartWith(cat, said, told)
	fmt.Fprintln(typed, "one")
	said.Await(t, "one\n")
	r.mustUpgrade()
	r.mustUpgrade()
	r.relay.cut()
	fmt.Fprintln(typed, "two")
	said.Await(t, "two\n")
	told.Await(t, "is back")
	typed.Close()
	<-c.Done
	if code := cat.ProcessState.ExitCode(); code != 7 || said.String() != "one\ntwo\n" {
		t.Errorf("exit code %d, %q; %s", code, said, told)
	}
	await(t, "one daemon", func() bool { return len(r.daemons()) == 1 })

	said, told = new(testhost.Text), new(testhost.Text)
	stopped := p.Command("minissh", "far", "echo there; read x")
	stopped.Stdin, _, err = os.Pipe()
	p.Must(err)
	c = p.StartWith(stopped, said, told)
	said.Await(t, "there\n")
	r.mustUpgrade()
	stopped.Process.Signal(syscall.SIGSTOP)
	await(t, "a stopped client", func() bool {
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", stopped.Process.Pid))
		return strings.Contains(string(stat), ") T ")
	})
	r.relay.cut()
	if e := p.Run("minisshd", "end", "--control", r.control, "2"); e.Code != 0 {
		t.Errorf("%+v", e)
	}
	await(t, "one daemon", func() bool { return len(r.daemons()) == 1 })
	stopped.Process.Signal(syscall.SIGCONT)
	<-c.Done
	if code := stopped.ProcessState.ExitCode(); code != 255 ||
		!strings.Contains(told.String(), "the administrator ended this session") {
		t.Errorf("exit code %d; %s", code, told)
	}
}
