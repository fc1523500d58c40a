//go:build unix

package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/client/options"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/transport"
)

// patience bounds what must not hang; only a failure waits so long.
const patience = 20 * time.Second

func newKey(t *testing.T) keys.Identity {
	t.Helper()
	id, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// keyFile writes a private key for the client to find.
func keyFile(t *testing.T, id keys.Identity) string {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(id.Private, "")
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "id_ed25519")
	if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// fake is a daemon that does what a test wants: one function for each connection, in turn, the last one for all further ones.
type fake struct {
	t    *testing.T
	l    net.Listener
	host keys.Identity // of the first connection
	done sync.WaitGroup

	mu     sync.Mutex        // guards the rest
	hosts  []tls.Certificate // for each connection, in turn, the last for all further ones
	turns  []func(*guest)
	raw    func(net.Conn) // instead of TLS, if not nil
	conns  int            // ever
	inside int            // now
	open   []net.Conn
}

// guest is one connection as the fake sees it.
type guest struct {
	*transport.Conn
	raw net.Conn
	in  *protocol.Reader
	key ssh.PublicKey
	h   protocol.Hello
}

func newFake(t *testing.T, turns ...func(*guest)) *fake {
	t.Helper()
	f := &fake{t: t, turns: turns, host: newKey(t)}
	f.show(f.host)
	var err error
	if f.l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	f.done.Go(f.accept)
	t.Cleanup(f.close)
	return f
}

// show adds a host key.
func (f *fake) show(id keys.Identity) {
	cert, err := keys.Certificate(id)
	if err != nil {
		f.t.Fatal(err)
	}
	f.set(func() { f.hosts = append(f.hosts, cert) })
}

// set changes what the next connection meets.
func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) close() {
	f.l.Close()
	f.mu.Lock()
	for _, conn := range f.open {
		conn.Close()
	}
	f.mu.Unlock()
	f.done.Wait()
}

func (f *fake) accept() {
	for {
		raw, err := f.l.Accept()
		if err != nil {
			return
		}
		raw.SetDeadline(time.Now().Add(patience))
		f.mu.Lock()
		n := f.conns
		f.conns++
		f.inside++
		f.open = append(f.open, raw)
		instead := f.raw
		host := f.hosts[min(n, len(f.hosts)-1)]
		var turn func(*guest)
		if len(f.turns) > 0 {
			turn = f.turns[min(n, len(f.turns)-1)]
		}
		f.mu.Unlock()
		f.done.Go(func() {
			defer func() { f.mu.Lock(); f.inside--; f.mu.Unlock() }()
			defer raw.Close()
			if instead != nil {
				instead(raw)
				return
			}
			conn, err := transport.Server(raw, transport.ServerConfig(host), nil)
			if err != nil {
				return
			}
			conn.Authorized()
			key, err := keys.FromCertificate(conn.Peer())
			if err != nil {
				return
			}
			g := &guest{Conn: conn, raw: raw, in: protocol.NewReader(conn), key: key}
			if first := g.next(); first.Type != protocol.TypeHello || first.Decode(&g.h) != nil || g.h.Check() != nil {
				return
			}
			turn(g)
		})
	}
}

// next reads a frame; one of type 0 says that there are no more.
func (g *guest) next() protocol.Frame {
	f, err := g.in.Next()
	if err != nil {
		return protocol.Frame{}
	}
	f.Payload = bytes.Clone(f.Payload)
	return f
}

// until reads up to a frame of some type.
func (g *guest) until(kind protocol.Type) protocol.Frame {
	for {
		if f := g.next(); f.Type == kind || f.Type == 0 {
			return f
		}
	}
}

// drain reads until the client goes, so that no reset destroys what it was told.
func (g *guest) drain() {
	g.CloseWrite()
	io.Copy(io.Discard, g)
}

// say sends frames with JSON payloads.
func (g *guest) say(kind protocol.Type, channel uint32, payload string) {
	g.Write(protocol.AppendFrame(nil, kind, 0, channel, []byte(payload)))
}

func (g *guest) welcome() {
	g.say(protocol.TypeWelcome, 0, `{"received":0,"resend":0,"channels":64,"user":"tester","home":"/home/tester"}`)
}

// begin welcomes and reads up to the OPEN.
func (g *guest) begin() (open protocol.Open) {
	g.welcome()
	f := g.until(protocol.TypeOpen)
	if f.Type != 0 {
		f.Decode(&open)
	}
	g.say(protocol.TypeOpened, 1, `{"pid":1}`)
	return open
}

func (g *guest) data(kind protocol.Type, text string) { g.say(kind, 1, text) }

func (g *guest) eof() {
	g.say(protocol.TypeEOF, 1, string(rune(protocol.TypeStdout)))
	g.say(protocol.TypeEOF, 1, string(rune(protocol.TypeStderr)))
}

// end sends the end of a command.
func (g *guest) end(exit string) {
	g.eof()
	g.say(protocol.TypeExit, 1, exit)
	g.say(protocol.TypeClose, 1, "{}")
	g.until(protocol.TypeGoodbye)
}

// refuse answers HELLO with an ERROR.
func refuse(payload string) func(*guest) {
	return func(g *guest) { g.say(protocol.TypeError, 0, payload); g.drain() }
}

// exits is a daemon whose command ends so.
func exits(exit string) func(*guest) {
	return func(g *guest) { g.begin(); g.end(exit) }
}

// asker answers questions.
type asker struct {
	answer func(question string) (string, error)
	asked  []string
}

func (a *asker) Line(question string) (string, error) {
	a.asked = append(a.asked, question)
	return a.answer(question)
}
func (a *asker) Secret(string) ([]byte, error) { return nil, ErrNobodyToAsk }

// dialer is one for the fake, with a key of its own, that knows the fake's host key.
func (f *fake) dialer(t *testing.T) (*Dialer, *messages) {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	host, port, _ := net.SplitHostPort(f.l.Addr().String())
	n, _ := strconv.Atoi(port)
	known := filepath.Join(t.TempDir(), "known_hosts")
	line := fmt.Sprintf("[%s]:%s %s", host, port, ssh.MarshalAuthorizedKey(f.host.Public))
	if err := os.WriteFile(known, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	said := new(messages)
	return &Dialer{Messages: said, Software: "test/1", Options: &options.Options{
		Alias: "fake", HostName: host, Port: n, User: "tester", Command: []string{"a", "command"}, AddressFamily: "any",
		IdentityFiles: []string{keyFile(t, newKey(t))}, IdentitiesOnly: true,
		UserKnownHostsFiles: []string{known}, StrictHostKeyChecking: options.StrictAsk, LogLevel: options.LevelInfo,
	}}, said
}

// messages stands for standard error, to which several goroutines write.
type messages struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (m *messages) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text.Write(p)
}

func (m *messages) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text.String()
}

// ran is what a run of the client gave.
type ran struct {
	code           int
	out, err, said string
}

// run runs a command against the fake, bounded.
func (f *fake) run(t *testing.T, change func(*Dialer)) ran {
	t.Helper()
	d, said := f.dialer(t)
	if change != nil {
		change(d)
	}
	return runDialer(t, d, said)
}

func runDialer(t *testing.T, d *Dialer, said *messages) ran {
	t.Helper()
	var out, errs bytes.Buffer
	result := make(chan int, 1)
	go func() { result <- RunCommand(context.Background(), d, Streams{Stdout: &out, Stderr: &errs}) }()
	select {
	case code := <-result:
		r := ran{code: code, out: out.String(), err: errs.String(), said: said.String()}
		plain(t, r.said)
		return r
	case <-time.After(patience):
		t.Fatal("the client hangs")
		panic("unreachable")
	}
}

// plain checks that a text may go to a terminal: no control characters but line ends, nothing that changes the direction of writing.
func plain(t *testing.T, text string) {
	t.Helper()
	for _, r := range text {
		if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfffd {
			t.Errorf("a raw %U reaches the terminal: %q", r, text)
			return
		}
	}
}
