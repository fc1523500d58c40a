//go:build linux

package friends_test

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

// carrier is a program for ProxyCommand: it joins its standard input and output to a port. Its id
// is in proxy.pid, and in proxy.child that of a process that it leaves running.
const carrier = `#!/bin/sh
sleep 1000 </dev/null >/dev/null 2>&1 &
echo $! >"$DIR/proxy.child"
echo $$ >"$DIR/proxy.pid"
exec python3 -c '
import os, socket, sys, threading
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def up():
    while b := os.read(0, 65536):
        s.sendall(b)
    s.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
try:
    while b := s.recv(65536):
        while b:
            b = b[os.write(1, b):]
except ConnectionResetError: # both ends have said all: the daemon may close with a reset
    pass
' "$@"
`

// proxied is a place whose host box is reached by the carrier alone.
func proxied(t *testing.T) *testhost.Place {
	t.Helper()
	testhost.Need(t, "python3")
	p := place(t, 5<<20)
	p.Write("carrier", strings.ReplaceAll(carrier, "$DIR", p.Dir))
	p.Must(os.Chmod(p.Path("carrier"), 0o700))
	p.Write("home/.config/minissh/config", p.Read("home/.config/minissh/config")+
		"\tProxyCommand "+p.Path("carrier")+" %h %p\n")
	return p
}

// proxyGone waits until nothing is left of the carrier.
func proxyGone(t *testing.T, p *testhost.Place) {
	t.Helper()
	gone(t, p, "proxy.pid")
	gone(t, p, "proxy.child")
}

// A connection that a program makes carries all that another does, and ends with all that the
// program has started.
func TestProxyCommand(t *testing.T) {
	p := proxied(t)
	if r := sh(t, p, `mkdir there && tar cf - -C src . | minissh box "tar xpf - -C '$DIR/there'; `+
		`echo no >&2; exit 7"`); r.Code != 7 || r.Err != "no\n" {
		t.Errorf("%+v", r)
	}
	p.Same("src", "there")
	proxyGone(t, p)
	if r := p.Run("minissh", "cp", "-r", "box:"+p.Path("there"), p.Path("back")); r.Code != 0 {
		t.Errorf("cp: %+v", r)
	}
	p.Same("src", "back")
	proxyGone(t, p)
	if r := p.Run("minissh", "-o", "ProxyCommand=none", "box", "echo in"); r.Out != "in\n" {
		t.Errorf("none: %+v", r)
	}
	for command, want := range map[string]string{
		"echo no >&2; exit 9": "was closed before anybody answered: exit status 9",
		"cat /dev/null":       "was closed before anybody answered: exit status 0",
		"echo SSH-2.0-x; cat": "does not speak TLS",
		"nosuch":              "was closed before anybody answered: exit status 127",
	} {
		file := p.Write("failing", command)
		r := p.Run("minissh", "-o", "ProxyCommand=sh "+file, "box", "true")
		if r.Code != 255 || !strings.Contains(r.Err, want) || strings.Contains(command, "no ") !=
			strings.HasPrefix(r.Err, "no\n") {
			t.Errorf("%s: %+v", command, r)
		}
	}
}

// One that neither the end of its input nor SIGHUP ends is killed.
func TestStubbornProxy(t *testing.T) {
	p := place(t, 0)
	file := p.Write("stubborn", `trap "" HUP; echo $$ >"`+p.Path("proxy.pid")+
		`"; while :; do sleep 0.05; done`)
	r := p.Run("minissh", "-o", "ConnectTimeout=1", "-o", "ProxyCommand=sh "+file, "box", "true")
	if r.Code != 255 || !strings.Contains(r.Err, "timed out") {
		t.Errorf("%+v", r)
	}
	gone(t, p, "proxy.pid")
}

// A link that is lost comes back by another run of the program.
func TestProxyCommandAgain(t *testing.T) {
	p := proxied(t)
	m := p.Start(p.Command("minissh", "-n", "box",
		`echo one; until test -e "`+p.Path("go")+`"; do sleep 0.05; done; echo two; exit 4`))
	m.Out.Await(t, "one\n")
	first := id(t, p, "proxy.pid")
	p.Must(syscall.Kill(first, syscall.SIGKILL))
	testend.Until(t, "the program runs again", func() bool {
		return id(t, p, "proxy.pid") != first
	})
	p.Write("go", "")
	<-m.Done
	if m.Out.String() != "one\ntwo\n" || m.Cmd.ProcessState.ExitCode() != 4 {
		t.Errorf("%v: %q, %s", m.Cmd.ProcessState, m.Out, m.Log)
	}
	proxyGone(t, p)
}

// Ctrl-C is for the command there, and the connection stays to tell it; before the login it ends
// minissh, and the program with it.
func TestProxyCommandAndSignals(t *testing.T) {
	p := proxied(t)
	const waits = `trap "echo got; exit 3" INT; echo ready; while :; do sleep 0.05; done`
	tty, far, err := pty.Open()
	p.Must(err)
	defer tty.Close()
	cmd := p.Command("minissh", "-T", "box", waits)
	cmd.Stdin = far
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	m := p.Start(cmd)
	far.Close()
	m.Out.Await(t, "ready\n")
	first := id(t, p, "proxy.pid")
	if group, err := syscall.Getpgid(first); err != nil || group != m.Cmd.Process.Pid {
		t.Errorf("with a terminal, the program cannot ask: group %d, %v", group, err)
	}
	tty.Write([]byte{3})
	<-m.Done
	if m.Out.String() != "ready\ngot\n" || m.Cmd.ProcessState.ExitCode() != 3 ||
		m.Log.String() != "" {
		t.Errorf("%v: %q, %s", m.Cmd.ProcessState, m.Out, m.Log)
	}
	gone(t, p, "proxy.pid")
	if second := id(t, p, "proxy.pid"); second != first {
		t.Error("Ctrl-C has ended the program")
	}
	signalTo(t, p, "proxy.child", syscall.SIGKILL) // our group, as ssh leaves it

	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if signal.Ignored(sig) { // by whoever started the tests, and so by minissh
			continue
		}
		p.Must(os.Remove(p.Path("proxy.pid")))
		silent, err := net.Listen("tcp", "127.0.0.1:0")
		p.Must(err)
		_, port, _ := net.SplitHostPort(silent.Addr().String())
		m := p.Start(p.Command("minissh", "-p", port, "box", "true"))
		id(t, p, "proxy.pid")
		conn, err := silent.Accept()
		p.Must(err)
		p.Must(m.Cmd.Process.Signal(sig))
		<-m.Done
		conn.Close()
		silent.Close()
		if code := m.Cmd.ProcessState.ExitCode(); code != 128+int(sig) || m.Log.String() != "" {
			t.Errorf("%v before the login: %v, %s", sig, m.Cmd.ProcessState, m.Log)
		}
		proxyGone(t, p)
	}
}

// sshdAt starts OpenSSH's own server with the place's keys, and gives a configuration for ssh whose
// host gate it is.
func sshdAt(t *testing.T, p *testhost.Place) (config string) {
	t.Helper()
	sshd := testhost.Need(t, "sshd")
	testhost.Need(t, "ssh")
	if os.Geteuid() == 0 { // the directory that it changes its root to; its service would make it
		p.Must(os.MkdirAll("/run/sshd", 0o755))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	p.Must(err)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	file := p.Write("sshd_config", fmt.Sprintf("ListenAddress 127.0.0.1:%s\nHostKey %s\n"+
		"AuthorizedKeysFile %s\nStrictModes no\nUsePAM no\nPidFile none\n", port,
		p.Path("host_key"), p.Path("authorized_keys")))
	p.Start(p.Command(sshd, "-D", "-e", "-f", file)).Log.Await(t, "listening")
	return p.Write("ssh_config", fmt.Sprintf("Host gate\n\tHostName 127.0.0.1\n\tPort %s\n"+
		"\tIdentityFile %s\n\tUserKnownHostsFile %s\n\tStrictHostKeyChecking accept-new\n", port,
		p.Path("home/.ssh/id_ed25519"), p.Path("known")))
}

// A way through a host of OpenSSH's.
func TestJumpThroughOpenSSH(t *testing.T) {
	p := place(t, 5<<20)
	config := sshdAt(t, p)
	if r := p.Run("minissh", "-o", "ProxyCommand=ssh -q -F "+config+" -W %h:%p gate", "box",
		"echo in; exit 5"); r.Code != 5 || r.Out != "in\n" || r.Err != "" {
		t.Errorf("ProxyCommand: %+v", r)
	}
	p.Write("both", p.Read("ssh_config")+p.Read("home/.config/minissh/config"))
	for i, jump := range []string{"ssh://gate", "ssh://gate,ssh://gate"} {
		back := fmt.Sprint("back", i)
		r := sh(t, p, `mkdir `+back+` && minissh -q -F both -J `+jump+
			` box "tar cf - -C '$DIR/src' ." | tar xpf - -C `+back)
		if r.Code != 0 || r.Err != "" {
			t.Errorf("%s: %+v", jump, r)
		}
		p.Same("src", back)
	}
	if r := p.Run("minissh", "-F", "both", "-J", "ssh://nowhere.invalid", "box", "true"); r.Code != 255 ||
		!strings.Contains(r.Err, "the way through nowhere.invalid was closed") {
		t.Errorf("%+v", r)
	}
}
