//go:build linux

package lan_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

// While one generation of a daemon takes over from another, and when the old one ends, those who
// watch see one daemon that stays. When the service ends, it is taken back.
func TestUpgradeIsNotSeen(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 2)
	client, m := n.machines[0], n.machines[1]
	watching := client.python(browser)
	watching.Out.Await(t, "browsing\n")
	dir, err := os.MkdirTemp("", "lan") // a socket's path is short
	n.Must(err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	control := filepath.Join(dir, "c")
	n.Write("home/.ssh/known_hosts", "[192.0.2.2]:7422 "+m.key()+"\n")
	d := m.daemon("--listen", ":7422", "--supervisor", "yes", "--control", control)
	watching.Out.Await(t, "added web2.")

	session := client.Do("minissh", "192.0.2.2", "echo started; read line; echo over")
	in, err := session.StdinPipe()
	n.Must(err)
	s := n.Start(session)
	s.Out.Await(t, "started\n")
	if r := n.RunCmd(m.Do("minisshd", "upgrade", "--control", control)); r.Code != 0 {
		t.Fatalf("%+v", r)
	}
	d.Log.Await(t, "Another daemon serves from now on")
	client.sees("web2")
	in.Close() // and the old one ends
	<-s.Done
	d.Log.Await(t, "A daemon has ended")
	client.sees("web2")
	testend.Until(t, "two generations have announced it", func() bool {
		return strings.Count(d.Log.String(), "announced on the LAN\" name=web2 ") == 2
	})
	if out := watching.Out.String(); strings.Contains(out, "removed") ||
		strings.Count(out, "added") != 1 {
		t.Errorf("it was seen: %s", out)
	}
	d.Cmd.Process.Signal(syscall.SIGTERM)
	watching.Out.Await(t, "removed web2._minissh._tcp.local.\n")
}

// A daemon on loopback alone is not announced, and says what to type.
func TestNotOnLoopback(t *testing.T) {
	p := testhost.New(t)
	r := p.Run("minisshd", "--announce", "--listen", "127.0.0.1:0", "--control", "none",
		"--host-key", p.Path("host_key"), "--authorized-keys", p.Path("authorized_keys"))
	if r.Code != 1 ||
		!strings.Contains(r.Err, "--announce: this daemon listens on loopback only") ||
		!strings.Contains(r.Err, "hint: minisshd --announce --listen :7422") {
		t.Errorf("%+v", r)
	}
}

// A machine without a network is told once so, and serves; when the network comes, it is announced.
func TestNetworkComesLater(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 2)
	n.machines[1].Set("link set eth0 down")
	d := n.machines[1].daemon()
	d.Log.Await(t, "cannot be announced for now")
	n.machines[1].Set("link set eth0 up")
	n.machines[0].sees("web2")
	if said := strings.Count(d.Log.String(), "cannot be announced"); said != 1 {
		t.Errorf("said %d times: %s", said, d.Log)
	}
}
