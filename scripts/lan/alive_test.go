//go:build linux

package lan_test

import (
	"strings"
	"testing"

	"minissh/scripts/testhost"
)

// A client whose network is gone is given up as alive-interval and alive-count-max say, and not
// before by a daemon that knows SE6 only. Its session waits.
func TestAliveInterval(t *testing.T) {
	p := testhost.New(t)
	machines := p.Network("server", "laptop")
	server, laptop := machines[0], machines[1]
	var daemons []*testhost.Daemon
	for _, c := range []struct {
		port    string
		options []string
	}{{"7422", []string{"--alive-interval", "1s", "--alive-count-max", "2"}}, {"7423", nil}} {
		d := p.Start(server.Do(append([]string{"minisshd", "--config", "none", "--control", "none",
			"--cgroup", "none", "--listen", server.Address + ":" + c.port, "--host-key",
			p.Path("host_key"), "--authorized-keys", p.Path("authorized_keys")}, c.options...)...))
		d.Out.Await(t, "host key")
		p.Write("home/.ssh/known_hosts", p.Read("home/.ssh/known_hosts")+"["+server.Address+"]:"+
			c.port+" "+p.Read("host_key.pub"))
		client := p.Start(laptop.Do("minissh", "-p", c.port, "root@"+server.Address,
			"echo begun; exec sleep 290"))
		client.Out.Await(t, "begun")
		daemons = append(daemons, d)
	}
	laptop.Set("link set eth0 down")
	daemons[0].Log.Await(t, "Link lost from")
	if text := daemons[1].Log.String(); strings.Contains(text, "Link lost") {
		t.Errorf("the other has lost it as well:\n%s", text)
	}
	if text := daemons[0].Log.String(); strings.Contains(text, "Session expired") ||
		strings.Contains(text, "Command ended") {
		t.Errorf("its session does not wait:\n%s", text)
	}
}
