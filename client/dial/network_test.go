//go:build unix

package dial_test

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"minissh/client/dial"
	"minissh/client/fakedaemon"
	"minissh/client/options"
)

// The daemon sees the address that BindAddress names; one that is not ours, or an interface that
// does not exist, ends it before any connection.
func TestBindAddress(t *testing.T) {
	from := make(chan string, 1)
	f := fakedaemon.New(t, func(g *fakedaemon.Guest) {
		host, _, _ := net.SplitHostPort(g.Raw.RemoteAddr().String())
		from <- host
		fakedaemon.Exits(`{"how":"exited","code":0}`)(g)
	})
	if r := f.Run(t, func(d *dial.Dialer) { d.Options.BindAddress = "127.0.0.5" }); r.Code != 0 ||
		<-from != "127.0.0.5" {
		t.Errorf("%+v", r)
	}
	if r := f.Run(t, func(d *dial.Dialer) { d.Options.BindInterface = "lo" }); r.Code != 0 ||
		<-from != "127.0.0.1" {
		t.Errorf("%+v", r)
	}
	for want, change := range map[string]func(*options.Options){
		"BindInterface none0 cannot be used": func(o *options.Options) {
			o.BindInterface = "none0"
		},
		"BindAddress 127.0.0.5 cannot be": func(o *options.Options) {
			o.BindAddress, o.AddressFamily = "127.0.0.5", "inet6"
		},
		"BindAddress 192.0.2.77 cannot be": func(o *options.Options) {
			o.BindAddress = "192.0.2.77"
		},
	} {
		if r := f.Run(t, func(d *dial.Dialer) { change(d.Options) }); r.Code != 255 ||
			!strings.Contains(r.Said, want) {
			t.Errorf("%s: %+v", want, r)
		}
	}
}

// A key that an agent refuses to sign with is skipped, and the next one tried (a real ssh-agent,
// whose keys need a yes that nobody says).
func TestAgentRefusesOneKey(t *testing.T) {
	for _, name := range []string{"ssh-agent", "ssh-add"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip("not run: needs " + name)
		}
	}
	socket := filepath.Join(t.TempDir(), "agent")
	agent := exec.Command("ssh-agent", "-D", "-a", socket)
	agent.Env = append(os.Environ(), "SSH_ASKPASS=/bin/false", "SSH_ASKPASS_REQUIRE=force",
		"DISPLAY=none")
	out, err := agent.StdoutPipe() // it tells its socket when that is there
	if err != nil {
		t.Fatal(err)
	}
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { agent.Process.Kill(); agent.Wait() }()
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	add := func(args ...string) {
		cmd := exec.Command("ssh-add", args...)
		cmd.Env = append(os.Environ(), "SSH_AUTH_SOCK="+socket)
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("ssh-add %q: %v %s", args, err, text)
		}
	}
	declined, good := fakedaemon.NewKey(t), fakedaemon.NewKey(t)
	add("-c", fakedaemon.KeyFile(t, declined))
	var shown []ssh.PublicKey
	f := fakedaemon.New(t, func(g *fakedaemon.Guest) {
		shown = append(shown, g.Key)
		fakedaemon.Exits(`{"how":"exited","code":0}`)(g)
	})
	use := func(d *dial.Dialer) {
		d.Options.IdentityFiles, d.Options.IdentitiesOnly, d.Options.IdentityAgent = nil, false,
			socket
	}
	if r := f.Run(t, use); r.Code != 255 || !strings.Contains(r.Said, "did not sign") ||
		!strings.Contains(r.Said, "no other key is left") || len(shown) != 0 {
		t.Errorf("the only key is declined: %+v", r)
	}
	r := f.Run(t, func(d *dial.Dialer) {
		use(d)
		d.Options.DefaultIdentityFiles = []string{
			fakedaemon.KeyFile(t, good)}
	})
	if r.Code != 0 || r.Said != "" || len(shown) != 1 ||
		!bytes.Equal(shown[0].Marshal(), good.Public.Marshal()) {
		t.Errorf("a file is left: %+v", r)
	}
	shown = nil
	add(fakedaemon.KeyFile(t, good))
	r = f.Run(t, func(d *dial.Dialer) { use(d); d.Options.LogLevel = options.LevelDebug1 })
	if r.Code != 0 || len(shown) != 1 || !bytes.Equal(shown[0].Marshal(), good.Public.Marshal()) ||
		!strings.Contains(r.Said, "trying the next key") {
		t.Errorf("another key of the agent's is left: %+v", r)
	}
}
