//go:build linux

// Package pam_test puts minisshd, built with PAM, beside sshd: with real libpam, its modules, and
// accounts as useradd and adduser leave them. What they write is in a file system of memory.
package pam_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

func TestMain(m *testing.M) { testhost.Main(m) }

// layered gives a process files of its own for accounts, homes and rules: what this machine has is
// below, and nothing of it is changed. Argument: the test's directory. It ends with its input.
const layered = `set -eu
mount --make-rprivate /
cd "$1"
mkdir layers
mount -t tmpfs none layers
cd layers
for top in etc home root; do
	mkdir $top $top-work
	mount -t overlay -o lowerdir=/$top,upperdir=$top,workdir=$top-work none /$top
done
rm -f /root/.profile /root/.bash* /etc/profile.d/*
mount -t tmpfs none /run
mkdir /run/sshd /run/lock
mount -t tmpfs none /var/log
touch /var/log/lastlog /var/log/wtmp
mount -t tmpfs none /var/mail
mkdir /etc/keys
echo made
exec cat >/dev/null
`

// world is where a test has accounts.
type world struct {
	*testhost.Place
	t      *testing.T
	keeper *exec.Cmd
	port   map[string]string // of sshd and minisshd
	daemon *testhost.Daemon  // minisshd
	built  string            // minisshd with PAM
	more   string            // of sshd's settings
}

func newWorld(t *testing.T) *world {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	for _, name := range []string{"unshare", "nsenter", "prlimit", "sshd", "ssh", "useradd",
		"adduser"} {
		testhost.Need(t, name)
	}
	w := &world{Place: testhost.New(t), t: t, port: map[string]string{}}
	w.built = w.WithPAM()
	w.keeper = w.Command("unshare", "--mount", "sh", "-c", layered, "sh", w.Dir)
	in, err := w.keeper.StdinPipe()
	w.Must(err)
	out, err := w.keeper.StdoutPipe()
	w.Must(err)
	said := new(testhost.Text)
	w.keeper.Stderr = said
	w.Must(w.keeper.Start())
	t.Cleanup(func() { in.Close(); w.keeper.Wait() })
	word := make([]byte, 5)
	if n, _ := out.Read(word); string(word[:n]) != "made\n" {
		t.Skipf("not run: needs a mount namespace with overlays: %s", said)
	}
	w.must("chmod", "0755", w.Dir, w.Home, filepath.Dir(w.Dir))
	return w
}

// do prepares a process in the world.
func (w *world) do(argv ...string) *exec.Cmd {
	return w.Command("nsenter", append([]string{
		fmt.Sprintf("--mount=/proc/%d/ns/mnt", w.keeper.Process.Pid), "--"}, argv...)...)
}

// must runs a process in the world, which has to succeed.
func (w *world) must(argv ...string) string {
	w.t.Helper()
	out, err := w.do(argv...).CombinedOutput()
	if err != nil {
		w.t.Fatalf("%v: %v\n%s", argv, err, out)
	}
	return string(out)
}

// put writes a file of the world.
func (w *world) put(file, text string) {
	w.t.Helper()
	cmd := w.do("sh", "-c", `mkdir -p "${1%/*}" && cat >"$1"`, "sh", file)
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("%s: %v\n%s", file, err, out)
	}
}

// rules makes PAM's rules for both daemons. No password is accepted.
func (w *world) rules(text string) {
	w.t.Helper()
	for _, service := range []string{"sshd", "minisshd"} {
		w.put("/etc/pam.d/"+service, "auth required pam_deny.so\n"+text)
	}
}

// account makes an account by a command, whose last argument is its name, and lets the test's key
// in.
func (w *world) account(argv ...string) {
	w.t.Helper()
	w.must(argv...)
	w.key(argv[len(argv)-1])
}

func (w *world) key(name string) {
	w.t.Helper()
	w.put("/etc/keys/"+name, w.Read("authorized_keys"))
}

// start starts both daemons on loopback.
func (w *world) start(options ...string) {
	w.t.Helper()
	w.startOurs(options...)
	w.port["sshd"] = freePort(w.t)
	w.put("/etc/ssh/sshd_config", "ListenAddress 127.0.0.1\nPort "+w.port["sshd"]+`
HostKey `+w.Path("host_key")+`
PidFile none
UsePAM yes
AuthorizedKeysFile /etc/keys/%u
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
PrintLastLog no
Subsystem sftp internal-sftp
AcceptEnv LANG LC_* COLORTERM GIT_PROTOCOL NO_COLOR
`+w.more)
	w.Start(w.do("prlimit", "--nofile=700:900", testhost.Need(w.t, "sshd"), "-D", "-e", "-f",
		"/etc/ssh/sshd_config"))
	testend.Until(w.t, "sshd listens", func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+w.port["sshd"])
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

// startOurs starts minisshd alone.
func (w *world) startOurs(options ...string) {
	w.t.Helper()
	args := append([]string{"prlimit", "--nofile=700:900", w.built, "--config", "none",
		"--control", w.Path("control"),
		"--listen", "127.0.0.1:0", "--host-key", w.Path("host_key"),
		"--authorized-keys", "/etc/keys/%u"}, options...)
	w.daemon = w.Start(w.do(args...))
	w.daemon.Out.Await(w.t, "\n")
	_, rest, _ := strings.Cut(w.daemon.Out.String(), "127.0.0.1:")
	w.port["minisshd"], _, _ = strings.Cut(rest, " ")
	if _, err := strconv.Atoi(w.port["minisshd"]); err != nil {
		w.t.Fatalf("minisshd: %s%s", w.daemon.Out, w.daemon.Log)
	}
}

func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// client prepares what logs in to one of the two daemons.
func (w *world) client(daemon, user string, words ...string) *exec.Cmd {
	program := "minissh"
	if daemon == "sshd" {
		program = "ssh"
	}
	known := w.Write("known_"+daemon, "[127.0.0.1]:"+w.port[daemon]+" "+w.Read("host_key.pub"))
	args := []string{"-F", "none", "-i", w.Path("home/.ssh/id_ed25519"), "-p", w.port[daemon],
		"-o", "UserKnownHostsFile=" + known, "-l", user}
	return w.Command(program, append(args, words...)...)
}

// run logs in and runs a command line.
func (w *world) run(daemon, user, line string) testhost.Ran {
	w.t.Helper()
	return w.RunCmd(w.client(daemon, user, "127.0.0.1", line))
}
