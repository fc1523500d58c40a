//go:build linux

// Package lan_test has machines on a LAN of their own: network namespaces on a bridge, which are
// gone with the test. Daemons announce themselves there, clients find them, strangers lie, and
// programs that nobody here wrote look at it and take part.
package lan_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

func TestMain(m *testing.M) { testhost.Main(m) }

// network is the machines web1, web2 … with the addresses 192.0.2.1 and so on, and a bridge.
type network struct {
	*testhost.Place
	machines []*machine
}

type machine struct {
	*testhost.Machine
	t *testing.T
}

func newNetwork(t *testing.T, count int) *network {
	t.Helper()
	n := &network{Place: testhost.New(t)}
	names := make([]string, count)
	for i := range names {
		names[i] = fmt.Sprint("web", i+1)
	}
	for _, m := range n.Network(names...) {
		n.machines = append(n.machines, &machine{m, t})
	}
	return n
}

// alone has a daemon listen everywhere, without a control socket.
var alone = []string{"--listen", ":7422", "--control", "none"}

// daemon starts a daemon that announces itself, with options or alone.
func (m *machine) daemon(args ...string) *testhost.Daemon {
	if len(args) == 0 {
		args = alone
	}
	m.t.Helper()
	d := m.Start(m.Do(append([]string{"minisshd", "--announce", "--cgroup", "none", "--host-key",
		m.keyFile(), "--authorized-keys", m.Path("authorized_keys")}, args...)...))
	d.Out.Await(m.t, "\n")
	return d
}

func (m *machine) keyFile() string { return m.Path(m.Name + "_key") }

// key makes the machine's host key, and returns the line of its public half.
func (m *machine) key() string { return strings.TrimSpace(string(m.Key(m.keyFile()))) }

// row is a line of minissh hosts --json.
type row struct {
	Name        string
	Addresses   []string
	Port        int
	Fingerprint string
	Known, As   string
}

func (r row) String() string {
	return fmt.Sprint(r.Name, " ", r.Port, " ", r.Addresses[0], " ", r.Known, " ", r.As)
}

// hosts is what minissh hosts lists on the machine.
func (m *machine) hosts() (rows []row) {
	m.t.Helper()
	r := m.RunCmd(m.Do("minissh", "hosts", "--json"))
	if r.Code != 0 {
		m.t.Fatalf("minissh hosts: %+v", r)
	}
	for line := range strings.Lines(r.Out) {
		var one row
		m.Must(json.Unmarshal([]byte(line), &one))
		rows = append(rows, one)
	}
	return rows
}

// sees waits until the machine finds exactly these.
func (m *machine) sees(want ...string) {
	m.t.Helper()
	testend.Until(m.t, fmt.Sprintf("%s finds %q", m.Name, want), func() bool {
		var names []string
		for _, r := range m.hosts() {
			names = append(names, r.Name)
		}
		return slices.Equal(names, want)
	})
}

// A daemon is found; it is lost when it ends, when it is killed, and while nobody could log in; and
// it is found again.
func TestFoundAndLost(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 3)
	client := n.machines[0]
	two, three := n.machines[1].daemon(), n.machines[2].daemon()
	client.sees("web2", "web3")
	n.machines[2].sees("web2", "web3") // itself, too

	three.Cmd.Process.Signal(syscall.SIGTERM)
	client.sees("web2")
	two.Cmd.Process.Kill()
	client.sees()
	n.machines[1].daemon()
	client.sees("web2")

	keys := n.Read("authorized_keys")
	n.Write("authorized_keys", "")
	client.sees()
	n.Write("authorized_keys", keys)
	client.sees("web2")

	n.machines[1].Set("address del 192.0.2.2/24 dev eth0")
	n.machines[1].Set("address add 192.0.2.77/24 dev eth0")
	testend.Until(t, "the new address is announced", func() bool {
		rows := client.hosts()
		return len(rows) == 1 && rows[0].Addresses[0] == "192.0.2.77"
	})
	n.machines[1].Set("link set eth0 down")
	client.sees()
	n.machines[1].Set("link set eth0 up")
	client.sees("web2")
}

// What known_hosts says about what is found, in each form of the list.
func TestJudged(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 4)
	client := n.machines[0]
	hosts := ""
	for i, m := range n.machines[1:] {
		key := m.key()
		hosts += []string{"[web2]:7422 " + key, "[elsewhere]:7422,other " + key,
			"[web4]:7422 " + client.key()}[i] + "\n"
		m.daemon()
	}
	n.Write("home/.ssh/known_hosts", hosts)
	client.sees("web2", "web3", "web4")
	var got []string
	for _, r := range client.hosts() {
		got = append(got, r.String())
	}
	if want := []string{"web2 7422 192.0.2.2 known web2",
		"web3 7422 192.0.2.3 elsewhere elsewhere",
		"web4 7422 192.0.2.4 different web4"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	r := n.RunCmd(client.Do("minissh", "hosts"))
	for _, want := range []string{"KNOWN\nweb2  192.0.2.2  7422  SHA256:", "  yes\n",
		"  as elsewhere\n", "  DIFFERENT\n"} {
		if !strings.Contains(r.Out, want) {
			t.Errorf("%q is not in %s", want, r.Out)
		}
	}
	if !strings.Contains(r.Err, "WARNING: web4 at 192.0.2.4 announces ANOTHER HOST KEY") {
		t.Errorf("%s", r.Err)
	}

	r = n.RunCmd(client.Do("minissh", "on", "@lan", "hostname"))
	if r.Out != "web2: web2\n" || r.Code != 0 ||
		!strings.Contains(r.Err, "left out: web3 (elsewhere), web4 (DIFFERENT)") {
		t.Errorf("@lan: %+v", r)
	}

	testhost.Need(t, "ansible-inventory")
	r = n.RunCmd(client.Do("minissh", "hosts", "--ansible"))
	file := n.Write("inventory", r.Out)
	r = n.RunCmd(client.Do("ansible-inventory", "-i", file, "--list"))
	var inventory struct {
		Meta struct {
			Hostvars map[string]struct {
				Host string `json:"ansible_host"`
				Port int    `json:"ansible_port"`
				Args string `json:"ansible_ssh_common_args"`
			}
		} `json:"_meta"`
	}
	n.Must(json.Unmarshal([]byte(r.Out), &inventory))
	if vars := inventory.Meta.Hostvars; len(vars) != 2 || vars["web3"].Host != "192.0.2.3" ||
		vars["web3"].Port != 7422 || vars["web3"].Args != "-o HostKeyAlias=[elsewhere]:7422" {
		t.Errorf("%+v", r)
	}
	// the host key is looked for under that name
	testhost.Need(t, "ansible")
	ansible := client.Do("ansible", "-i", file, "all", "-m", "raw", "-a", "hostname")
	ansible.Env = append(ansible.Env, "ANSIBLE_SSH_EXECUTABLE="+testhost.Bin+"/minissh",
		"ANSIBLE_HOME="+n.Path("ansible"))
	r = n.RunCmd(ansible)
	if r.Code != 0 || strings.Count(r.Out, "rc=0") != 2 || !strings.Contains(r.Out, "\nweb2") {
		t.Errorf("%+v", r)
	}
}

// Two machines of one name get two; and so do two daemons of one machine.
func TestSameName(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 3)
	n.machines[2].Named("web2")
	n.machines[1].daemon()
	n.machines[2].daemon() // at the same time
	n.machines[0].sees("web2", "web2-2")
	n.machines[1].daemon("--listen", "192.0.2.2:7500", "--control", "none")
	testend.Until(t, "three names, and four ports", func() bool {
		names, ports := map[string]bool{}, map[int]int{}
		for _, r := range n.machines[0].hosts() {
			names[r.Name] = true
			ports[r.Port]++
		}
		return len(names) == 3 && ports[7422] == 2 && ports[7500] == 1
	})
}
