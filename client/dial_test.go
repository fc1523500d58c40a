//go:build unix

package client

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"minissh/client/options"
	"minissh/protocol"
	"minissh/protocol/keys"
)

// A good command: HELLO, OPEN and EOF come together, the streams are unmixed, the exit code is the command's, and nothing is said.
func TestRunCommand(t *testing.T) {
	var asked protocol.Open
	var name string
	f := newFake(t, func(g *guest) {
		name = g.h.User
		// Nothing is sent yet: what the client wants must come by itself (SE3).
		g.until(protocol.TypeOpen).Decode(&asked)
		if end := g.next(); end.Type != protocol.TypeEOF {
			return
		}
		g.welcome()
		g.say(protocol.TypeOpened, 1, `{"pid":1}`)
		g.data(protocol.TypeStdout, "out\xff\x1b[31m")
		g.data(protocol.TypeStderr, "err\x00")
		g.data(protocol.TypeStdout, "more")
		g.end(`{"how":"exited","code":42}`)
	})
	r := f.run(t, nil)
	if r.code != 42 || r.out != "out\xff\x1b[31mmore" || r.err != "err\x00" || r.said != "" {
		t.Errorf("%+v", r)
	}
	if name != "tester" || string(asked.Command) != "a command" || asked.Argv != nil {
		t.Errorf("user %q, %+v", name, asked)
	}
}

// What was begun before it was known where to becomes the first call; over a Unix socket nothing is left of it.
func TestBegin(t *testing.T) {
	f := newFake(t, exits(`{"how":"exited","code":7}`))
	d, said := f.dialer(t)
	d.Begin()
	begun := d.begun
	if r := runDialer(t, d, said); r.code != 7 || r.said != "" || begun.d != d || d.begun != nil {
		t.Errorf("%+v", r)
	}
	<-begun.done

	d, said = f.dialer(t)
	d.Options.Socket = filepath.Join(t.TempDir(), "none")
	d.Begin()
	begun = d.begun
	if r := runDialer(t, d, said); r.code != 255 || !strings.Contains(r.said, "no daemon answers on the socket") {
		t.Errorf("%+v", r)
	}
	if <-begun.done; begun.conn != nil {
		t.Error("a connection came of it")
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// When our own output cannot be written, that is said.
func TestOutputCannotBeWritten(t *testing.T) {
	f := newFake(t, func(g *guest) { g.begin(); g.data(protocol.TypeStdout, "x"); g.until(protocol.TypeGoodbye) })
	d, said := f.dialer(t)
	if code := RunCommand(t.Context(), d, Streams{Stdout: brokenWriter{}, Stderr: brokenWriter{}}); code != 255 || !strings.Contains(said.String(), "no space left") {
		t.Errorf("%d, %s", code, said)
	}
}

// forget makes the fake's host unknown to the client.
func forget(d *Dialer) { os.Truncate(d.Options.UserKnownHostsFiles[0], 0) }

func knownLines(d *Dialer) []string {
	text, _ := os.ReadFile(d.Options.UserKnownHostsFiles[0])
	return slices.Collect(strings.Lines(string(text)))
}

// The question about an unknown host waits with the connection closed (RULES A4); its answer is written once, also when our first key is then refused.
func TestUnknownHost(t *testing.T) {
	second := newKey(t)
	would := keys.Fingerprint(second.Public)
	good := exits(`{"how":"exited","code":0}`)
	for name, turns := range map[string][]func(*guest){
		"a good key":         {good},
		"first key refused":  {good, refuse(`{"code":"key_not_authorized","key":"` + would + `"}`), good},
		"answer in capitals": {good},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, turns...)
			a := &asker{answer: func(string) (string, error) {
				again := time.NewTicker(time.Millisecond)
				defer again.Stop()
				for begun := time.Now(); time.Since(begun) < time.Minute; <-again.C { // the fake notices the end of the connection in its own time
					f.mu.Lock()
					inside := f.inside
					f.mu.Unlock()
					if inside == 0 {
						break
					}
					oneByte(f)
				}
				f.mu.Lock()
				defer f.mu.Unlock()
				if f.inside != 0 {
					t.Error("a connection is open while a person is asked")
				}
				return "YES", nil
			}}
			var d *Dialer
			r := f.run(t, func(dialer *Dialer) {
				d = dialer
				d.Ask = a
				d.Options.IdentityFiles = append(d.Options.IdentityFiles, keyFile(t, second))
				forget(d)
			})
			if r.code != 0 || len(a.asked) != 1 || !strings.Contains(a.asked[0], keys.Fingerprint(f.host.Public)) {
				t.Errorf("%+v, asked %q", r, a.asked)
			}
			if lines := knownLines(d); len(lines) != 1 || strings.Count(r.said, "Permanently added") != 1 {
				t.Errorf("known_hosts has %q; %s", lines, r.said)
			}
		})
	}
}

// oneByte waits for a connection of the fake to end: a read on a closed one returns.
func oneByte(f *fake) {
	f.mu.Lock()
	open := slices.Clone(f.open)
	f.mu.Unlock()
	for _, conn := range open {
		conn.Read(make([]byte, 1))
	}
}

// Who answers no, or shows another key than the one that was asked about, ends it; nothing is written and nothing is sent.
func TestHostKeyRefused(t *testing.T) {
	hello := make(chan bool, 9)
	spy := func(g *guest) { hello <- true; g.drain() }
	for name, c := range map[string]struct {
		change func(*fake, *Dialer)
		said   string
	}{
		"the answer is no": {func(_ *fake, d *Dialer) {
			forget(d)
			d.Ask = &asker{answer: func(string) (string, error) { return "no", nil }}
		}, "Host key verification failed"},
		"another key after the question": {func(f *fake, d *Dialer) {
			forget(d)
			f.show(newKey(t))
			d.Ask = &asker{answer: func(string) (string, error) { return "yes", nil }}
		}, "showed another key than the one that you were asked about"},
		"nobody to ask": {func(_ *fake, d *Dialer) { forget(d) }, "Host key verification failed"},
		"batch mode": {func(_ *fake, d *Dialer) {
			forget(d)
			d.Options.BatchMode = true
			d.Ask = &asker{answer: func(string) (string, error) { t.Error("asked in batch mode"); return "yes", nil }}
		}, "Host key verification failed"},
		"strict": {func(_ *fake, d *Dialer) { forget(d); d.Options.StrictHostKeyChecking = options.StrictYes }, "strict checking"},
		"changed": {func(f *fake, d *Dialer) {
			host, port, _ := net.SplitHostPort(f.l.Addr().String())
			os.WriteFile(d.Options.UserKnownHostsFiles[0], fmt.Appendf(nil, "[%s]:%s %s", host, port, ssh.MarshalAuthorizedKey(newKey(t).Public)), 0o600)
		}, "REMOTE HOST IDENTIFICATION HAS CHANGED"},
		"changed, and checking is off": {func(f *fake, d *Dialer) {
			host, port, _ := net.SplitHostPort(f.l.Addr().String())
			os.WriteFile(d.Options.UserKnownHostsFiles[0], fmt.Appendf(nil, "[%s]:%s %s", host, port, ssh.MarshalAuthorizedKey(newKey(t).Public)), 0o600)
			d.Options.StrictHostKeyChecking = options.StrictNo
		}, "REMOTE HOST IDENTIFICATION HAS CHANGED"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, spy)
			var d *Dialer
			var before []string
			r := f.run(t, func(dialer *Dialer) {
				d = dialer
				c.change(f, d)
				before = knownLines(d)
			})
			if r.code != 255 || !strings.Contains(r.said, c.said) {
				t.Errorf("%d, %s", r.code, r.said)
			}
			if after := knownLines(d); !slices.Equal(before, after) {
				t.Errorf("known_hosts has now %q", after)
			}
			if len(hello) > 0 {
				t.Error("HELLO was sent to a host that was not accepted")
			}
		})
	}
}

// A refused key is followed by the one that the daemon names (RULES A3); the next run begins with it.
func TestKeyRedial(t *testing.T) {
	first, second, third := newKey(t), newKey(t), newKey(t)
	var shown [][]string // for each HELLO: the key that was used, then those that were offered
	would := keys.Fingerprint(third.Public)
	f := newFake(t, func(g *guest) {
		shown = append(shown, append([]string{keys.Fingerprint(g.key)}, g.h.Keys...))
		if keys.Fingerprint(g.key) != would {
			refuse(`{"code":"key_not_authorized","key":"` + would + `"}`)(g)
			return
		}
		exits(`{"how":"exited","code":0}`)(g)
	})
	d, said := f.dialer(t)
	d.Options.IdentitiesOnly = false
	d.Options.IdentityFiles = nil
	d.Options.DefaultIdentityFiles = []string{keyFile(t, first), keyFile(t, second), keyFile(t, third)}
	if r := runDialer(t, d, said); r.code != 0 || r.said != "" {
		t.Fatalf("%+v", r)
	}
	print := func(id keys.Identity) string { return keys.Fingerprint(id.Public) }
	if len(shown) != 2 || !slices.Equal(shown[0], []string{print(first), print(second), would}) || shown[1][0] != would {
		t.Errorf("the daemon saw %q", shown)
	}
	text, err := os.ReadFile(filepath.Join(os.Getenv("XDG_STATE_HOME"), "minissh", "last-keys"))
	if want := fmt.Sprintf("tester@[127.0.0.1]:%d %s\n", d.Options.Port, would); err != nil || string(text) != want {
		t.Errorf("last-keys has %q, %v", text, err)
	}
	shown = nil
	if r := runDialer(t, d, said); r.code != 0 || len(shown) != 1 || shown[0][0] != would {
		t.Errorf("the second time: %+v, the daemon saw %q", r, shown)
	}
}

// A daemon cannot make the client try for ever, nor with a key that it was not offered.
func TestRefusalsEnd(t *testing.T) {
	for name, named := range map[string]string{"none": "", "nonsense": "SHA256:nonsense", "escapes": evil} {
		tried := map[string]int{}
		f := newFake(t, func(g *guest) {
			tried[keys.Fingerprint(g.key)]++
			refuse(`{"code":"key_not_authorized","message":"` + evil + `","key":"` + named + `"}`)(g)
		})
		r := f.run(t, func(d *Dialer) {
			d.Options.IdentityFiles = append(d.Options.IdentityFiles, keyFile(t, newKey(t)), keyFile(t, newKey(t)))
			d.Options.LogLevel = options.LevelDebug3
		})
		if r.code != 255 || !strings.Contains(r.said, "Permission denied (publickey)") || !strings.Contains(r.said, "ssh-ed25519 AAAA") {
			t.Errorf("%s: %d, %s", name, r.code, r.said)
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
		ids[i] = newKey(t)
		all = append(all, keys.Fingerprint(ids[i].Public))
	}
	attempts := 0
	f := newFake(t, func(g *guest) {
		attempts++
		refuse(`{"code":"key_not_authorized","key":"` + all[min(attempts, len(all)-1)] + `"}`)(g)
	})
	r := f.run(t, func(d *Dialer) {
		d.Options.IdentityFiles = nil
		for _, id := range ids {
			d.Options.IdentityFiles = append(d.Options.IdentityFiles, keyFile(t, id))
		}
	})
	if r.code != 255 || attempts > mostAttempts {
		t.Errorf("%d attempts: %s", attempts, r.said)
	}
}

// A key in an agent proves itself without leaving it; its comment is quoted.
func TestAgentKey(t *testing.T) {
	id := newKey(t)
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: id.Private, Comment: "me\x1b[31m@home"}); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "agent")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer conn.Close(); agent.ServeAgent(ring, conn) }()
		}
	}()
	var key ssh.PublicKey
	f := newFake(t, func(g *guest) { key = g.key; exits(`{"how":"exited","code":0}`)(g) })
	useAgent := func(d *Dialer) {
		d.Options.IdentityFiles, d.Options.IdentitiesOnly, d.Options.IdentityAgent = nil, false, socket
	}
	if r := f.run(t, useAgent); r.code != 0 || key == nil || !bytes.Equal(key.Marshal(), id.Public.Marshal()) {
		t.Errorf("%+v", r)
	}
	f = newFake(t, refuse(`{"code":"key_not_authorized"}`))
	if r := f.run(t, useAgent); r.code != 255 || !strings.Contains(r.said, `agent: "me\x1b[31m@home"`) {
		t.Errorf("%d, %s", r.code, r.said)
	}
}

// An agent that takes the call and answers nothing is named; one that is not there is not.
func TestAgentThatDoesNotAnswer(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "agent")
	f := newFake(t, exits(`{"how":"exited","code":0}`))
	run := func() ran {
		return f.run(t, func(d *Dialer) { d.Options.IdentityAgent = socket })
	}
	if r := run(); r.code != 0 || strings.Contains(r.said, "agent") {
		t.Errorf("no agent: %+v", r)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	if r := run(); r.code != 0 || !strings.Contains(r.said, "the ssh-agent does not answer") || !strings.Contains(r.said, "left out") {
		t.Errorf("a mute agent: %+v", r)
	}
}

// There is always a reason and something to type when no key can be had.
func TestNoKeys(t *testing.T) {
	f := newFake(t, exits(`{}`))
	for name, change := range map[string]func(*options.Options){
		"none at all":      func(o *options.Options) { o.IdentityFiles = nil },
		"a missing file":   func(o *options.Options) { o.IdentityFiles = []string{"/no/such"} },
		"an open file":     func(o *options.Options) { os.Chmod(o.IdentityFiles[0], 0o644) },
		"an unusable file": func(o *options.Options) { os.WriteFile(o.IdentityFiles[0], []byte("nonsense"), 0o600) },
	} {
		r := f.run(t, func(d *Dialer) { change(d.Options) })
		if r.code != 255 || !strings.Contains(r.said, "minissh: hint: ") {
			t.Errorf("%s: %d, %s", name, r.code, r.said)
		}
	}
}

// A connection that nobody takes.
func TestNobodyListens(t *testing.T) {
	f := newFake(t)
	f.l.Close()
	if r := f.run(t, nil); r.code != 255 || !strings.Contains(r.said, "Connection refused") && !strings.Contains(r.said, "connection refused") || !strings.Contains(r.said, "is minisshd running there") {
		t.Errorf("%d, %s", r.code, r.said)
	}
}
