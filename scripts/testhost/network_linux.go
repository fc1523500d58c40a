package testhost

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// Machine is a process that keeps a network and a host name. Files and processes are those that all
// machines have.
type Machine struct {
	*Place
	Name, Address string
	Keeper        *exec.Cmd
}

// Network makes machines with these names and the addresses 192.0.2.1 and so on, on a bridge. They
// are namespaces, which end with the test. Where that cannot be had the test is skipped.
func (p *Place) Network(names ...string) (machines []*Machine) {
	p.t.Helper()
	if os.Getuid() != 0 {
		p.t.Skip("not run: needs root")
	}
	Need(p.t, "ip")
	Need(p.t, "nsenter")
	bridge := p.keeper()
	p.ip(bridge, "link add bridge type bridge")
	p.ip(bridge, "link set bridge up")
	for i, name := range names {
		m := &Machine{Place: p, Name: name, Address: fmt.Sprint("192.0.2.", i+1),
			Keeper: p.keeper()}
		p.ip(bridge, fmt.Sprint("link add port", i, " type veth peer name eth0 netns ",
			m.Keeper.Process.Pid))
		p.ip(bridge, fmt.Sprint("link set port", i, " master bridge up"))
		m.Set("link set lo up")
		m.Set("link set eth0 up")
		m.Set("address add " + m.Address + "/24 dev eth0")
		m.Named(m.Name)
		machines = append(machines, m)
	}
	return machines
}

// keeper starts a process that has a network and a host name of its own.
func (p *Place) keeper() *exec.Cmd {
	p.t.Helper()
	keeper := p.Command("cat")
	keeper.SysProcAttr = &syscall.SysProcAttr{
		Unshareflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS}
	in, err := keeper.StdinPipe()
	p.Must(err)
	if err := keeper.Start(); err != nil {
		p.t.Skip("not run: needs a network namespace: ", err)
	}
	p.t.Cleanup(func() { in.Close(); keeper.Wait() })
	return keeper
}

// in prepares a process on a machine.
func (p *Place) in(keeper *exec.Cmd, argv ...string) *exec.Cmd {
	at := fmt.Sprintf("/proc/%d/ns/", keeper.Process.Pid)
	return p.Command("nsenter", append([]string{"--net=" + at + "net", "--uts=" + at + "uts",
		"--"}, argv...)...)
}

func (p *Place) ip(keeper *exec.Cmd, words string) {
	p.t.Helper()
	argv := append([]string{"ip"}, strings.Fields(words)...)
	if out, err := p.in(keeper, argv...).CombinedOutput(); err != nil {
		p.t.Fatalf("%v: %v\n%s", argv, err, out)
	}
}

// Set runs ip(8) on the machine.
func (m *Machine) Set(words string) { m.t.Helper(); m.ip(m.Keeper, words) }

// Named gives the machine a name.
func (m *Machine) Named(name string) {
	m.t.Helper()
	if r := m.RunCmd(m.Do("hostname", name)); r.Code != 0 {
		m.t.Fatalf("hostname: %+v", r)
	}
}

// Do prepares a process on the machine.
func (m *Machine) Do(argv ...string) *exec.Cmd { return m.in(m.Keeper, argv...) }

// RootHome is the directory that AsRoot has in place of root's home.
func (m *Machine) RootHome() string { return m.Path("home-" + m.Name) }

// AsRoot prepares a shell on the machine, with a home of its own in place of root's.
func (m *Machine) AsRoot(script string) *exec.Cmd {
	m.t.Helper()
	m.Must(os.MkdirAll(m.RootHome(), 0o700))
	cmd := m.Do("unshare", "--mount", "sh", "-c",
		"mount --bind "+m.RootHome()+" /root && cd && "+script)
	cmd.Env = append(cmd.Env, "HOME=/root", "XDG_RUNTIME_DIR=")
	return cmd
}
