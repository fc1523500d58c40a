// Package fakedaemon is for tests of the client: a daemon that does what a test wants, frame by
// frame, and a client for it.
package fakedaemon

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
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/client/dial"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/client/run"
	"minissh/client/terminal"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/transport"
)

// Patience bounds what must not hang; only a failure waits so long.
const Patience = 20 * time.Second

// NewKey makes a key.
func NewKey(t *testing.T) keys.Identity {
	t.Helper()
	id, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// KeyFile writes a private key for the client to find.
func KeyFile(t *testing.T, id keys.Identity) string {
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

// Fake is a daemon that does what a test wants: one function for each connection, in turn, the last
// for all further ones.
type Fake struct {
	t        *testing.T
	Listener net.Listener
	Host     keys.Identity // of the first connection
	done     sync.WaitGroup

	mu     sync.Mutex        // guards the rest
	hosts  []tls.Certificate // for each connection, in turn, the last for all further ones
	Turns  []func(*Guest)
	Raw    func(net.Conn) // instead of TLS, if not nil
	conns  int            // ever
	inside int            // now
	open   []net.Conn
	left   sync.Cond // one of them has ended
}

// Guest is one connection as the fake sees it.
type Guest struct {
	*transport.Conn
	Raw   net.Conn
	in    *protocol.Reader
	Key   ssh.PublicKey
	Hello protocol.Hello
}

// New starts a daemon that ends with the test.
func New(t *testing.T, turns ...func(*Guest)) *Fake {
	t.Helper()
	f := &Fake{t: t, Turns: turns, Host: NewKey(t)}
	f.left.L = &f.mu
	f.Show(f.Host)
	var err error
	if f.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	f.done.Go(f.accept)
	t.Cleanup(f.Close)
	return f
}

// Show adds a host key.
func (f *Fake) Show(id keys.Identity) {
	cert, err := keys.Certificate(id)
	if err != nil {
		f.t.Fatal(err)
	}
	f.Set(func() { f.hosts = append(f.hosts, cert) })
}

// ShowOnly is Show for all connections.
func (f *Fake) ShowOnly(id keys.Identity) {
	f.Set(func() { f.hosts = nil })
	f.Show(id)
}

// Set changes what the next connection meets.
func (f *Fake) Set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// Close ends it, with all its connections.
func (f *Fake) Close() {
	f.Listener.Close()
	f.mu.Lock()
	for _, conn := range f.open {
		conn.Close()
	}
	f.mu.Unlock()
	f.done.Wait()
}

// Empty waits until no connection is open any more, and says whether that happened.
func (f *Fake) Empty() bool {
	begun := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.inside > 0 { // a connection ends by itself after Patience
		f.left.Wait()
	}
	return time.Since(begun) < Patience/2
}

func (f *Fake) accept() {
	for {
		raw, err := f.Listener.Accept()
		if err != nil {
			return
		}
		raw.SetDeadline(time.Now().Add(Patience))
		f.mu.Lock()
		n := f.conns
		f.conns++
		f.inside++
		f.open = append(f.open, raw)
		instead := f.Raw
		host := f.hosts[min(n, len(f.hosts)-1)]
		var turn func(*Guest)
		if len(f.Turns) > 0 {
			turn = f.Turns[min(n, len(f.Turns)-1)]
		}
		f.mu.Unlock()
		f.done.Go(func() {
			defer func() { f.mu.Lock(); f.inside--; f.left.Broadcast(); f.mu.Unlock() }()
			defer raw.Close()
			if instead != nil {
				instead(raw)
				return
			}
			if g := greet(raw, host); g != nil {
				turn(g)
			}
		})
	}
}

// Next reads a frame; one of type 0 says that there are no more.
func (g *Guest) Next() protocol.Frame {
	f, err := g.in.Next()
	if err != nil {
		return protocol.Frame{}
	}
	f.Payload = bytes.Clone(f.Payload)
	return f
}

// Until reads up to a frame of some type.
func (g *Guest) Until(kind protocol.Type) protocol.Frame {
	for {
		if f := g.Next(); f.Type == kind || f.Type == 0 {
			return f
		}
	}
}

// Drain reads until the client leaves, so that no reset destroys what it was told.
func (g *Guest) Drain() {
	g.CloseWrite()
	io.Copy(io.Discard, g)
}

// Say sends frames with JSON payloads.
func (g *Guest) Say(kind protocol.Type, channel uint32, payload string) {
	g.Write(protocol.AppendFrame(nil, kind, 0, channel, []byte(payload)))
}

func (g *Guest) Welcome() {
	g.Say(protocol.TypeWelcome, 0,
		`{"received":0,"resend":0,"channels":64,"user":"tester","home":"/home/tester"}`)
}

// Begin welcomes and reads up to the OPEN.
func (g *Guest) Begin() (open protocol.Open) {
	g.Welcome()
	f := g.Until(protocol.TypeOpen)
	if f.Type != 0 {
		f.Decode(&open)
	}
	g.Say(protocol.TypeOpened, 1, `{"pid":1}`)
	return open
}

func (g *Guest) Data(kind protocol.Type, text string) { g.Say(kind, 1, text) }

func (g *Guest) EOF() {
	g.Say(protocol.TypeEOF, 1, string(rune(protocol.TypeStdout)))
	g.Say(protocol.TypeEOF, 1, string(rune(protocol.TypeStderr)))
}

// End sends the end of a command.
func (g *Guest) End(exit string) {
	g.EOF()
	g.Say(protocol.TypeExit, 1, exit)
	g.Say(protocol.TypeClose, 1, "{}")
	g.Until(protocol.TypeGoodbye)
}

// Refuse answers HELLO with an ERROR.
func Refuse(payload string) func(*Guest) {
	return func(g *Guest) { g.Say(protocol.TypeError, 0, payload); g.Drain() }
}

// Exits is a daemon whose command ends with this status.
func Exits(exit string) func(*Guest) {
	return func(g *Guest) { g.Begin(); g.End(exit) }
}

// Asker answers questions.
type Asker struct {
	Answer func(question string) (string, error)
	Asked  []string
}

func (a *Asker) Line(question string) (string, error) {
	a.Asked = append(a.Asked, question)
	return a.Answer(question)
}
func (a *Asker) Secret(string) ([]byte, error) { return nil, terminal.ErrNobodyToAsk }

// Dialer is a client's dialer for the fake, with a key of its own, that knows the fake's host key.
func (f *Fake) Dialer(t *testing.T) (*dial.Dialer, *Messages) {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	host, port, _ := net.SplitHostPort(f.Listener.Addr().String())
	n, _ := strconv.Atoi(port)
	known := filepath.Join(t.TempDir(), "known_hosts")
	line := fmt.Sprintf("[%s]:%s %s", host, port, ssh.MarshalAuthorizedKey(f.Host.Public))
	if err := os.WriteFile(known, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	said := new(Messages)
	o := &options.Options{
		Alias: "fake", HostName: host, Port: n, User: "tester", Command: []string{"a", "command"},
		AddressFamily: "any",
		IdentityFiles: []string{KeyFile(t, NewKey(t))}, IdentitiesOnly: true,
		UserKnownHostsFiles: []string{known}, StrictHostKeyChecking: options.StrictAsk,
		LogLevel: options.LevelInfo,
	}
	return &dial.Dialer{Messages: report.New(said, o), Software: "test/1", Options: o}, said
}

// Messages stands for standard error, to which several goroutines write.
type Messages struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (m *Messages) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text.Write(p)
}

func (m *Messages) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text.String()
}

// Ran is the result of a run of the client.
type Ran struct {
	Code           int
	Out, Err, Said string
}

// Run runs a command against the fake, bounded.
func (f *Fake) Run(t *testing.T, change func(*dial.Dialer)) Ran {
	t.Helper()
	d, said := f.Dialer(t)
	if change != nil {
		change(d)
	}
	return RunDialer(t, d, said)
}

func RunDialer(t *testing.T, d *dial.Dialer, said *Messages) Ran {
	t.Helper()
	var out, errs bytes.Buffer
	result := make(chan int, 1)
	go func() {
		result <- run.Command(context.Background(), d, run.Streams{Stdout: &out, Stderr: &errs},
			nil)
	}()
	select {
	case code := <-result:
		r := Ran{Code: code, Out: out.String(), Err: errs.String(), Said: said.String()}
		Plain(t, r.Said)
		return r
	case <-time.After(Patience):
		t.Fatal("the client hangs")
		panic("unreachable")
	}
}

// Plain checks that a text may go to a terminal: no control characters except line ends, nothing
// that changes the direction of writing.
func Plain(t *testing.T, text string) {
	t.Helper()
	for _, r := range text {
		if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e ||
			r >= 0x2066 && r <= 0x2069 || r == 0xfffd {
			t.Errorf("a raw %U reaches the terminal: %q", r, text)
			return
		}
	}
}

// Evil is text that a terminal must never see raw: colours, a title, a bell, C1 controls,
// right-to-left override, a line that looks like ours.
const Evil = `\u001b[31m\u001b]0;title\u0007\r\nminissh: hint: run evil\u009b2J\u202e`

// Forget makes the fake's host unknown to the client.
func Forget(d *dial.Dialer) { os.Truncate(d.Options.UserKnownHostsFiles[0], 0) }

// KnownLines are the lines of the client's known_hosts.
func KnownLines(d *dial.Dialer) []string {
	text, _ := os.ReadFile(d.Options.UserKnownHostsFiles[0])
	return slices.Collect(strings.Lines(string(text)))
}
