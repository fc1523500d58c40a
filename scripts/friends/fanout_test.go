//go:build linux

package friends_test

import (
	"os"
	"strings"
	"testing"

	"minissh/scripts/testhost"
)

// hosts has one daemon under three names, a host that is down, and the directory "fake" with
// minissh under the name ssh, for programs that take no other.
func hosts(t *testing.T) *testhost.Place {
	t.Helper()
	p := testhost.New(t)
	d := p.Daemon()
	for _, name := range []string{"n1", "n2", "n3"} {
		p.Knows(name, d.Port)
	}
	p.Knows("down", "1")
	p.Must(os.Mkdir(p.Path("fake"), 0o700))
	p.Must(os.Symlink(testhost.Bin+"/minissh", p.Path("fake/ssh")))
	return p
}

// asSSH runs a program that finds minissh where it looks for ssh.
func asSSH(p *testhost.Place, env []string, name string, args ...string) testhost.Ran {
	cmd := p.Command(name, args...)
	cmd.Env = append(append(cmd.Env, "PATH="+p.Path("fake")+":"+testhost.Bin+":"+os.Getenv("PATH")),
		env...)
	return p.RunCmd(cmd)
}

func count(t *testing.T, r testhost.Ran, code int, lines ...string) {
	t.Helper()
	if r.Code != code {
		t.Errorf("exit code %d, not %d: %+v", r.Code, code, r)
	}
	for _, line := range lines {
		if n := strings.Count(r.Out+r.Err, line); n != 1 {
			t.Errorf("%q is %d times in %+v", line, n, r)
		}
	}
}

func TestParallelSSH(t *testing.T) {
	t.Parallel()
	testhost.Need(t, "parallel-ssh")
	p := hosts(t)
	r := asSSH(p, nil, "parallel-ssh", "-i", "-H", "n1 n2 n3", "-x", "-o SetEnv=LC_MY=own",
		"echo of $LC_MY; exit 3")
	// 5: some command failed (parallel-ssh(1))
	count(t, r, 5, "[FAILURE] n1 Exited with error code 3", "[FAILURE] n2 Exited",
		"[FAILURE] n3 Exited")
	if strings.Count(r.Out, "of own\n") != 3 {
		t.Errorf("%s", r.Out)
	}
	count(t, asSSH(p, nil, "parallel-ssh", "-H", "n1 down", "true"), 4, "[SUCCESS] n1",
		"[FAILURE] down Exited with error code 255")
}

func TestClush(t *testing.T) {
	t.Parallel()
	testhost.Need(t, "clush")
	p := hosts(t)
	p.Write("clush.conf", "[Main]\nssh_path: minissh\nscp_path: scp\nscp_options: -S minissh\n")
	count(t, p.Run("clush", "--conf=clush.conf", "-S", "-w", "n[1-3]", "echo hi; exit 4"), 4,
		"n1: hi", "n2: hi", "n3: hi", "n2: exited with exit code 4")
	p.Write("file", "text\n")
	count(t, p.Run("clush", "--conf=clush.conf", "-w", "n[1-2]", "--copy", "file", "--dest",
		p.Path("copied")), 0)
	if p.Read("copied") != "text\n" {
		t.Error("--copy copied nothing")
	}
}

func TestPdsh(t *testing.T) {
	t.Parallel()
	testhost.Need(t, "pdsh")
	p := hosts(t)
	count(t, asSSH(p, nil, "pdsh", "-S", "-R", "ssh", "-w", "n[1-3]", "echo hi; exit 5"), 5,
		"n1: hi", "n2: hi", "n3: hi", "n2: ssh exited with exit code 5")
}

// Ansible reaches its hosts by pipelining, and copies files by sftp, scp or through a pipe
// (ssh_transfer_method), then runs them on a terminal (-tt). sftp and scp are told to use minissh.
func TestAnsible(t *testing.T) {
	t.Parallel()
	testhost.Need(t, "ansible")
	python := testhost.Need(t, "python3")
	p := hosts(t)
	p.Write("file", "text\n")
	ansible := func(env []string, args ...string) testhost.Ran {
		env = append(env, "ANSIBLE_SSH_EXECUTABLE=minissh", "ANSIBLE_NOCOLOR=1",
			"ANSIBLE_LOCALHOST_WARNING=0")
		return asSSH(p, env, "ansible",
			append([]string{"-o", "-i", "n1,n2,down,", "-e", "ansible_python_interpreter=" + python,
				"-e", "ansible_remote_tmp=" + p.Path("tmp")}, args...)...)
	}
	count(t, ansible([]string{"ANSIBLE_PIPELINING=1"}, "n1,n2", "-m", "ping"), 0, "n1 | SUCCESS",
		"n2 | SUCCESS")
	count(t, ansible([]string{"ANSIBLE_PIPELINING=1"}, "all", "-m", "command", "-a", "false"), 4,
		"n1 | FAILED!", "n2 | FAILED!", "down | UNREACHABLE!")
	for _, way := range []string{"sftp", "scp", "piped"} {
		r := ansible([]string{"ANSIBLE_SSH_TRANSFER_METHOD=" + way,
			"ANSIBLE_SFTP_EXTRA_ARGS=-S minissh", "ANSIBLE_SCP_EXTRA_ARGS=-S minissh"},
			"n1", "-m", "copy", "-a", "src="+p.Path("file")+" dest="+p.Path(way))
		count(t, r, 0, "n1 | CHANGED")
		if p.Read(way) != "text\n" || strings.Contains(r.Err, "WARN") {
			t.Errorf("%s copied nothing: %+v", way, r)
		}
	}
}
