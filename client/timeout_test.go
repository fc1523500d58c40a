//go:build unix

package client

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/client/options"
	"minissh/protocol/mux"
)

// ConnectTimeout counts once for each attempt: a host that answers nothing is told after that time and not after twice as long.
func TestConnectTimeoutCountsOnce(t *testing.T) {
	file := keyFile(t, newKey(t))
	for attempts, want := range map[int]time.Duration{1: 10 * time.Second, 3: 32 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			begun, dials := time.Now(), 0
			d := &Dialer{Messages: new(messages), Options: &options.Options{
				Alias: "mute", HostName: "192.0.2.1", Port: 7422, User: "tester", IdentityFiles: []string{file}, IdentitiesOnly: true,
				ConnectTimeout: 10 * time.Second, ConnectionAttempts: attempts,
			}}
			d.dialing = func(ctx context.Context, _, _ string) (net.Conn, error) {
				dials++
				<-ctx.Done()
				return nil, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
			}
			_, err := d.Dial(t.Context(), func(*mux.Session) error { return nil })
			if took := time.Since(begun); err == nil || took != want || dials != attempts || !strings.Contains(err.Error(), "Connection timed out") {
				t.Errorf("%d attempts: %d dials in %v: %v", attempts, dials, took, err)
			}
		})
	}
}

// As often as ConnectionAttempts says, a second apart, and no more often.
func TestConnectionAttempts(t *testing.T) {
	file := keyFile(t, newKey(t))
	synctest.Test(t, func(t *testing.T) {
		begun, dials := time.Now(), 0
		d := &Dialer{Messages: new(messages), Options: &options.Options{
			Alias: "closed", HostName: "192.0.2.1", Port: 7422, User: "tester", IdentityFiles: []string{file}, IdentitiesOnly: true, ConnectionAttempts: 3,
		}}
		d.dialing = func(context.Context, string, string) (net.Conn, error) {
			dials++
			return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
		}
		if _, err := d.Dial(t.Context(), func(*mux.Session) error { return nil }); err == nil || dials != 3 || time.Since(begun) != 2*time.Second {
			t.Errorf("%d dials in %v: %v", dials, time.Since(begun), err)
		}
	})
}

// The daemon sees the address that BindAddress names; one that is not ours, or an interface that there is not, ends it before anybody is called.
func TestBindAddress(t *testing.T) {
	from := make(chan string, 1)
	f := newFake(t, func(g *guest) {
		host, _, _ := net.SplitHostPort(g.raw.RemoteAddr().String())
		from <- host
		exits(`{"how":"exited","code":0}`)(g)
	})
	if r := f.run(t, func(d *Dialer) { d.Options.BindAddress = "127.0.0.5" }); r.code != 0 || <-from != "127.0.0.5" {
		t.Errorf("%+v", r)
	}
	if r := f.run(t, func(d *Dialer) { d.Options.BindInterface = "lo" }); r.code != 0 || <-from != "127.0.0.1" {
		t.Errorf("%+v", r)
	}
	for want, change := range map[string]func(*options.Options){
		"BindInterface none0 cannot be used": func(o *options.Options) { o.BindInterface = "none0" },
		"BindAddress 127.0.0.5 cannot be":    func(o *options.Options) { o.BindAddress, o.AddressFamily = "127.0.0.5", "inet6" },
		"BindAddress 192.0.2.77 cannot be":   func(o *options.Options) { o.BindAddress = "192.0.2.77" },
	} {
		if r := f.run(t, func(d *Dialer) { change(d.Options) }); r.code != 255 || !strings.Contains(r.said, want) {
			t.Errorf("%s: %+v", want, r)
		}
	}
}

// The key that an agent refuses to sign with is left out, and the next one asked (a real ssh-agent, whose keys want a yes that nobody says).
func TestAgentRefusesOneKey(t *testing.T) {
	for _, name := range []string{"ssh-agent", "ssh-add"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip("not run: needs " + name)
		}
	}
	socket := filepath.Join(t.TempDir(), "agent")
	agent := exec.Command("ssh-agent", "-D", "-a", socket)
	agent.Env = append(os.Environ(), "SSH_ASKPASS=/bin/false", "SSH_ASKPASS_REQUIRE=force", "DISPLAY=none")
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
	declined, good := newKey(t), newKey(t)
	add("-c", keyFile(t, declined))
	var shown []ssh.PublicKey
	f := newFake(t, func(g *guest) { shown = append(shown, g.key); exits(`{"how":"exited","code":0}`)(g) })
	use := func(d *Dialer) {
		d.Options.IdentityFiles, d.Options.IdentitiesOnly, d.Options.IdentityAgent = nil, false, socket
	}
	if r := f.run(t, use); r.code != 255 || !strings.Contains(r.said, "did not sign") || !strings.Contains(r.said, "no other key is left") || len(shown) != 0 {
		t.Errorf("the only key is declined: %+v", r)
	}
	r := f.run(t, func(d *Dialer) { use(d); d.Options.DefaultIdentityFiles = []string{keyFile(t, good)} })
	if r.code != 0 || r.said != "" || len(shown) != 1 || !bytes.Equal(shown[0].Marshal(), good.Public.Marshal()) {
		t.Errorf("a file is left: %+v", r)
	}
	shown = nil
	add(keyFile(t, good))
	r = f.run(t, func(d *Dialer) { use(d); d.Options.LogLevel = options.LevelDebug1 })
	if r.code != 0 || len(shown) != 1 || !bytes.Equal(shown[0].Marshal(), good.Public.Marshal()) || !strings.Contains(r.said, "trying the next key") {
		t.Errorf("another key of the agent's is left: %+v", r)
	}
}
