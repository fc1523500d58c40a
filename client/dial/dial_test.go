//go:build unix

package dial_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"minissh/client/dial"
	"minissh/client/fakedaemon"
	"minissh/client/options"
	"minissh/protocol/keys"
)

// The question about an unknown host waits with the connection closed (RULES A4); its answer is
// written once, even if our first key is then refused.
func TestUnknownHost(t *testing.T) {
	second := fakedaemon.NewKey(t)
	would := keys.Fingerprint(second.Public)
	good := fakedaemon.Exits(`{"how":"exited","code":0}`)
	for name, turns := range map[string][]func(*fakedaemon.Guest){
		"a good key": {good},
		"first key refused": {
			good, fakedaemon.Refuse(`{"code":"key_not_authorized","key":"` + would + `"}`), good},
		"answer in capitals": {good},
	} {
		t.Run(name, func(t *testing.T) {
			f := fakedaemon.New(t, turns...)
			a := &fakedaemon.Asker{Answer: func(string) (string, error) {
				if !f.Empty() {
					t.Error("a connection is open while a person is asked")
				}
				return "YES", nil
			}}
			var d *dial.Dialer
			r := f.Run(t, func(dialer *dial.Dialer) {
				d = dialer
				d.Ask = a
				d.Options.IdentityFiles = append(d.Options.IdentityFiles,
					fakedaemon.KeyFile(t, second))
				fakedaemon.Forget(d)
			})
			if r.Code != 0 || len(a.Asked) != 1 ||
				!strings.Contains(a.Asked[0], keys.Fingerprint(f.Host.Public)) {
				t.Errorf("%+v, asked %q", r, a.Asked)
			}
			if lines := fakedaemon.KnownLines(d); len(lines) != 1 ||
				strings.Count(r.Said, "Permanently added") != 1 {
				t.Errorf("known_hosts has %q; %s", lines, r.Said)
			}
		})
	}
}

// An answer of no, or another key than the one that was asked about, ends it; nothing is written
// and nothing is sent.
func TestHostKeyRefused(t *testing.T) {
	hello := make(chan bool, 9)
	spy := func(g *fakedaemon.Guest) { hello <- true; g.Drain() }
	for name, c := range map[string]struct {
		change func(*fakedaemon.Fake, *dial.Dialer)
		said   string
	}{
		"the answer is no": {func(_ *fakedaemon.Fake, d *dial.Dialer) {
			fakedaemon.Forget(d)
			d.Ask = &fakedaemon.Asker{Answer: func(string) (string, error) { return "no", nil }}
		}, "Host key verification failed"},
		"another key after the question": {func(f *fakedaemon.Fake, d *dial.Dialer) {
			fakedaemon.Forget(d)
			f.Show(fakedaemon.NewKey(t))
			d.Ask = &fakedaemon.Asker{Answer: func(string) (string, error) { return "yes", nil }}
		}, "showed another key than the one that you were asked about"},
		"nobody to ask": {func(_ *fakedaemon.Fake, d *dial.Dialer) { fakedaemon.Forget(d) },
			"Host key verification failed"},
		"batch mode": {func(_ *fakedaemon.Fake, d *dial.Dialer) {
			fakedaemon.Forget(d)
			d.Options.BatchMode = true
			d.Ask = &fakedaemon.Asker{
				Answer: func(string) (string, error) {
					t.Error("asked in batch mode")
					return "yes",
						nil
				}}
		}, "Host key verification failed"},
		"strict": {func(_ *fakedaemon.Fake, d *dial.Dialer) {
			fakedaemon.Forget(d)
			d.Options.StrictHostKeyChecking = options.StrictYes
		}, "strict checking"},
		"changed": {func(f *fakedaemon.Fake, d *dial.Dialer) {
			host, port, _ := net.SplitHostPort(f.Listener.Addr().String())
			os.WriteFile(d.Options.UserKnownHostsFiles[0],
				fmt.Appendf(nil, "[%s]:%s %s", host, port,
					ssh.MarshalAuthorizedKey(fakedaemon.NewKey(t).Public)), 0o600)
		}, "REMOTE HOST IDENTIFICATION HAS CHANGED"},
		"changed, and checking is off": {func(f *fakedaemon.Fake, d *dial.Dialer) {
			host, port, _ := net.SplitHostPort(f.Listener.Addr().String())
			os.WriteFile(d.Options.UserKnownHostsFiles[0],
				fmt.Appendf(nil, "[%s]:%s %s", host, port,
					ssh.MarshalAuthorizedKey(fakedaemon.NewKey(t).Public)), 0o600)
			d.Options.StrictHostKeyChecking = options.StrictNo
		}, "REMOTE HOST IDENTIFICATION HAS CHANGED"},
	} {
		t.Run(name, func(t *testing.T) {
			f := fakedaemon.New(t, spy)
			var d *dial.Dialer
			var before []string
			r := f.Run(t, func(dialer *dial.Dialer) {
				d = dialer
				c.change(f, d)
				before = fakedaemon.KnownLines(d)
			})
			if r.Code != 255 || !strings.Contains(r.Said, c.said) {
				t.Errorf("%d, %s", r.Code, r.Said)
			}
			if after := fakedaemon.KnownLines(d); !slices.Equal(before, after) {
				t.Errorf("known_hosts has now %q", after)
			}
			if len(hello) > 0 {
				t.Error("HELLO was sent to a host that was not accepted")
			}
		})
	}
}

// After a refused key comes the one that the daemon names (RULES A3); the next run begins with it.
func TestKeyRedial(t *testing.T) {
	first, second, third := fakedaemon.NewKey(t), fakedaemon.NewKey(t), fakedaemon.NewKey(t)
	var shown [][]string // for each HELLO: the key that was used, then those that were offered
	would := keys.Fingerprint(third.Public)
	f := fakedaemon.New(t, func(g *fakedaemon.Guest) {
		shown = append(shown, append([]string{keys.Fingerprint(g.Key)}, g.Hello.Keys...))
		if keys.Fingerprint(g.Key) != would {
			fakedaemon.Refuse(`{"code":"key_not_authorized","key":"` + would + `"}`)(g)
			return
		}
		fakedaemon.Exits(`{"how":"exited","code":0}`)(g)
	})
	d, said := f.Dialer(t)
	d.Options.IdentitiesOnly = false
	d.Options.IdentityFiles = nil
	d.Options.DefaultIdentityFiles = []string{fakedaemon.KeyFile(t, first),
		fakedaemon.KeyFile(t, second), fakedaemon.KeyFile(t, third)}
	if r := fakedaemon.RunDialer(t, d, said); r.Code != 0 || r.Said != "" {
		t.Fatalf("%+v", r)
	}
	print := func(id keys.Identity) string { return keys.Fingerprint(id.Public) }
	if len(shown) != 2 || !slices.Equal(shown[0], []string{print(first), print(second), would}) ||
		shown[1][0] != would {
		t.Errorf("the daemon saw %q", shown)
	}
	text, err := os.ReadFile(filepath.Join(os.Getenv("XDG_STATE_HOME"), "minissh", "last-keys"))
	if want := fmt.Sprintf("tester@[127.0.0.1]:%d %s\n", d.Options.Port, would); err != nil ||
		string(text) != want {
		t.Errorf("last-keys has %q, %v", text, err)
	}
	shown = nil
	if r := fakedaemon.RunDialer(t, d, said); r.Code != 0 || len(shown) != 1 ||
		shown[0][0] != would {
		t.Errorf("the second time: %+v, the daemon saw %q", r, shown)
	}
}

// A daemon cannot make the client try for ever, nor with a key that it was not offered.
func TestRefusalsEnd(t *testing.T) {
	for name, named := range map[string]string{"none": "", "nonsense": "SHA256:nonsense",
		"escapes": fakedaemon.Evil} {
		tried := map[string]int{}
		f := fakedaemon.New(t, func(g *fakedaemon.Guest) {
			tried[keys.Fingerprint(g.Key)]++
			fakedaemon.Refuse(`{"code":"key_not_authorized","message":"` + fakedaemon.Evil +
				`","key":"` + named + `"}`)(g)
		})
		r := f.Run(t, func(d *dial.Dialer) {
			d.Options.IdentityFiles = append(d.Options.IdentityFiles,
				fakedaemon.KeyFile(t, fakedaemon.NewKey(t)),
				fakedaemon.KeyFile(t, fakedaemon.NewKey(t)))
			d.Options.LogLevel = options.LevelDebug3
		})
		if r.Code != 255 || !strings.Contains(r.Said, "Permission denied (publickey)") ||
			!strings.Contains(r.Said, "ssh-ed25519 AAAA") {
			t.Errorf("%s: %d, %s", name, r.Code, r.Said)
		}
		for key, n := range tried {
			if n != 1 {
				t.Errorf("%s: %s was tried %d times", name, key, n)
			}
		}
	}
	var all []string
	ids := make([]keys.Identity, 12)
	for i := range ids {
		ids[i] = fakedaemon.NewKey(t)
		all = append(all, keys.Fingerprint(ids[i].Public))
	}
	attempts := 0
	f := fakedaemon.New(t, func(g *fakedaemon.Guest) {
		attempts++
		fakedaemon.Refuse(`{"code":"key_not_authorized","key":"` + all[min(attempts, len(all)-1)] +
			`"}`)(g)
	})
	r := f.Run(t, func(d *dial.Dialer) {
		d.Options.IdentityFiles = nil
		for _, id := range ids {
			d.Options.IdentityFiles = append(d.Options.IdentityFiles, fakedaemon.KeyFile(t, id))
		}
	})
	if r.Code != 255 || attempts > 6 {
		t.Errorf("%d attempts: %s", attempts, r.Said)
	}
}

// listenAgent serves connections to an agent until the test ends.
func listenAgent(t *testing.T, socket string, serve func(net.Conn)) {
	t.Helper()
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer conn.Close(); serve(conn) }()
		}
	}()
}

// A key in an agent proves itself without leaving it; its comment is quoted.
func TestAgentKey(t *testing.T) {
	id := fakedaemon.NewKey(t)
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: id.Private,
		Comment: "me\x1b[31m@home"}); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "agent")
	listenAgent(t, socket, func(conn net.Conn) { agent.ServeAgent(ring, conn) })
	var key ssh.PublicKey
	f := fakedaemon.New(t, func(g *fakedaemon.Guest) {
		key = g.Key
		fakedaemon.Exits(`{"how":"exited","code":0}`)(g)
	})
	useAgent := func(d *dial.Dialer) {
		d.Options.IdentityFiles, d.Options.IdentitiesOnly, d.Options.IdentityAgent = nil, false,
			socket
	}
	if r := f.Run(t, useAgent); r.Code != 0 || key == nil ||
		!bytes.Equal(key.Marshal(), id.Public.Marshal()) {
		t.Errorf("%+v", r)
	}
	f = fakedaemon.New(t, fakedaemon.Refuse(`{"code":"key_not_authorized"}`))
	if r := f.Run(t, useAgent); r.Code != 255 ||
		!strings.Contains(r.Said, `agent: "me\x1b[31m@home"`) {
		t.Errorf("%d, %s", r.Code, r.Said)
	}
}

// An agent that accepts the call and answers nothing is named; one that is missing is not.
func TestAgentThatDoesNotAnswer(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "agent")
	f := fakedaemon.New(t, fakedaemon.Exits(`{"how":"exited","code":0}`))
	run := func() fakedaemon.Ran {
		return f.Run(t, func(d *dial.Dialer) { d.Options.IdentityAgent = socket })
	}
	if r := run(); r.Code != 0 || strings.Contains(r.Said, "agent") {
		t.Errorf("no agent: %+v", r)
	}
	listenAgent(t, socket, func(net.Conn) {})
	if r := run(); r.Code != 0 || !strings.Contains(r.Said, "the ssh-agent does not answer") ||
		!strings.Contains(r.Said, "left out") {
		t.Errorf("a mute agent: %+v", r)
	}
}

// Without any usable key there is always a reason and something to type.
func TestNoKeys(t *testing.T) {
	f := fakedaemon.New(t, fakedaemon.Exits(`{}`))
	for name, change := range map[string]func(*options.Options){
		"no key":         func(o *options.Options) { o.IdentityFiles = nil },
		"a missing file": func(o *options.Options) { o.IdentityFiles = []string{"/no/such"} },
		"an open file":   func(o *options.Options) { os.Chmod(o.IdentityFiles[0], 0o644) },
		"an unusable file": func(o *options.Options) {
			os.WriteFile(o.IdentityFiles[0], []byte("nonsense"), 0o600)
		},
	} {
		r := f.Run(t, func(d *dial.Dialer) { change(d.Options) })
		if r.Code != 255 || !strings.Contains(r.Said, "minissh: hint: ") {
			t.Errorf("%s: %d, %s", name, r.Code, r.Said)
		}
	}
}

// A connection that nobody accepts.
func TestNobodyListens(t *testing.T) {
	f := fakedaemon.New(t)
	f.Listener.Close()
	if r := f.Run(t, nil); r.Code != 255 || !strings.Contains(r.Said, "Connection refused") &&
		!strings.Contains(r.Said, "connection refused") ||
		!strings.Contains(r.Said, "is minisshd running there") {
		t.Errorf("%d, %s", r.Code, r.Said)
	}
}
