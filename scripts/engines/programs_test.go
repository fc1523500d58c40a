//go:build linux

package engines_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

const playbook = `
- hosts: all
  vars: {greeting: hello}
  tasks:
    - copy: {src: data, dest: /root/copied, mode: "0640"}
    - template: {src: page.j2, dest: /root/page}
    - shell: sleep 1; echo made by $(hostname)
      async: 30
      poll: 0
      register: job
    - async_status: {jid: "{{ job.ansible_job_id }}"}
      register: result
      until: result.finished
      retries: 300
      delay: 0.1
    - copy: {content: "{{ result.stdout }}\n", dest: /root/made}
`

// Facts, files, a template and what goes on after its connection, on all at the same time.
func TestAnsible(t *testing.T) {
	t.Parallel()
	testhost.Need(t, "ansible-playbook")
	c := newCluster(t, star)
	c.Write("home-admin/site.yml", playbook)
	c.Write("home-admin/hosts",
		"[all]\nweb[1:3]\n[all:vars]\nansible_python_interpreter=/usr/bin/python3\n")
	data := strings.Repeat("data\n", 100_000)
	c.Write("home-admin/data", data)
	c.Write("home-admin/page.j2", "{{ greeting }} from {{ ansible_facts.hostname }} at "+
		"{{ ansible_facts.eth0.ipv4.address }}\n")
	r := c.run("ANSIBLE_")
	r.Out = strings.Join(strings.Fields(r.Out), " ")
	c.has(r, 0)
	for _, m := range c.web {
		c.has(r, 0, m.Name+" : ok=6 changed=5 unreachable=0 failed=0 ")
		for name, want := range map[string]string{"copied": data,
			"page": "hello from " + m.Name + " at " + m.Address + "\n",
			"made": "made by " + m.Name + "\n"} {
			if got := c.Read("home-" + m.Name + "/" + name); got != want {
				t.Errorf("%s on %s: %.100q", name, m.Name, got)
			}
		}
	}
}

// In tree mode web1 is the gateway, and the only one that web2 and web3 let in. It reaches itself
// over minissh, too.
func TestClushTree(t *testing.T) {
	t.Parallel()
	testhost.Need(t, "clush")
	c := newCluster(t, map[string][]string{"admin": {"web1"}, "web1": {"web1", "web2", "web3"}})
	c.Write("home-admin/topology.conf", "[routes]\nadmin: web1\nweb1: web[2-3]\n")
	c.has(c.run("clush ", "uptime", "'hostname; exit 4'"), 0, "web1: web1\n", "web2: web2\n",
		"web3: web3\n")
	c.has(c.run("clush ", "uptime", "'hostname; exit 4'", "clush ", "clush -S "), 4)
}

// Each file goes to the next host that is free; what is made of it comes back, and nothing stays.
func TestParallel(t *testing.T) {
	t.Parallel()
	testhost.Need(t, "parallel")
	testhost.Need(t, "rsync")
	c := newCluster(t, star)
	for i := range 12 {
		c.Write(fmt.Sprintf("home-admin/%d.log", i), fmt.Sprintln("log", i))
	}
	c.has(c.run("parallel "), 0)
	for i := range 12 {
		zipped := fmt.Sprintf("%d.log.gz", i)
		r := c.Run("gzip", "-dc", c.admin.RootHome()+"/"+zipped)
		if r.Out != fmt.Sprintln("log", i) {
			t.Errorf("%s: %+v", zipped, r)
		}
	}
	for _, m := range c.web {
		entries, err := os.ReadDir(m.RootHome())
		c.Must(err)
		for _, e := range entries {
			if strings.Contains(e.Name(), ".log") {
				t.Errorf("%s is left on %s", e.Name(), m.Name)
			}
		}
	}
}

// Ctrl-C stops the jobs on the hosts, too, if parallel kills its minissh: a TERM, which it begins
// with otherwise, reaches what parallel itself runs there, and that ends without its job.
func TestParallelInterrupted(t *testing.T) {
	t.Parallel()
	testhost.Need(t, "parallel")
	c := newCluster(t, star)
	c.add("home-admin/1.log", "")
	c.add("home-admin/2.log", "")
	cmd := c.command("parallel ", "gzip -k {}", "'sleep 1000; : {}'", "parallel ",
		"exec parallel --termseq KILL,25 ")
	parallel := c.Start(cmd)
	sleeps := func(count int) {
		t.Helper()
		testend.Until(t, fmt.Sprint(count, " jobs run"), func() bool {
			return c.running("sleep\x001000\x00", c.web...) == count
		})
	}
	sleeps(2)
	cmd.Process.Signal(os.Interrupt)
	<-parallel.Done
	sleeps(0)
}

// Six processes on three machines add up their ranks and say where they are.
const program = `#!/usr/bin/python3
import socket
from mpi4py import MPI
world = MPI.COMM_WORLD
total = world.allreduce(world.rank)
print(f"{world.rank} of {world.size} on {socket.gethostname()}: {total}", flush=True)
`

// everywhere is what the six print.
var everywhere = []string{"0 of 6 on web1: 15\n", "1 of 6 on web1: 15\n", "2 of 6 on web2: 15\n",
	"3 of 6 on web2: 15\n", "4 of 6 on web3: 15\n", "5 of 6 on web3: 15\n"}

func TestMPI(t *testing.T) {
	t.Parallel()
	c := newCluster(t, star)
	c.mpi()
	c.mpi("--mca routed_radix 1 --mca plm_rsh_no_tree_spawn 1 ")
}

// Beyond 64 hosts mpirun starts those that start the others; here, each starts one.
func TestMPITree(t *testing.T) {
	t.Parallel()
	newCluster(t, map[string][]string{"admin": {"web1"}, "web1": {"web2"}, "web2": {"web3"}}).
		mpi("--mca routed_radix 1 ")
}

// mpi runs the program with mpirun, which root must allow itself.
func (c *cluster) mpi(options ...string) {
	c.t.Helper()
	testhost.Need(c.t, "mpirun")
	const library = "/usr/lib/python3/dist-packages/mpi4py/__init__.py"
	if _, err := os.Stat(library); err != nil {
		c.t.Skip("not run: needs " + library)
	}
	c.Must(os.WriteFile(c.Path("program"), []byte(program), 0o755))
	c.has(c.run("mpirun ", "./program", c.Path("program"), "mpirun ",
		"mpirun --allow-run-as-root "+strings.Join(options, "")), 0, everywhere...)
}
