//go:build linux

// Package engines_test drives the programs that people have for more than some hundred machines,
// with the lines of cmd/minissh/README.md, over four machines on a bridge: admin, where the lines
// are typed, and web1 to web3, each with a daemon, a home and keys of its own.
package engines_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

func TestMain(m *testing.M) { testhost.Main(m) }

// cluster is admin and web1 to web3.
type cluster struct {
	*testhost.Place
	t     *testing.T
	admin *testhost.Machine
	web   []*testhost.Machine
}

// newCluster has daemons on web1 to web3. Each machine in ways knows those that it has there, and
// may log in to them; it knows no others.
func newCluster(t *testing.T, ways map[string][]string) *cluster {
	t.Helper()
	c := &cluster{Place: testhost.New(t), t: t}
	machines := c.Network("admin", "web1", "web2", "web3")
	c.admin, c.web = machines[0], machines[1:]
	for _, m := range machines {
		c.Must(os.MkdirAll(filepath.Join(m.RootHome(), ".ssh"), 0o700))
		c.Key(m.RootHome() + "/.ssh/id_ed25519")
		c.Key(m.RootHome() + "/host_key")
	}
	c.nothingIsLeft(machines)
	for _, m := range machines {
		for _, to := range ways[m.Name] {
			home := "home-" + to
			c.add(home+"/.ssh/authorized_keys", c.Read("home-"+m.Name+"/.ssh/id_ed25519.pub"))
			i := slices.IndexFunc(c.web, func(m *testhost.Machine) bool { return m.Name == to })
			address := c.web[i].Address
			c.add("home-"+m.Name+"/.ssh/known_hosts",
				fmt.Sprintf("[%s]:7422 %s", address, c.Read(home+"/host_key.pub")))
			c.add("home-"+m.Name+"/.config/minissh/config",
				fmt.Sprintf("Host %s\n\tHostName %s\n", to, address))
		}
	}
	for _, m := range c.web {
		// minissh is installed there
		d := c.Start(m.AsRoot("mount --bind " + testhost.Bin + " /usr/local/bin && exec minisshd " +
			"--control none --cgroup none --host-key host_key --listen " + m.Address + ":7422"))
		d.Out.Await(t, "\n")
	}
	return c
}

// star has admin log in everywhere.
var star = map[string][]string{"admin": {"web1", "web2", "web3"}}

func (c *cluster) add(name, text string) { c.Write(name, c.Read(name)+text) }

// nothingIsLeft has the test fail if, after the daemons, anything goes on running on a machine.
func (c *cluster) nothingIsLeft(machines []*testhost.Machine) {
	c.t.Cleanup(func() {
		testend.Until(c.t, "nothing runs on the machines", func() bool {
			return c.running("", machines...) == 0
		})
	})
}

// running counts the processes on machines whose command line begins so, without those that keep
// the machines.
func (c *cluster) running(begin string, machines ...*testhost.Machine) (count int) {
	c.t.Helper()
	own := map[string]string{} // a network's name: the process that keeps it
	for _, m := range machines {
		keeper := fmt.Sprintf("/proc/%d", m.Keeper.Process.Pid)
		network, err := os.Readlink(keeper + "/ns/net")
		c.Must(err)
		own[network] = keeper
	}
	processes, err := filepath.Glob("/proc/[0-9]*")
	c.Must(err)
	for _, process := range processes {
		network, _ := os.Readlink(process + "/ns/net") // not there any more: on no machine
		keeper, ok := own[network]
		line, _ := os.ReadFile(process + "/cmdline")
		if ok && keeper != process && strings.HasPrefix(string(line), begin) {
			count++
		}
	}
	return count
}

// run types the README's line that begins so on admin. Changes are pairs of what is in it and what
// the test has instead.
func (c *cluster) run(begin string, changes ...string) testhost.Ran {
	c.t.Helper()
	return c.RunCmd(c.command(begin, changes...))
}

// command prepares what run runs.
func (c *cluster) command(begin string, changes ...string) *exec.Cmd {
	c.t.Helper()
	text, err := os.ReadFile("../../cmd/minissh/README.md")
	c.Must(err)
	_, rest, _ := strings.Cut(string(text), "<!-- engines: begin -->")
	rest, _, _ = strings.Cut(rest, "<!-- engines: end -->")
	rest = strings.ReplaceAll(rest, "\\\n", " ")
	for line := range strings.Lines(rest) {
		if strings.HasPrefix(line, "    "+begin) {
			script := strings.NewReplacer(changes...).Replace(strings.TrimSpace(line))
			return c.admin.AsRoot(script)
		}
	}
	c.t.Fatalf("no line of the README begins with %q", begin)
	return nil
}

// has compares a result with the exit code and with lines that it has, each once.
func (c *cluster) has(r testhost.Ran, code int, lines ...string) {
	c.t.Helper()
	if r.Code != code {
		c.t.Errorf("exit code %d, not %d: %+v", r.Code, code, r)
	}
	for _, line := range lines {
		if n := strings.Count(r.Out, line); n != 1 {
			c.t.Errorf("%q is %d times in\n%s%s", line, n, r.Out, r.Err)
		}
	}
}
