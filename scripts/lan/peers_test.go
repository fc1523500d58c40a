//go:build linux

package lan_test

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

// python is a program of python3-zeroconf on the machine.
func (m *machine) python(program string) *testhost.Daemon {
	m.t.Helper()
	const library = "/usr/lib/python3/dist-packages/zeroconf/__init__.py"
	if _, err := os.Stat(library); err != nil {
		m.t.Skip("not run: needs " + library)
	}
	return m.Start(m.Do("/usr/bin/python3", "-u", "-c", program))
}

const browser = `
import threading
from zeroconf import Zeroconf, ServiceBrowser
class Listener:
    def add_service(self, zc, type, name):
        i = zc.get_service_info(type, name, timeout=5000)
        print('added', name, i and (i.port, sorted(i.parsed_addresses())[0], i.properties[b'hostkey'].decode()))
    def remove_service(self, zc, type, name):
        print('removed', name)
    def update_service(self, zc, type, name):
        pass
zc = Zeroconf()
ServiceBrowser(zc, '_minissh._tcp.local.', Listener())
print('browsing')
threading.Event().wait()
`

const publisher = `
import socket, threading
from zeroconf import Zeroconf, ServiceInfo
zc = Zeroconf()
zc.register_service(ServiceInfo('_minissh._tcp.local.', 'python._minissh._tcp.local.', port=7499,
    addresses=[socket.inet_aton('192.0.2.2')], server='python.local.',
    properties={'hostkey': 'SHA256:' + 43 * 'A'}))
print('published')
threading.Event().wait()
`

// python-zeroconf sees a daemon come and go, and Wireshark finds nothing wrong in what it says.
func TestSeenByOthers(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 2)
	watching := n.machines[0].python(browser)
	watching.Out.Await(t, "browsing\n")
	testhost.Need(t, "tshark")
	capture := n.Path("packets")
	dump := n.Start(n.machines[0].Do(testhost.Need(t, "dumpcap"), "-q", "-i", "eth0", "-f",
		"udp port 5353", "-w", capture))
	dump.Log.Await(t, "File: ")

	n.machines[1].key()
	d := n.machines[1].daemon()
	watching.Out.Await(t, "added web2._minissh._tcp.local. (7422, '192.0.2.2', 'SHA256:")
	n.machines[0].sees("web2")
	d.Cmd.Process.Signal(syscall.SIGTERM)
	watching.Out.Await(t, "removed web2._minissh._tcp.local.\n")

	const goodbye = "dns.srv.port == 7422 && dns.resp.ttl == 0"
	testend.Until(t, "the goodbye is captured", func() bool {
		return n.Run("tshark", "-r", capture, "-Y", goodbye).Out != ""
	})
	dump.Cmd.Process.Signal(syscall.SIGINT)
	<-dump.Done
	r := n.Run("tshark", "-r", capture, "-Y", "_ws.malformed || _ws.expert.severity == error")
	if r.Out != "" || r.Code != 0 {
		t.Errorf("%+v", r)
	}
	for what, filter := range map[string]string{
		"probes": `dns.flags.response == 0 && dns.count.auth_rr > 0 && dns.qry.type == 255`,
		"an announcement": `dns.srv.port == 7422 && dns.srv.target == "web2-minissh.local" && ` +
			`dns.txt contains "hostkey=SHA256:" && dns.a == 192.0.2.2 && udp.dstport == 5353 && ` +
			`dns.resp.ttl == 120`,
		"an answer to one": `dns.srv.port == 7422 && udp.dstport != 5353 && dns.resp.ttl == 10`,
		"a goodbye":        goodbye,
	} {
		r := n.Run("tshark", "-r", capture, "-Y", "ip.src == 192.0.2.2 && "+filter)
		if strings.Count(r.Out, "\n") == 0 || r.Code != 0 {
			t.Errorf("%s: %+v", what, r)
		}
	}
}

// What python-zeroconf publishes is found, and lost when it ends.
func TestFindsOthers(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 2)
	other := n.machines[1].python(publisher)
	n.machines[0].sees("python")
	r := n.machines[0].hosts()[0]
	if r.Port != 7499 || r.Addresses[0] != "192.0.2.2" ||
		r.Fingerprint != "SHA256:"+strings.Repeat("A", 43) && r.Fingerprint != "" {
		t.Errorf("%+v", r)
	}
	other.Cmd.Process.Kill()
	n.machines[0].sees()
}

// avahi is an avahi-daemon on the machine, with a bus of its own.
func (m *machine) avahi() (environment []string) {
	m.t.Helper()
	testhost.Need(m.t, "avahi-daemon")
	testhost.Need(m.t, "avahi-browse")
	testhost.Need(m.t, "dbus-daemon")
	address := "unix:path=" + m.Path("bus")
	config := m.Write("bus.conf", `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus `+
		`Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><listen>`+address+`</listen><policy context="default"><allow user="*"/><allow own="*"/>
<allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>`)
	bus := m.Start(m.Do("dbus-daemon", "--nofork", "--print-address", "--config-file="+config))
	bus.Out.Await(m.t, "\n")
	environment = []string{"DBUS_SYSTEM_BUS_ADDRESS=" + address}
	// it writes /run/avahi-daemon/pid: of its own
	daemon := m.Do("unshare", "--mount", "sh", "-c",
		"mount -t tmpfs none /run && exec avahi-daemon --no-drop-root --no-chroot --no-rlimits "+
			"--file "+m.Write("avahi.conf", "[server]\nuse-ipv6=no\n"))
	daemon.Env = append(daemon.Env, environment...)
	m.Start(daemon).Log.Await(m.t, "Server startup complete")
	return environment
}

// Next to avahi, which owns the machine's own name, a daemon is published; avahi's tools find it,
// and the machine keeps its name.
func TestBesideAvahi(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 2)
	here := n.machines[0]
	environment := here.avahi()
	run := func(argv ...string) testhost.Ran {
		cmd := here.Do(argv...)
		cmd.Env = append(cmd.Env, environment...)
		return n.RunCmd(cmd)
	}
	own, other := here.daemon(), n.machines[1].daemon()
	browse := func(want ...string) {
		t.Helper()
		var r testhost.Ran
		testend.Until(t, "avahi-browse has "+strings.Join(want, ", "), func() bool {
			r = run("avahi-browse", "--parsable", "--resolve", "--terminate", "_minissh._tcp")
			found := 0
			for line := range strings.Lines(r.Out) {
				if strings.HasPrefix(line, "=;eth0;IPv4;") {
					found++
				}
			}
			for _, one := range want {
				if !strings.Contains(r.Out, one) {
					return false
				}
			}
			return found == len(want)
		})
	}
	browse("web1;_minissh._tcp;local;web1-minissh.local;192.0.2.1;7422;\"hostkey=SHA256:",
		"web2;_minissh._tcp;local;web2-minissh.local;192.0.2.2;7422;\"hostkey=SHA256:")
	other.Cmd.Process.Signal(syscall.SIGTERM)
	browse("web1;_minissh._tcp;local;")
	if r := run("avahi-resolve", "-4", "-n", "web1.local"); r.Out != "web1.local\t192.0.2.1\n" {
		t.Errorf("the machine's own name: %+v", r)
	}

	// what avahi publishes is found, also by the machine itself
	publish := here.Do("avahi-publish", "-s", "by avahi", "_minissh._tcp", "7498",
		"hostkey=SHA256:"+strings.Repeat("A", 43))
	publish.Env = append(publish.Env, environment...)
	n.Start(publish).Log.Await(t, "Established under name 'by avahi'")
	for _, m := range n.machines {
		m.sees("by avahi", "web1")
	}
	own.Cmd.Process.Signal(syscall.SIGTERM)
	n.machines[1].sees("by avahi")
}

// A question from beyond the link is not answered, wherever it is sent.
func TestNotBeyondTheLink(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 2)
	testhost.Need(t, "dig")
	here, there := n.machines[0], n.machines[1]
	there.daemon()
	here.sees("web2")
	here.Set("address add 198.51.100.1/32 dev lo")
	there.Set("route add 198.51.100.1 via 192.0.2.1")
	ask := func(from string) testhost.Ran {
		return n.RunCmd(here.Do("dig", "-b", from, "+time=1", "+tries=1", "+short", "-p", "5353",
			"@192.0.2.2", "_minissh._tcp.local", "PTR"))
	}
	if r := ask("192.0.2.1"); r.Out != "web2._minissh._tcp.local.\n" {
		t.Errorf("on the link: %+v", r)
	}
	if r := ask("198.51.100.1"); r.Code == 0 {
		t.Errorf("beyond the link: %+v", r)
	}
}
