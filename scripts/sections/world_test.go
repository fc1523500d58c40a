//go:build linux

// Package sections_test puts minisshd beside sshd: both read the same Match sections, and serve
// accounts of a file system of memory, from several addresses and with several keys.
package sections_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"minissh/scripts/testhost"
)

func TestMain(m *testing.M) { testhost.Main(m) }

// layered gives a process files of its own for accounts and homes: what this machine has is below,
// and nothing of it is changed. Argument: the test's directory. It ends with its input.
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
mount -t tmpfs -o mode=755 none /run
mkdir /run/sshd /run/lock
mkdir /etc/keys
echo made
exec cat >/dev/null
`

// world is where a test has accounts, ann and bob, and both daemons.
type world struct {
	*testhost.Place
	t      *testing.T
	keeper *exec.Cmd
	port   map[string]string // of sshd and minisshd, on 127.0.0.1 and 127.0.0.2
	daemon *testhost.Daemon  // minisshd
	second string            // a file with another key of theirs
	built  string            // minisshd
}

func newWorld(t *testing.T) *world {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	for _, name := range []string{"unshare", "nsenter", "sshd", "ssh", "ssh-keygen", "useradd"} {
		testhost.Need(t, name)
	}
	w := &world{Place: testhost.New(t), t: t, port: map[string]string{},
		built: filepath.Join(testhost.Bin, "minisshd")}
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
	w.second = w.Path("second")
	w.must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", w.second)
	w.must("groupadd", "staff-of-test")
	w.must("useradd", "-m", "-p", "*", "-s", "/bin/sh", "-G", "staff-of-test", "ann-of-test")
	w.must("useradd", "-m", "-p", "*", "-s", "/bin/sh", "bob-of-test")
	for _, name := range []string{"ann-of-test", "bob-of-test"} {
		w.put("/etc/keys/"+name, w.Read("authorized_keys")+w.Read("second.pub"))
	}
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
	cmd := w.do("sh", "-c", `umask 022; mkdir -p "${1%/*}" && cat >"$1"`, "sh", file)
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("%s: %v\n%s", file, err, out)
	}
}

// start starts both daemons with the same settings; ours has some more.
func (w *world) start(both, ours string) {
	w.t.Helper()
	w.startOurs(both + ours)
	w.port["sshd"] = freePort(w.t)
	w.put("/etc/ssh/sshd_config", "ListenAddress 127.0.0.1\nListenAddress 127.0.0.2\nPort "+
		w.port["sshd"]+"\nHostKey "+w.Path("host_key")+"\nPidFile none\nUsePAM no\n"+
		"StrictModes no\nPrintMotd no\nPrintLastLog no\nSubsystem sftp internal-sftp\n"+
		"AuthorizedKeysFile /etc/keys/%u\nMaxSessions 30\nMaxStartups 100\n"+both)
	d := w.Start(w.do(testhost.Need(w.t, "sshd"), "-D", "-e", "-f", "/etc/ssh/sshd_config"))
	for _, to := range []string{"127.0.0.1", "127.0.0.2"} {
		d.Log.Await(w.t, "Server listening on "+to+" port "+w.port["sshd"])
	}
}

const conf = "/etc/minisshd/minisshd.conf"

// startOurs starts minisshd alone.
func (w *world) startOurs(settings string) {
	w.t.Helper()
	w.put(conf, settings)
	w.port["minisshd"] = freePort(w.t)
	w.daemon = w.Start(w.do(w.built, "--config", conf,
		"--control", w.Path("control"), "--listen", "127.0.0.1:"+w.port["minisshd"], "--listen",
		"127.0.0.2:"+w.port["minisshd"], "--host-key", w.Path("host_key"),
		"--authorized-keys", "/etc/keys/%u"))
	w.daemon.Out.Await(w.t, "\n")
	if !strings.Contains(w.daemon.Out.String(), "127.0.0.2:") {
		w.t.Fatalf("minisshd: %s%s", w.daemon.Out, w.daemon.Log)
	}
}

// reload gives minisshd other settings.
func (w *world) reload(settings, said string) {
	w.t.Helper()
	w.put(conf, settings)
	w.Must(w.daemon.Cmd.Process.Signal(syscall.SIGHUP))
	w.daemon.Log.Await(w.t, said)
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

// login is how a client comes: from an address, to an address, with a key.
type login struct{ user, from, to, key string }

// client prepares what logs in to one of the two daemons.
func (w *world) client(daemon string, how login, words ...string) *exec.Cmd {
	program := "minissh"
	if daemon == "sshd" {
		program = "ssh"
	}
	if how.from == "" {
		how.from = "127.0.0.1"
	}
	if how.to == "" {
		how.to = "127.0.0.1"
	}
	if how.key == "" {
		how.key = w.Path("home/.ssh/id_ed25519")
	}
	key := w.Read("host_key.pub")
	known := w.Write("known_"+daemon, "[127.0.0.1]:"+w.port[daemon]+" "+key+
		"[127.0.0.2]:"+w.port[daemon]+" "+key)
	args := []string{"-F", "none", "-i", how.key, "-o", "IdentitiesOnly=yes", "-p", w.port[daemon],
		"-b", how.from, "-o", "UserKnownHostsFile=" + known, "-l", how.user}
	for i, word := range words {
		if word == "HOST" {
			words[i] = how.to
		}
	}
	return w.Command(program, append(args, words...)...)
}

// run logs in and runs a command line.
func (w *world) run(daemon string, how login, line string) testhost.Ran {
	w.t.Helper()
	return w.RunCmd(w.client(daemon, how, "HOST", line))
}
