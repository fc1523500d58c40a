//go:build linux

package pam_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

// noting are rules that note in a file when a session begins and ends.
const noting = `account required pam_permit.so
session required pam_exec.so /etc/noted
`

// notes makes the module's program, whose notes are in the file that it returns.
func (w *world) notes() (file string) {
	w.t.Helper()
	file = w.Write("notes", "")
	w.put("/etc/noted", "#!/bin/sh\necho $PAM_TYPE $PAM_USER $PAM_RHOST $PAM_TTY >>"+file+
		"\n[ -z \"$1\" ] || echo $PAM_TYPE $SSH_CONNECTION >>"+file+"\n")
	w.must("chmod", "755", "/etc/noted")
	return file
}

func (w *world) noted(file string) string {
	text, err := os.ReadFile(file)
	w.Must(err)
	return string(text)
}

const (
	opened = "open_session pamela 127.0.0.1 ssh\n"
	closed = "close_session pamela 127.0.0.1 ssh\n"
)

// A session of PAM begins before its first command, and ends after its last one.
func TestSessionIsClosed(t *testing.T) {
	w := newWorld(t)
	w.account("useradd", "-m", "-s", "/bin/sh", "pamela")
	w.rules(noting)
	file := w.notes()
	w.startOurs()
	if r := w.run("minisshd", "pamela", "cat "+file); r.Code != 1 { // which is not pamela's to read
		t.Errorf("%+v", r)
	}
	testend.Until(t, "it is closed", func() bool { return w.noted(file) == opened+closed })
	if r := w.run("minisshd", "pamela", "true"); r.Code != 0 {
		t.Errorf("%+v", r)
	}
	testend.Until(t, "it is closed", func() bool {
		return w.noted(file) == opened+closed+opened+closed
	})
	w.noneLeft()
}

// helpers are the PAM processes of the daemon.
func (w *world) helpers() (pids []int) {
	names, _ := os.ReadDir("/proc")
	for _, entry := range names {
		text, err := os.ReadFile("/proc/" + entry.Name() + "/cmdline")
		words := strings.Split(string(text), "\x00")
		if err != nil || len(words) < 3 || words[0] != w.built || words[2] != "pam" {
			continue
		}
		var pid int
		fmt.Sscan(entry.Name(), &pid)
		pids = append(pids, pid)
	}
	return pids
}

// noneLeft waits until no PAM process is there but the one that waits for the next login.
func (w *world) noneLeft() {
	w.t.Helper()
	testend.Until(w.t, "PAM processes are gone", func() bool { return len(w.helpers()) <= 1 })
}

// A job keeps its session of PAM open, also when its daemon is killed, until it has ended.
func TestSessionOfJob(t *testing.T) {
	w := newWorld(t)
	w.account("useradd", "-m", "-s", "/bin/sh", "pamela")
	w.rules(strings.TrimSpace(noting) + " connections\n")
	file := w.notes()
	w.startOurs()
	w.must("mkfifo", "-m", "666", w.Path("go"))
	job := w.client("minisshd", "pamela", "--detach", "127.0.0.1", "read line <"+w.Path("go"))
	if r := w.RunCmd(job); r.Code != 0 {
		t.Fatalf("%+v", r)
	}
	_, jobs, _ := strings.Cut(w.noted(file), "open_session 127")
	jobs, _, _ = strings.Cut(jobs, "\n")
	if r := w.run("minisshd", "pamela", "true"); r.Code != 0 { // a session that ends later
		t.Fatalf("%+v", r)
	}
	testend.Until(t, "the second is closed", func() bool {
		return strings.Contains(w.noted(file), closed)
	})
	w.Must(w.daemon.Cmd.Process.Signal(syscall.SIGKILL))
	<-w.daemon.Done
	if text := w.noted(file); jobs == "" || strings.Contains(text, "close_session 127"+jobs) {
		t.Errorf("closed while the job runs:\n%s", text)
	}
	gate, err := os.OpenFile(w.Path("go"), os.O_WRONLY, 0)
	w.Must(err)
	defer gate.Close()
	if _, err := gate.WriteString("on\n"); err != nil {
		t.Fatal(err)
	}
	testend.Until(t, "the job's is closed", func() bool {
		return strings.Contains(w.noted(file), "close_session 127"+jobs)
	})
	w.noneLeft()
}

// A daemon that is killed leaves no session of PAM open.
func TestSessionOfKilledDaemon(t *testing.T) {
	w := newWorld(t)
	w.account("useradd", "-m", "-s", "/bin/sh", "pamela")
	w.rules(noting)
	file := w.notes()
	w.startOurs()
	shell := w.client("minisshd", "pamela", "127.0.0.1", "echo here; exec cat")
	in, err := shell.StdinPipe()
	w.Must(err)
	defer in.Close()
	client := w.Start(shell)
	client.Out.Await(t, "here")
	w.Must(w.daemon.Cmd.Process.Signal(syscall.SIGKILL))
	testend.Until(t, "it is closed", func() bool { return w.noted(file) == opened+closed })
	w.noneLeft()
}

// What ends a PAM process ends the client's session, and PAM's is closed.
func TestSessionIsTerminated(t *testing.T) {
	w := newWorld(t)
	w.account("useradd", "-m", "-s", "/bin/sh", "pamela")
	w.rules(noting)
	file := w.notes()
	w.startOurs("--stop-grace", "1s")
	client := w.Start(w.client("minisshd", "pamela", "127.0.0.1", "echo here; sleep 300"))
	client.Out.Await(t, "here")
	for _, pid := range w.helpers() {
		w.Must(syscall.Kill(pid, syscall.SIGTERM))
	}
	<-client.Done
	if text := client.Log.String(); client.Cmd.ProcessState.ExitCode() != 255 ||
		!strings.Contains(text, "ended this session") {
		t.Errorf("%d, %s", client.Cmd.ProcessState.ExitCode(), text)
	}
	testend.Until(t, "it is closed", func() bool { return w.noted(file) == opened+closed })
	w.noneLeft()
}

// A process that could not become a stage is the daemon's child, and is reaped.
func TestStageIsNotExecuted(t *testing.T) {
	w := newWorld(t)
	w.account("useradd", "-m", "-s", "/bin/sh", "pamela")
	w.rules(noting)
	w.notes()
	w.startOurs()
	master := w.client("minisshd", "pamela", "-M", "-S", w.Path("shared"), "127.0.0.1",
		"echo here; cat")
	in, err := master.StdinPipe()
	w.Must(err)
	defer in.Close()
	w.Start(master).Out.Await(t, "here")
	shared := func() testhost.Ran {
		return w.Run("ssh", "-F", "none", "-S", w.Path("shared"), "127.0.0.1", "echo in")
	}
	w.must("umount", "-l", "/proc")
	for range 2 {
		if r := shared(); r.Code != 255 || !strings.Contains(r.Err, "cannot start another") {
			t.Errorf("without /proc: %+v", r)
		}
	}
	if w.zombies() == 0 {
		t.Error("nothing was forked: this test shows nothing")
	}
	w.must("mount", "-t", "proc", "none", "/proc")
	if r := shared(); r.Out != "in\n" {
		t.Errorf("with /proc again: %+v", r)
	}
	testend.Until(t, "nothing waits to be reaped", func() bool { return w.zombies() == 0 })
}

// zombies counts the daemon's children that have ended and were not reaped.
func (w *world) zombies() (n int) {
	names, _ := os.ReadDir("/proc")
	ours := fmt.Sprintf(" Z %d ", w.daemon.Cmd.Process.Pid)
	for _, entry := range names {
		text, _ := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if strings.Contains(string(text), ours) {
			n++
		}
	}
	return n
}

// A module that hangs holds up its own login alone, and that is refused. What it has started is
// gone then.
func TestModuleHangs(t *testing.T) {
	w := newWorld(t)
	w.account("useradd", "-m", "-s", "/bin/sh", "pamela")
	w.account("useradd", "-m", "-s", "/bin/sh", "mallory")
	w.must("mkfifo", "-m", "666", w.Path("never"))
	w.put("/etc/hangs", "#!/bin/sh\n[ $PAM_USER = mallory ] || exit 0\nexec cat "+w.Path("never")+
		"\n")
	w.must("chmod", "755", "/etc/hangs")
	for _, rules := range []string{
		"account required pam_exec.so /etc/hangs\nsession required pam_permit.so\n",
		"account required pam_permit.so\nsession required pam_exec.so /etc/hangs\n",
	} {
		w.rules(rules)
		w.startOurs("--login-grace", "3s")
		hanging := w.Start(w.client("minisshd", "mallory", "127.0.0.1", "echo in"))
		testend.Until(t, "a module hangs", func() bool { return w.waits() })
		for range 5 {
			if r := w.run("minisshd", "pamela", "echo in"); r.Out != "in\n" {
				t.Errorf("beside a module that hangs: %+v", r)
			}
		}
		<-hanging.Done
		if text := hanging.Log.String(); hanging.Cmd.ProcessState.ExitCode() != 255 ||
			!strings.Contains(text, "PAM does not answer") {
			t.Errorf("%d, %s", hanging.Cmd.ProcessState.ExitCode(), text)
		}
		w.noneLeft()
		testend.Until(t, "what the module started is gone", func() bool { return !w.waits() })
		w.Must(w.daemon.Cmd.Process.Signal(syscall.SIGTERM))
		<-w.daemon.Done
	}
}

// One account whose modules hang takes half of the places of those who have not logged in, and few
// of root's processes; and none as soon as its clients have gone.
func TestManyLoginsHang(t *testing.T) {
	w := newWorld(t)
	w.account("useradd", "-m", "-s", "/bin/sh", "pamela")
	w.account("useradd", "-m", "-s", "/bin/sh", "mallory")
	w.must("mkfifo", "-m", "666", w.Path("never"))
	w.put("/etc/hangs", "#!/bin/sh\n[ $PAM_USER = mallory ] || exit 0\nexec cat "+w.Path("never")+
		"\n")
	w.must("chmod", "755", "/etc/hangs")
	w.rules("account required pam_exec.so /etc/hangs\nsession required pam_permit.so\n")
	w.startOurs("--login-grace", "10m", "--max-startups", "60")
	var clients []*exec.Cmd
	for i := range 40 { // from four addresses
		clients = append(clients, w.client("minisshd", "mallory", "-b",
			fmt.Sprintf("127.0.0.%d", 2+i%4), "127.0.0.1", "echo in"))
	}
	var hanging []*testhost.Daemon
	for _, client := range clients {
		hanging = append(hanging, w.Start(client))
	}
	refused := func() (n int) {
		for _, client := range hanging {
			if strings.Contains(client.Log.String(), "logins of this user wait") {
				n++
			}
		}
		return n
	}
	testend.Until(t, "the others are refused", func() bool { return refused() == 10 })
	testend.Until(t, "eight of them are asked about", func() bool { return w.modules() == 8 })
	for range 3 {
		if r := w.run("minisshd", "pamela", "echo in"); r.Out != "in\n" {
			t.Errorf("beside modules that hang: %+v", r)
		}
	}
	if n := len(w.helpers()); n > 8+6 { // pamela's may be ending
		t.Errorf("%d PAM processes", n)
	}
	for _, client := range hanging {
		client.Cmd.Process.Kill()
		<-client.Done
	}
	testend.Until(t, "what the modules started is gone", func() bool { return w.modules() == 0 })
	w.noneLeft()
	if text := w.daemon.Log.String(); !strings.Contains(text,
		"the client has gone while PAM was asked") {
		t.Errorf("%s", text)
	}
}

// waits says whether a module's program waits for what never comes.
func (w *world) waits() bool { return w.modules() > 0 }

// modules counts the modules' programs that wait for what never comes.
func (w *world) modules() (n int) {
	names, _ := os.ReadDir("/proc")
	for _, entry := range names {
		text, _ := os.ReadFile("/proc/" + entry.Name() + "/cmdline")
		if string(text) == "cat\x00"+w.Path("never")+"\x00" {
			n++
		}
	}
	return n
}

// The owner of a password that has expired changes it on a terminal, as with sshd, and does nothing
// else before.
func TestExpiredPassword(t *testing.T) {
	w := newWorld(t)
	w.account("useradd", "-m", "-s", "/bin/sh", "pamela")
	set := w.do("chpasswd")
	set.Stdin = strings.NewReader("pamela:Oldpassword1\n")
	w.Must(set.Run())
	w.must("chage", "-d", "0", "pamela")
	w.rules(debianRules)
	w.startOurs()
	if r := w.run("minisshd", "pamela", "echo in"); r.Code != 255 || r.Out != "" ||
		!strings.Contains(r.Err, "minissh -t") {
		t.Errorf("%+v", r)
	}
	copied := w.Run("minissh", "cp", "-F", "none", "-i", w.Path("home/.ssh/id_ed25519"), "-P",
		w.port["minisshd"], "-o", "UserKnownHostsFile="+w.Path("known_minisshd"),
		w.Path("host_key.pub"), "pamela@127.0.0.1:x")
	if copied.Code == 0 || !strings.Contains(copied.Err, "has expired") {
		t.Errorf("a copy: %+v", copied)
	}
	change := w.client("minisshd", "pamela", "-tt", "127.0.0.1", "echo in")
	in, err := change.StdinPipe()
	w.Must(err)
	client := w.Start(change)
	for _, step := range [][2]string{{"Current password", "Oldpassword1"},
		{"New password", "Another-pass-2"}, {"Retype", "Another-pass-2"}} {
		client.Out.Await(t, step[0])
		io.WriteString(in, step[1]+"\n")
	}
	<-client.Done
	in.Close()
	if text := client.Out.String(); !strings.Contains(text, "successfully") {
		t.Errorf("%s%s", text, client.Log)
	}
	if r := w.run("minisshd", "pamela", "echo in"); r.Out != "in\n" {
		t.Errorf("after the change: %+v", r)
	}
}

// Who has a good key is told why PAM does not let the account in.
func TestExpiredAccount(t *testing.T) {
	w := newWorld(t)
	w.account("useradd", "-m", "-s", "/bin/sh", "pamela")
	w.must("chage", "-E", "0", "pamela")
	w.rules(debianRules)
	w.startOurs()
	if r := w.run("minisshd", "pamela", "echo in"); r.Code != 255 ||
		!strings.Contains(r.Err, "Permission denied (publickey); keys tried or offered: ") ||
		!strings.Contains(r.Err, "the other side says \"PAM does not let this account in: Your "+
			"account has expired") {
		t.Errorf("%+v", r)
	}
}

// Whoever comes back to a session is asked about again (RULES B17), and a session whose account PAM
// does not know any more ends.
func TestResumedSession(t *testing.T) {
	w := newWorld(t)
	w.account("useradd", "-m", "-s", "/bin/sh", "pamela")
	w.rules("account required pam_unix.so\nsession required pam_permit.so\n")
	w.startOurs()
	to := w.port["minisshd"]
	conns := make(chan net.Conn, 16)
	w.port["minisshd"] = relayed(t, "127.0.0.1:"+to, conns)
	command := w.client("minisshd", "pamela", "127.0.0.1", "echo here; read a; echo $a; read b")
	in, err := command.StdinPipe()
	w.Must(err)
	defer in.Close()
	client := w.Start(command)
	client.Out.Await(t, "here")
	(<-conns).Close()
	io.WriteString(in, "back\n")
	client.Out.Await(t, "back")
	w.must("chage", "-E", "2020-01-01", "pamela")
	(<-conns).Close()
	<-client.Done
	if text := client.Log.String(); client.Cmd.ProcessState.ExitCode() != 255 ||
		!strings.Contains(text, "PAM does not let this account in any more") {
		t.Errorf("%d, %s", client.Cmd.ProcessState.ExitCode(), text)
	}
	w.noneLeft()
}

// relayed passes connections on to an address; conns gets the ones that it has accepted.
func relayed(t *testing.T, to string, conns chan net.Conn) (port string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			go func() { io.Copy(near, far); near.Close() }()
			go func() { io.Copy(far, near); far.Close() }()
			conns <- near
		}
	}()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port
}

// A program without PAM says so, and without rules a daemon does not start.
func TestWithoutPAM(t *testing.T) {
	w := newWorld(t)
	static := w.RunCmd(w.do("minisshd", "--config", "none", "--pam", "yes"))
	if static.Code != 1 || !strings.Contains(static.Err, "built without PAM") {
		t.Errorf("%+v", static)
	}
	w.must("rm", "-f", "/etc/pam.d/minisshd")
	ruleless := w.RunCmd(w.do(w.built, "--config", "none", "--host-key", w.Path("host_key")))
	if ruleless.Code != 1 || !strings.Contains(ruleless.Err, "no rules for PAM") {
		t.Errorf("%+v", ruleless)
	}
	w.account("useradd", "-m", "-s", "/bin/sh", "pamela")
	w.startOurs("--pam", "no")
	if r := w.run("minisshd", "pamela", "true"); r.Code != 255 ||
		!strings.Contains(w.daemon.Log.String(), "it is locked") {
		t.Errorf("a locked account without PAM: %+v\n%s", r, w.daemon.Log)
	}
}

// leaving is a module that leaves a file open.
const leaving = `
#include <fcntl.h>
#include <security/pam_modules.h>
int pam_sm_open_session(pam_handle_t *h, int flags, int argc, const char **argv) {
	return open("/etc/shadow", O_RDONLY) < 0 ? PAM_SESSION_ERR : PAM_SUCCESS;
}
int pam_sm_close_session(pam_handle_t *h, int flags, int argc, const char **argv) {
	return PAM_SUCCESS;
}
`

// A session that cannot be closed is told of.
func TestSessionIsNotClosed(t *testing.T) {
	w := newWorld(t)
	w.account("useradd", "-m", "-s", "/bin/sh", "pamela")
	w.put("/etc/noted", "#!/bin/sh\n[ $PAM_TYPE = open_session ]\n")
	w.must("chmod", "755", "/etc/noted")
	w.rules(noting)
	w.startOurs()
	if r := w.run("minisshd", "pamela", "echo in"); r.Out != "in\n" {
		t.Errorf("%+v", r)
	}
	w.daemon.Log.Await(t, "closing the session of pamela")
}

// What a module leaves open stays out of commands.
func TestModuleLeavesFileOpen(t *testing.T) {
	w := newWorld(t)
	w.account("useradd", "-m", "-s", "/bin/sh", "pamela")
	module := w.Path("leaving.so")
	w.must("gcc", "-shared", "-fPIC", "-o", module, w.Write("leaving.c", leaving))
	w.rules("account required pam_permit.so\nsession required " + module + "\n")
	w.startOurs()
	r := w.run("minisshd", "pamela", "ls -l /proc/self/fd")
	if r.Code != 0 || !strings.Contains(r.Out, "pipe:") || strings.Contains(r.Out, "shadow") {
		t.Errorf("%+v", r)
	}
}
