//go:build unix

package daemon

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"minissh/daemon/access"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
	"minissh/protocol/transport"
)

// user is the account of every daemon here.
const user = "tester"

// lab is a daemon at work on loopback, with one key that may log in and one that may not.
type lab struct {
	*Server
	t               testing.TB
	log             *logBuffer
	access          *listed
	guest, stranger keys.Identity
	address         string
	home            string
	served          chan struct{}
}

// newLab starts a daemon. change, which may be nil, sets options; the address to listen on may be
// given.
func newLab(t testing.TB, change func(*Options), listen ...string) *lab {
	t.Helper()
	l := &lab{t: t, log: newLogBuffer(), guest: newKey(t), stranger: newKey(t), home: t.TempDir(),
		served: make(chan struct{})}
	l.access = &listed{
		grants: map[string]*access.Grant{keys.Fingerprint(l.guest.Public): {Where: "test:1"}}}
	acct, err := process.CurrentAccount()
	if err != nil {
		t.Fatal(err)
	}
	acct.Name, acct.Home, acct.Shell = user, l.home, "/bin/sh"
	opts := Options{
		Rules: access.Rules{Account: acct, Access: l.access}, HostKey: newKey(t),
		Software: "test/1",
		Log:      slog.New(slog.NewTextHandler(l.log, nil)), StopGrace: 20 * time.Millisecond,
		killed: time.Hour,
	}
	if change != nil {
		change(&opts)
	}
	if l.Server, err = New(opts); err != nil {
		t.Fatal(err)
	}
	if len(listen) == 0 {
		listen = []string{"127.0.0.1:0"}
	}
	if err := l.Listen(listen...); err != nil {
		t.Fatal(err)
	}
	l.address = l.Addresses()[0]
	go func() { defer close(l.served); l.Serve() }()
	t.Cleanup(l.stop)
	return l
}

// stop ends the daemon at once and waits until nothing of it is left.
func (l *lab) stop() {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	l.Shutdown(now)
	within(l.t, "Serve returns", l.served)
}

func newKey(t testing.TB) keys.Identity {
	t.Helper()
	id, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// within waits for an event.
func within(t testing.TB, what string, event <-chan struct{}) {
	t.Helper()
	select {
	case <-event:
	case <-time.After(patience):
		var stacks [1 << 16]byte
		t.Fatalf("waited in vain: %s\n%s", what, stacks[:runtime.Stack(stacks[:], true)])
	}
}

// listed is an Access in memory.
type listed struct {
	mu     sync.Mutex
	grants map[string]*access.Grant // by fingerprint
}

var errNotListed = errors.New("not listed")

func (a *listed) Authorize(who *access.Client) (*access.Grant, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if grant := a.grants[keys.Fingerprint(who.Proof.Key)]; grant != nil && who.User == user {
		return grant, nil
	}
	return nil, errNotListed
}

func (a *listed) WouldDo(who *access.Client, fingerprints []string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range fingerprints {
		if a.grants[f] != nil && who.User == user {
			return f
		}
	}
	return ""
}

func (a *listed) AnyoneCould() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.grants) > 0
}

// holdings is what a process may leak.
type holdings struct{ goroutines, descriptors int }

func holding() holdings {
	h := holdings{goroutines: runtime.NumGoroutine()}
	for _, dir := range []string{"/proc/self/fd", "/dev/fd"} {
		if names, err := os.ReadDir(dir); err == nil {
			h.descriptors = len(names)
			break
		}
	}
	return h
}

// settle waits until no more goroutines and descriptors are there than before.
func settle(t testing.TB, before holdings) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	bound := time.After(patience)
	for {
		now := holding()
		if now.goroutines <= before.goroutines && now.descriptors <= before.descriptors {
			return
		}
		select {
		case <-tick.C:
		case <-bound:
			stacks := make([]byte, 1<<18)
			t.Fatalf("%+v before, %+v now\n%s", before, now, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// warm has one whole conversation, so that what is made once is there, and says what the idle
// daemon holds.
func (l *lab) warm() holdings {
	l.t.Helper()
	if out, _ := l.run("echo warm"); out != "warm\n" {
		l.t.Fatalf("echo gave %q\n%s", out, l.log)
	}
	l.rest()
	return holding()
}

// until waits for what gives no event of its own.
func (l *lab) until(what string, is func() bool) {
	l.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	bound := time.After(patience)
	for !is() {
		select {
		case <-tick.C:
		case <-bound:
			stacks := make([]byte, 1<<18)
			l.t.Fatalf("waited in vain: %s\n%s", what, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// rest waits until the daemon does nothing but accept.
func (l *lab) rest() {
	l.t.Helper()
	stacks := make([]byte, 1<<20)
	l.until("the daemon comes to rest", func() bool {
		text := string(stacks[:runtime.Stack(stacks, true)])
		for _, busy := range []string{"daemon.(*Server).ServeConn(", "daemon.(*Server).serve(",
			"service.(*command)", "mux.(*", "process.(*"} {
			if strings.Contains(text, busy) {
				return false
			}
		}
		return strings.Count(text, "daemon.(*Server).accept(") == 1
	})
}

// dial connects and says nothing.
func (l *lab) dial() net.Conn {
	l.t.Helper()
	network, address := "tcp", l.address
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", path
	}
	conn, err := net.Dial(network, address)
	if err != nil {
		l.t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// secure connects and does TLS with a key; on a Unix socket there is none.
func (l *lab) secure(id keys.Identity) *transport.Conn {
	l.t.Helper()
	return l.over(l.dial(), id)
}

// over is secure on a connection that is there.
func (l *lab) over(raw net.Conn, id keys.Identity) *transport.Conn {
	l.t.Helper()
	if strings.HasPrefix(l.address, "unix:") {
		conn := transport.Plain(raw)
		conn.Authorized()
		return conn
	}
	envelope, err := keys.Certificate(id)
	if err != nil {
		l.t.Fatal(err)
	}
	conn, err := clientOver(raw, envelope)
	if err != nil {
		l.t.Fatal(err)
	}
	return conn
}

// tryOver is over for connections that may break; nil then.
func (l *lab) tryOver(raw net.Conn) *transport.Conn {
	envelope, err := keys.Certificate(l.guest)
	if err != nil {
		return nil
	}
	conn, err := clientOver(raw, envelope)
	if err != nil {
		return nil
	}
	return conn
}

// clientOver is the client's side of TLS, for a client that takes any host key.
func clientOver(raw net.Conn, envelope tls.Certificate) (*transport.Conn, error) {
	return transport.Client(raw, nil, envelope, func(*x509.Certificate) error { return nil })
}

// session logs in as the guest. prepare, which may be nil, opens channels before the first byte.
func (l *lab) session(prepare func(*mux.Session)) *mux.Session {
	l.t.Helper()
	s := mux.New(mux.Config{Role: mux.Client})
	if prepare != nil {
		prepare(s)
	}
	if _, err := s.Connect(l.secure(l.guest), &protocol.Hello{User: user}); err != nil {
		l.t.Fatalf("login: %v\n%s", err, l.log)
	}
	return s
}

func (l *lab) tryAs(name string, id keys.Identity) (*mux.Session, error) {
	l.t.Helper()
	s := mux.New(mux.Config{Role: mux.Client})
	if _, err := s.Connect(l.secure(id),
		&protocol.Hello{User: name, Keys: []string{keys.Fingerprint(id.Public)}}); err != nil {
		s.Close(nil)
		return nil, err
	}
	return s, nil
}
