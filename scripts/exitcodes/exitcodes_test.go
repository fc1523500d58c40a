//go:build linux

// Package exitcodes_test puts minissh's exit codes beside OpenSSH's: each case runs for real with
// both, against real daemons.
package exitcodes_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

func TestMain(m *testing.M) { testhost.Main(m) }

// row is a case: the exit codes as a shell sees them (128+n for a program that signal n ended), and
// how it comes about.
type row struct {
	chinese, english string // as the README names it
	ssh, minissh     int
	args             []string // what follows the client's name; "box" is a host that lets us in
	do               func(*side) int
}

// script runs a command there.
func script(text string) []string { return []string{"box", text} }

var table = []row{
	{"成功", "success", 0, 0, script("true"), nil},
	{"命令自己的退出码", "the command's own code", 42, 42, script("exit 42"), nil},
	{"`exit 300`", "`exit 300`", 44, 44, script("exit 300"), nil},
	{"没有这个命令", "no such command", 127, 127, script("no-such-command-here"), nil},
	{"文件不可执行", "a file that is not executable", 126, 126, script("/etc/passwd"), nil},
	{"命令被信号 TERM 终止", "ended by signal TERM", 255, 143, script("kill -TERM $$"), nil},
	{"命令被信号 KILL 终止", "ended by signal KILL", 255, 137, script("kill -KILL $$"), nil},
	{"连接被拒绝", "connection refused", 255, 255, []string{"-p", "1", "box", "true"}, nil},
	{"主机名不存在", "no such host name", 255, 255, []string{"no..such.name", "true"}, nil},
	{"密钥未被授权", "a key that is not authorized", 255, 255, []string{"-i", "stranger", "-o", "IdentitiesOnly=yes", "stranger", "true"}, nil},
	{"用户不存在", "no such user", 255, 255, []string{"-l", "nobody-there", "box", "true"}, nil},
	{"主机密钥未知，无人可问", "an unknown host key, and nobody to ask", 255, 255,
		[]string{"-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "box", "true"}, nil},
	{"主机密钥变了", "a host key that has changed", 255, 255, []string{"-o", "UserKnownHostsFile=changed", "box", "true"}, nil},
	{"选项不存在", "no such option", 255, 255, []string{"-o", "NoSuchOption=1", "box", "true"}, nil},
	{"没有给出主机", "no host given", 255, 255, []string{"-T"}, nil},
	{"没有这个子系统", "no such subsystem", 255, 255, []string{"-s", "box", "no-such-subsystem"}, nil},
	{"连接超时", "connect timeout", 255, 255, nil, connectTimeout},
	{"连接断了（对方守护进程被杀）", "the link is lost (the daemon there is killed)", 255, 255, nil, lostLink},
	{"没有终端时 Ctrl-C（SIGINT）", "Ctrl-C (SIGINT) without a terminal", 255, 130, nil, interrupted},
	{"有终端时 Ctrl-C", "Ctrl-C on a terminal", 255, 130, nil, interruptedOnTerminal},
	{"读者先走了（`… \\| head`）", "the reader has gone (`… \\| head`)", 255, 141, nil, readerGone},
	{"`-V`", "`-V`", 0, 0, []string{"-V"}, nil},
}

// side is one of the two clients with its daemon.
type side struct {
	t      *testing.T
	p      *testhost.Place
	client string // path
	port   string
	start  func() string // starts another daemon and gives its port
}

// command is the client with its configuration; both read the same file; only the port differs.
func (s *side) command(args ...string) *exec.Cmd {
	return s.p.Command(s.client, append([]string{"-F", s.configuration(s.port)}, args...)...)
}

func (s *side) configuration(port string) string {
	return s.p.Write("config-"+port, fmt.Sprintf(`Host box stranger
	HostName 127.0.0.1
	Port %s
Host box
	IdentityFile %s
Host *
	IdentitiesOnly yes
	UserKnownHostsFile %s
	GlobalKnownHostsFile /dev/null
	StrictHostKeyChecking yes
	IdentityAgent none
`, port, s.p.Path("home/.ssh/id_ed25519"), s.p.Path("known_hosts")))
}

// code is the exit code as a shell sees it.
func code(cmd *exec.Cmd) int {
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

func newSide(t *testing.T, client string) *side {
	p := testhost.New(t)
	p.Key(p.Path("stranger"))
	p.Key(p.Path("other_host_key"))
	s := &side{t: t, p: p, client: client}
	if client == "minissh" {
		s.start = func() string { return p.Daemon().Port }
	} else {
		s.start = func() string { return sshd(t, p) }
	}
	s.port = s.start()
	s.knows(s.port)
	p.Write("changed", knownLine(s.port, p.Read("other_host_key.pub")))
	return s
}

func knownLine(port, key string) string { return "[127.0.0.1]:" + port + " " + key }

func (s *side) knows(port string) {
	s.p.Write("known_hosts", s.p.Read("known_hosts")+knownLine(port, s.p.Read("host_key.pub")))
}

// sshd starts OpenSSH's daemon on a port of loopback that was free.
func sshd(t *testing.T, p *testhost.Place) string {
	path := testhost.Need(t, "sshd")
	if _, err := os.Stat("/run/sshd"); err != nil && os.Geteuid() == 0 {
		t.Skip("not run: needs the directory /run/sshd, which sshd wants as root")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	p.Must(err)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	config := p.Write("sshd-"+port, fmt.Sprintf("ListenAddress 127.0.0.1:%s\nHostKey %s\n"+
		"AuthorizedKeysFile %s\nStrictModes no\nUsePAM no\nPidFile none\n"+
		"PasswordAuthentication no\nKbdInteractiveAuthentication no\n",
		port, p.Path("host_key"), p.Path("authorized_keys")))
	d := p.Start(p.Command(path, "-D", "-e", "-f", config))
	d.Log.Await(t, "Server listening on")
	return port
}

func TestExitCodes(t *testing.T) {
	for _, client := range []string{"ssh", "minissh"} {
		t.Run(client, func(t *testing.T) {
			t.Parallel()
			path := client
			if client == "ssh" {
				path = testhost.Need(t, "ssh")
			}
			s := newSide(t, path)
			for _, r := range table {
				want := r.ssh
				if client == "minissh" {
					want = r.minissh
				}
				var got int
				said := ""
				if r.do != nil {
					got = r.do(s)
				} else {
					cmd := s.command(r.args...)
					var errs bytes.Buffer
					cmd.Stderr = &errs
					s.p.RunCmd(cmd)
					got, said = code(cmd), errs.String()
				}
				if got != want {
					t.Errorf("%s: %d, and the table says %d: %s", r.english, got, want, said)
				}
			}
		})
	}
}

// The README's table is this one.
func TestREADME(t *testing.T) {
	text, err := os.ReadFile("../../cmd/minissh/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range table {
		name := r.chinese + " · " + r.english
		if r.chinese == r.english {
			name = r.english
		}
		line := fmt.Sprintf("| %s | %d | %d |", name, r.ssh, r.minissh)
		if !strings.Contains(string(text), line) {
			t.Errorf("cmd/minissh/README.md lacks the line\n%s", line)
		}
	}
}

// connectTimeout meets a listener that never says a word.
func connectTimeout(s *side) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	s.p.Must(err)
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	cmd := s.command("-p", port, "-o", "ConnectTimeout=1", "box", "true")
	s.p.RunCmd(cmd)
	return code(cmd)
}

// running starts a command there that tells the ids of its parent and of itself, and stays.
func (s *side) running(cmd *exec.Cmd) (parent, pid int) {
	s.t.Helper()
	out, err := cmd.StdoutPipe()
	s.p.Must(err)
	s.p.Must(cmd.Start())
	return ids(s, out)
}

const stay = "echo $PPID $$; exec sleep 30"

func ids(s *side, out interface{ Read([]byte) (int, error) }) (parent, pid int) {
	s.t.Helper()
	var line []byte
	for !bytes.HasSuffix(line, []byte("\n")) {
		var c [1]byte
		if _, err := out.Read(c[:]); err != nil {
			s.t.Fatalf("%q, %v", line, err)
		}
		line = append(line, c[0])
	}
	if _, err := fmt.Sscan(string(line), &parent, &pid); err != nil {
		s.t.Fatalf("%q: %v", line, err)
	}
	return parent, pid
}

// lostLink kills the process there that serves the session: with sshd that is one of its own, with
// minisshd the daemon.
func lostLink(s *side) int {
	port := s.start()
	s.knows(port)
	words := []string{"-F", s.configuration(port), "box", stay}
	if s.client == "minissh" { // which would wait for a daemon that comes back
		words = append([]string{"-o", "ResumeFor=0"}, words...)
	}
	cmd := s.p.Command(s.client, words...)
	parent, pid := s.running(cmd)
	s.p.Must(syscall.Kill(parent, syscall.SIGKILL))
	cmd.Wait()
	syscall.Kill(pid, syscall.SIGKILL) // nobody stopped it
	return code(cmd)
}

// interrupted sends SIGINT to the client. ssh leaves the command running, which is then ended here;
// minissh does not.
func interrupted(s *side) int {
	cmd := s.command("box", stay)
	_, pid := s.running(cmd)
	cmd.Process.Signal(syscall.SIGINT)
	cmd.Wait()
	lives := testend.Alive(pid)
	if want := s.client != "minissh"; lives != want {
		s.t.Errorf("after SIGINT the command there lives: %v", lives)
	}
	if lives {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	return code(cmd)
}

// interruptedOnTerminal types Ctrl-C on a terminal of both sides.
func interruptedOnTerminal(s *side) int {
	cmd := s.command("-t", "box", stay)
	master, err := pty.Start(cmd)
	s.p.Must(err)
	defer master.Close()
	_, pid := ids(s, master)
	drained := make(chan struct{})
	go func() { defer close(drained); new(testhost.Text).ReadFrom(master) }()
	master.Write([]byte{3})
	cmd.Wait()
	<-drained
	testend.Gone(s.t, pid)
	return code(cmd)
}

// readerGone closes our end of the client's output while the command writes.
func readerGone(s *side) int {
	cmd := s.command("box", "exec yes")
	out, err := cmd.StdoutPipe()
	s.p.Must(err)
	s.p.Must(cmd.Start())
	out.Read(make([]byte, 1))
	out.Close()
	cmd.Wait()
	return code(cmd)
}
