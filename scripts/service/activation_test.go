//go:build linux

package service_test

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"minissh/scripts/testhost"
)

func TestMain(m *testing.M) { testhost.Main(m) }

// freePort is a port of loopback that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// systemd's own test program opens the sockets and starts minisshd at the first connection; two
// clients then run commands, one through each socket. This shows the descriptors' way from
// systemd's code into ours; that systemd as PID 1 reads minisshd.socket as we mean it is shown by
// systemd-analyze alone (units_test.go).
func TestSystemdSocketActivate(t *testing.T) {
	activate := testhost.Need(t, "systemd-socket-activate")
	p := testhost.New(t)
	port := freePort(t)
	p.Knows("box", port)
	d := p.Start(p.Command(activate, "-l", "127.0.0.1:"+port, "-l", p.Path("socket"),
		"--fdname=tcp:unix",
		testhost.Bin+"/minisshd", "--control", "none", "--host-key", p.Path("host_key"),
		"--authorized-keys", p.Path("authorized_keys")))
	d.Log.Await(t, "Listening on "+p.Path("socket"))
	if strings.Contains(d.Out.String(), "listening") {
		t.Error("minisshd was started before anybody came")
	}
	r := p.Run("minissh", "box",
		"env | grep -E 'LISTEN_|NOTIFY_|WATCHDOG_'; ls -l /proc/self/fd | grep -c socket:; echo "+
			"hello; exit 3")
	if r.Code != 3 || r.Out != "0\nhello\n" {
		t.Errorf("through TCP: %+v; the daemon says %s%s", r, d.Out, d.Log)
	}
	if r := p.Run("minissh", "unix:"+p.Path("socket"), "echo local"); r.Code != 0 ||
		r.Out != "local\n" {
		t.Errorf("through the Unix socket: %+v; the daemon says %s%s", r, d.Out, d.Log)
	}
	if want := fmt.Sprintf("listening on 127.0.0.1:%s unix:%s host key", port,
		p.Path("socket")); !strings.Contains(d.Out.String(), want) {
		t.Errorf("the ready line is %s", d.Out)
	}
}

// activated starts minisshd as a service manager does: the files from descriptor 3 on, and
// LISTEN_PID (%d: its own).
func activated(t *testing.T, p *testhost.Place, env []string, files []*os.File,
	args ...string) *testhost.Daemon {
	t.Helper()
	args = append([]string{"-c", `LISTEN_PID=${pid:-$$} exec minisshd "$@"`, "sh", "--control",
		"none", "--host-key", p.Path("host_key"), "--authorized-keys", p.Path("authorized_keys")},
		args...)
	cmd := p.Command("sh", args...)
	cmd.Env = append(cmd.Env, env...)
	cmd.ExtraFiles = files
	return p.Start(cmd)
}

// file gives the descriptor below a socket.
func file(t *testing.T, socket interface{ File() (*os.File, error) }) *os.File {
	t.Helper()
	f, err := socket.File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func listen(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// What is passed is checked: the message names the descriptor and what is wrong with it.
func TestBadDescriptors(t *testing.T) {
	packet, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer packet.Close()
	good := listen(t, "tcp", "127.0.0.1:0")
	client, err := net.Dial("tcp", good.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, c := range []struct {
		name  string
		env   []string
		files []*os.File
		said  string
	}{
		{"a datagram socket", []string{"LISTEN_FDS=1", "LISTEN_FDNAMES=udp"},
			[]*os.File{file(t, packet.(*net.UDPConn))},
			`the socket "udp" (descriptor 3) that the service manager passed: it is not a stream socket`},
		{"a connection", []string{"LISTEN_FDS=2"}, []*os.File{file(t, good.(*net.TCPListener)),
			file(t, client.(*net.TCPConn))},
			`the socket "unknown" (descriptor 4) that the service manager passed: it does not listen`},
		{"a file", []string{"LISTEN_FDS=1"}, []*os.File{null}, "descriptor 3"},
		{"no descriptor", []string{"LISTEN_FDS=3"}, []*os.File{file(t, good.(*net.TCPListener))}, "descriptor 4"},
		{"a hostile name", []string{"LISTEN_FDS=1", "LISTEN_FDNAMES=\x1b[31m"}, []*os.File{null}, `"\x1b[31m"`},
		{"no number", []string{"LISTEN_FDS=many"}, nil, `LISTEN_FDS is "many"`},
		{"a negative number", []string{"LISTEN_FDS=-1"}, nil, `LISTEN_FDS is "-1"`},
		{"a huge number", []string{"LISTEN_FDS=99999999999"}, nil, "LISTEN_FDS is"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := testhost.New(t)
			d := activated(t, p, c.env, c.files, "--listen", "127.0.0.1:0")
			<-d.Done
			if d.Cmd.ProcessState.ExitCode() != 1 || !strings.Contains(d.Log.String(), c.said) ||
				strings.Contains(d.Log.String(), "\x1b") || d.Out.String() != "" {
				t.Errorf("exit code %d, %s%s", d.Cmd.ProcessState.ExitCode(), d.Out, d.Log)
			}
		})
	}
}

// Sockets that were meant for another process are left alone, and --listen counts as well as those
// that were meant for us.
func TestWhoseSockets(t *testing.T) {
	for pid, taken := range map[string]bool{"": true, "1": false, "nonsense": false} {
		p := testhost.New(t)
		l := listen(t, "tcp", "127.0.0.1:0")
		d := activated(t, p, []string{"LISTEN_FDS=1", "pid=" + pid},
			[]*os.File{file(t, l.(*net.TCPListener))}, "--listen", "unix:"+p.Path("own"))
		d.Out.Await(t, "\n")
		if got := strings.Contains(d.Out.String(), l.Addr().String()); got != taken ||
			!strings.Contains(d.Out.String(), "unix:"+p.Path("own")) {
			t.Errorf("LISTEN_PID=%q: %s%s", pid, d.Out, d.Log)
		}
	}
}

// A socket that a service manager opened for all the world is there before minisshd can refuse it.
// While nobody could log in, whoever comes is sent away without a byte; once a key is listed, its
// holder comes in.
func TestActivatedBeyondLoopback(t *testing.T) {
	p := testhost.New(t)
	keys := p.Read("authorized_keys")
	p.Write("authorized_keys", "")
	l := listen(t, "tcp4", "0.0.0.0:0")
	_, port, _ := net.SplitHostPort(l.Addr().String())
	p.Knows("box", port)
	d := activated(t, p, []string{"LISTEN_FDS=1"}, []*os.File{file(t, l.(*net.TCPListener))})
	d.Out.Await(t, "\n")
	d.Log.Await(t, "Connections from beyond loopback will be dropped until somebody could log in")
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("read %d bytes, %v", n, err)
	}
	if r := p.Run("minissh", "box", "true"); r.Code != 255 {
		t.Errorf("%+v", r)
	}
	p.Write("authorized_keys", keys)
	if r := p.Run("minissh", "box", "echo in"); r.Out != "in\n" {
		t.Errorf("%+v; the daemon says %s", r, d.Log)
	}
}
