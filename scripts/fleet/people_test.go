//go:build linux

package fleet_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"minissh/protocol/testend"
)

// Ctrl-C tells what runs where; the second ends all, and says that it has.
func TestCtrlC(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	p := f.types("on", "h[1-100]", "echo $$ >>"+f.Path("pids")+"; exec sleep 1000")
	pids := func() []string { return strings.Fields(f.Read("pids")) }
	testend.Until(t, "all run", func() bool { return len(pids()) == 100 })
	p.does("100 running", "\x03")
	p.does("100 running for", "")
	p.does("h[1-100]", "")
	p.does("Ctrl-C once more stops all of it", "\x03")
	p.shown.Await(t, "h[1-100] (100): stopped, its end confirmed")
	if code := p.end(); code != 130 {
		t.Errorf("exit code %d", code)
	}
	for _, pid := range pids() {
		n, _ := strconv.Atoi(pid)
		if alive, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", n)); len(alive) > 0 {
			t.Errorf("%d lives: %q", n, alive)
		}
	}
}

// A program gets what it asks for at once: TERM, or INT where nobody reads what runs.
func TestSignal(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		f.Write("began", "")
		d := f.Start(f.Command("minissh", "on", "h[1-3]", "echo x >>"+f.Path("began")+
			"; exec sleep 1000"))
		testend.Until(t, "all run", func() bool {
			return strings.Count(f.Read("began"), "x") == 3
		})
		d.Cmd.Process.Signal(sig)
		<-d.Done
		if code := d.Cmd.ProcessState.ExitCode(); code != 128+int(sig) ||
			!strings.Contains(d.Log.String(), "h[1-3] (3): stopped, its end confirmed") {
			t.Errorf("%v: exit code %d: %s", sig, code, d.Log)
		}
	}
}

// A host that does not confirm is named.
func TestUnconfirmed(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	other := hosts(t)
	f.config("Host frozen\n\tHostName 127.0.0.1\n\tPort %s\n\tHostKeyAlias frozen\n", other.d.Port)
	f.Write("home/.ssh/known_hosts", f.Read("home/.ssh/known_hosts")+"frozen "+
		other.Read("host_key.pub"))
	other.Write("authorized_keys", f.Read("authorized_keys"))
	p := f.types("on", "h[1-2],frozen", "echo x >>"+f.Path("began")+"; exec sleep 1000")
	testend.Until(t, "all run", func() bool {
		return strings.Count(f.Read("began"), "x") == 3
	})
	p.shown.Await(t, "3 running")
	other.d.Cmd.Process.Signal(syscall.SIGSTOP)
	defer other.d.Cmd.Process.Signal(syscall.SIGCONT)
	p.does("", "\x03")
	p.does("once more", "\x03")
	p.shown.Await(t, "after 15 seconds not confirmed to have ended: frozen")
	if code := p.end(); code != 130 {
		t.Errorf("exit code %d", code)
	}
}

// Unknown hosts are asked about together, once, by their names.
func TestUnknownHosts(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	f.config("Host h[123]\n") // nothing: * and ? are patterns, brackets are not
	f.Write("home/.ssh/known_hosts", "")
	for n := 1; n <= 4; n++ {
		f.config("Host h%d\n\tHostKeyAlias alias%d\n", n, n)
	}
	r := f.on("h[1-4]", "true")
	if r.Code != 255 || !strings.Contains(r.Err, "h[1-4] (4): its host key is not known") {
		t.Errorf("nobody can be asked: %+v", r)
	}
	p := f.types("on", "h[1-4]", "echo hi")
	p.shown.Await(t, "4 hosts are not known:")
	p.does("or names: h[1-2]) ", "h9\r")
	p.does("h9 is not among them", "")
	p.does("(yes, no, or names) ", "h[1-2]\r")
	if code := p.end(); code != 1 {
		t.Errorf("exit code %d: %s", code, p.shown)
	}
	<-p.read
	shown := p.shown.String()
	if strings.Count(shown, "minisshd shows its own") != 1 ||
		strings.Count(shown, " hi\r\n") != 2 ||
		!strings.Contains(shown, "h[3-4] (2): its host key is not known") {
		t.Error(shown)
	}
	r = f.on("-o", "StrictHostKeyChecking=yes", "h[1-4]", "echo hi")
	wants(t, "those that are known now", r.Out, "h1: hi", "h2: hi")
	if r := f.on("-o", "StrictHostKeyChecking=accept-new", "h[1-4]", "true"); r.Code != 0 {
		t.Errorf("%+v", r)
	}
}

// A passphrase is asked for once, whatever is to be reached with its key.
func TestPassphrase(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("not run: needs ssh-keygen")
	}
	if r := f.Run(keygen, "-q", "-p", "-N", "the passphrase", "-f",
		f.Path("home/.ssh/id_ed25519")); r.Code != 0 {
		t.Fatalf("%+v", r)
	}
	p := f.types("on", "h[1-20]", "echo hi")
	p.does("passphrase", "the passphrase\r")
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d: %s", code, p.shown)
	}
	<-p.read
	shown := p.shown.String()
	if strings.Count(shown, "hi\r\n") != 20 || strings.Count(shown, "id_ed25519") != 1 {
		t.Error(shown)
	}
}

// What comes from a host is never shown raw on a terminal.
func TestHostileOutput(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	p := f.types("on", "h[1-2]", `printf 'a\tb\033[41mEVIL\r\n\202\n'; printf '\033]0;EVIL\a' >&2`)
	p.end()
	<-p.read
	shown := p.shown.String()
	if strings.Contains(shown, "\x1b[41m") || strings.Contains(shown, "\x1b]0") ||
		!strings.Contains(shown, "a\tb\\x1b[41mEVIL\r\n") || !strings.Contains(shown, `\x82`) {
		t.Errorf("%q", shown)
	}
}

// hanging is an address where connections are neither taken nor refused: the queue of who listens
// there is full.
func hanging(t *testing.T) (port int) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		t.Cleanup(func() { unix.Close(fd) })
		err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	if err == nil {
		err = unix.Listen(fd, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	at, _ := unix.Getsockname(fd)
	port = at.(*unix.SockaddrInet4).Port
	for range 2 {
		conn, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|
			unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(conn) })
		unix.Connect(conn, at)
	}
	return port
}

// A hundred hosts with every trouble: each is named under its cause, and nothing hangs beyond its
// time-out.
func TestCauses(t *testing.T) {
	t.Parallel()
	f := hosts(t)
	other := f.Key(f.Path("other_key"))
	f.Write("home/.ssh/known_hosts", f.Read("home/.ssh/known_hosts")+"changed "+string(other))
	relay, err := net.Listen("tcp", "127.0.0.1:0")
	f.Must(err)
	cut := make(chan struct{})
	go func() { // one connection, until it is cut, and none after it
		near, err := relay.Accept()
		relay.Close()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", "127.0.0.1:"+f.d.Port)
		if err != nil {
			near.Close()
			return
		}
		go copyTo(near, far)
		go copyTo(far, near)
		<-cut
		near.Close()
		far.Close()
	}()
	hangs := hanging(t)
	f.config("Host h1 h2 h3\n\tPort 1\n"+
		"Host h4 h5\n\tPort %d\n"+
		"Host h6\n\tHostKeyAlias changed\n"+
		"Host h7\n\tPort %d\n\tResumeFor 1\n\tSetEnv LC_WHO=slow\n"+
		"Host h11 h12 h13 h14 h15\n\tSetEnv LC_WHO=exit\n", hangs,
		relay.Addr().(*net.TCPAddr).Port)
	d := f.Start(f.Command("minissh", "on", "--connect-timeout", "5", "h[1-100]",
		"case $LC_WHO in exit) exit 1;; slow) echo begun; exec sleep 1000;; esac; echo fine"))
	d.Out.Await(t, "h7: begun\n")
	close(cut)
	<-d.Done
	if n := strings.Count(d.Out.String(), ": fine\n"); n != 88 {
		t.Errorf("%d are fine", n)
	}
	for _, want := range []string{
		"12 of 100 failed",
		"h[11-15] (5): exited with 1\n",
		"h[1-3] (3): connect to host … port …: connection refused\n",
		"h[4-5] (2): connect to host … port …: Connection timed out\n",
		"h6 (1): its host key is NOT the one that is known: see above\n",
		"h7 (1): the link to … was lost, and there was no new one for",
	} {
		if !strings.Contains(d.Log.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, d.Log)
		}
	}
}
