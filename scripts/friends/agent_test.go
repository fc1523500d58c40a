//go:build linux

package friends_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

// agentWithKey is an ssh-agent with a key that is in no file: where it logs in, the agent did that.
// It gives the agent's socket and the key's line.
func agentWithKey(t *testing.T, p *testhost.Place) (socket, public string) {
	t.Helper()
	agent, add := testhost.Need(t, "ssh-agent"), testhost.Need(t, "ssh-add")
	socket = p.Path("agent")
	p.Start(p.Command(agent, "-D", "-a", socket))
	testend.Until(t, "the agent listens", func() bool {
		_, err := os.Stat(socket)
		return err == nil
	})
	public = string(p.Key(p.Path("lent")))
	cmd := p.Command(add, "-q", p.Path("lent"))
	cmd.Env = append(cmd.Env, "SSH_AUTH_SOCK="+socket)
	if r := p.RunCmd(cmd); r.Code != 0 {
		t.Fatalf("%+v", r)
	}
	p.Must(os.Remove(p.Path("lent")))
	return socket, public
}

// A lent agent (-A) is used there by ssh-add, and by ssh, which goes on to a host that knows the
// agent's key alone. The socket is gone afterwards.
func TestLentAgent(t *testing.T) {
	p := testhost.New(t)
	p.Daemon()
	config := sshdAt(t, p)
	socket, public := agentWithKey(t, p)
	p.Write("authorized_keys", p.Read("authorized_keys")+public)
	words := strings.Fields(public)
	run := func(code int, want string, args ...string) testhost.Ran {
		t.Helper()
		cmd := p.Command("minissh", args...)
		cmd.Env = append(cmd.Env, "SSH_AUTH_SOCK="+socket)
		r := p.RunCmd(cmd)
		if r.Code != code || !strings.Contains(r.Out, want) {
			t.Errorf("%q: %+v", args, r)
		}
		return r
	}
	file := filepath.Join(p.Home, ".ssh/id_ed25519") // logs in; what is lent is the agent
	r := run(0, words[1], "-A", "-i", file, "box", "ssh-add -L; echo at:$SSH_AUTH_SOCK")
	_, path, _ := strings.Cut(strings.TrimSpace(r.Out), "at:")
	if !strings.HasPrefix(path, "/") || path == socket {
		t.Errorf("the socket there is %q", path)
	}
	testend.Until(t, "the socket's folder is gone", func() bool {
		_, err := os.Stat(filepath.Dir(path))
		return os.IsNotExist(err)
	})
	run(0, words[1], "-oForwardAgent="+socket, "-oIdentityAgent=none", "-i", file, "box",
		"ssh-add -L")
	run(0, words[1], "-oForwardAgent=$SSH_AUTH_SOCK", "-i", file, "box", "ssh-add -L")
	run(0, words[1], "-A", "-tt", "-i", file, "box",
		`test -t 0 && ssh-add -L`)
	for _, args := range [][]string{{"box"}, {"-A", "-a", "box"},
		{"-oForwardAgent=yes", "-a", "box"}, {"-A", "-oIdentityAgent=none", "box"}} {
		run(2, "", append(append([]string{"-i", file}, args...), "ssh-add -L")...)
	}

	cmd := p.Command("minissh", "prompt", "-A", "-i", file, "box")
	cmd.Env = append(cmd.Env, "SSH_AUTH_SOCK="+socket)
	cmd.Stdin = strings.NewReader("ssh-add -L\nssh-add -l | wc -l\n")
	if r := p.RunCmd(cmd); r.Code != 0 || !strings.Contains(r.Out, words[1]) ||
		!strings.HasSuffix(r.Out, "\n1\n") {
		t.Errorf("at the prompt: %+v", r)
	}

	gate := strings.ReplaceAll(p.Read("ssh_config"), "id_ed25519", "none")
	p.Must(os.WriteFile(config, []byte(gate), 0o600))
	run(7, "through\n", "-A", "-i", file, "box",
		"ssh -F "+config+" -o BatchMode=yes gate 'echo through; exit 7'")
	run(255, "", "-i", file, "box", "ssh -F "+config+" -o BatchMode=yes gate true")
}

// Where the daemon, or the key, forbids it, the command runs without, and one line says so.
func TestLentAgentRefused(t *testing.T) {
	p := testhost.New(t)
	p.Daemon("--allow-agent-forwarding", "no")
	socket, _ := agentWithKey(t, p)
	cmd := p.Command("minissh", "-A", "box", "echo ${SSH_AUTH_SOCK-none}; exit 3")
	cmd.Env = append(cmd.Env, "SSH_AUTH_SOCK="+socket)
	if r := p.RunCmd(cmd); r.Code != 3 || r.Out != "none\n" || strings.Count(r.Err, "\n") != 1 ||
		!strings.Contains(r.Err, "does not take your agent") {
		t.Errorf("%+v", r)
	}
}
