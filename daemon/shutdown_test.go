//go:build unix

package daemon

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

// Shutdown lets a command end by itself, refuses new ones and new connections meanwhile, and then
// says goodbye with a code.
func TestShutdownWaitsForCommands(t *testing.T) {
	l := newLab(t, func(o *Options) { o.ShutdownGrace = patience })
	s := l.session(nil)
	ch := start(t, s, protocol.Open{Command: protocol.Bytes("echo ready; cat; exit 6")})
	firstLine(t, ch)
	stranger := l.dial()
	shut := make(chan struct{})
	go func() { defer close(shut); l.Shutdown(context.Background()) }()
	if end := ended(stranger); end != "closed" {
		t.Errorf("a stranger sees %s", end)
	}
	if conn, err := net.Dial("tcp", l.address); err == nil {
		conn.Close()
		t.Error("it still accepts")
	}
	if r := collect(t,
		start(t, s, protocol.Open{Command: protocol.Bytes("true")})); r.exit != nil ||
		r.refused.Code != protocol.CodeShuttingDown {
		t.Errorf("a new command: exit %+v, refused %+v", r.exit, r.refused)
	}
	select {
	case <-shut:
		t.Fatal("it did not wait")
	default:
	}
	ch.Write(protocol.TypeStdin, []byte("last words"))
	ch.EOF(protocol.TypeStdin)
	if r := collect(t, ch); r.out != "last words" || r.exit == nil || *r.exit.Code != 6 {
		t.Errorf("%q, %+v", r.out, r.exit)
	}
	within(t, "Shutdown returns", shut)
	within(t, "the session ends", s.Done())
	var said *protocol.RemoteError
	if !errors.As(s.Err(), &said) || said.Code != protocol.CodeShuttingDown {
		t.Errorf("the client sees %v", s.Err())
	}
}

// After the grace, or at once where its context ends, it hangs up, and no process of a command is
// left when it returns.
func TestShutdownHangsUp(t *testing.T) {
	for name, grace := range map[string]time.Duration{"after the grace": time.Millisecond,
		"at once": time.Hour} {
		t.Run(name, func(t *testing.T) {
			before := holding()
			l := newLab(t, func(o *Options) { o.ShutdownGrace = grace })
			s := l.session(nil)
			var channels []*mux.Channel
			var pids []int
			for range 5 {
				ch := start(t, s,
					protocol.Open{
						Command: protocol.Bytes(
							"trap '' HUP TERM; sleep 1000 & echo $$ $!; wait; wait")})
				pids = append(pids, running(t, ch, firstLine(t, ch))...)
				channels = append(channels, ch)
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if grace == time.Hour {
				cancel()
			}
			l.Shutdown(ctx)
			for _, pid := range pids {
				if testend.Alive(pid) {
					t.Errorf("process %d lives", pid)
				}
			}
			l.log.want(t, "Command ended", "how=hung_up")
			for _, ch := range channels {
				finish(ch)
			}
			within(t, "the session ends", s.Done())
			l.stop()
			settle(t, before)
		})
	}
}

// Clients at any stage of a handshake neither delay Shutdown nor are left behind.
func TestShutdownDuringHandshakes(t *testing.T) {
	before := holding()
	l := newLab(t, nil)
	var clients sync.WaitGroup
	for i := range 40 {
		clients.Go(func() {
			conn, err := net.Dial("tcp", l.address)
			if err != nil {
				return
			}
			defer conn.Close()
			switch i % 4 {
			case 0: // silence
				conn.Read(make([]byte, 1))
			case 1:
				conn.Write([]byte("\x16\x03\x01"))
				conn.Read(make([]byte, 1))
			default:
				c := l.tryOver(conn)
				if c == nil {
					return
				}
				if i%4 == 3 {
					c.Write(hello(nil))
				}
				for buf := make([]byte, 512); ; {
					if _, err := c.Read(buf); err != nil {
						return
					}
				}
			}
		})
	}
	l.until("some are inside", func() bool { return l.inside() >= 5 })
	l.stop()
	clients.Wait()
	settle(t, before)
}

// Two Shutdowns at once, one after the end, one before Serve: all return.
func TestShutdownTwice(t *testing.T) {
	l := newLab(t, nil)
	var both sync.WaitGroup
	for range 2 {
		both.Go(l.stop)
	}
	both.Wait()
	l.Shutdown(context.Background())
}

// A daemon does not listen beyond loopback while nobody could log in (RULES A12), and takes no
// connection there when the last key is gone.
func TestNotBeyondLoopback(t *testing.T) {
	l := newLab(t, nil)
	guests := l.access.grants
	l.access.mu.Lock()
	l.access.grants = nil
	l.access.mu.Unlock()
	for _, address := range []string{":0", "0.0.0.0:0", "[::]:0"} {
		if err := l.Listen("127.0.0.1:0", address); !errors.Is(err, errNobody) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if len(l.Addresses()) != 1 {
		t.Errorf("it listens on %v", l.Addresses())
	}
	l.access.mu.Lock()
	l.access.grants = guests
	l.access.mu.Unlock()

	open := newLab(t, nil, "0.0.0.0:0")
	open.address = "127.0.0.1:" + open.address[strings.LastIndexByte(open.address, ':')+1:]
	open.run("true")
	open.until("the session is gone", func() bool { return len(open.sessions.Entries()) == 0 })
	open.access.mu.Lock()
	open.access.grants = nil
	open.access.mu.Unlock()
	if end := ended(open.dial()); end != "closed" {
		t.Errorf("without keys a client sees %s", end)
	}
	open.log.want(t, "Connection dropped", "nobody could log in")
}

// Only its owner may use a Unix socket; a dead one is replaced, a living one and other files are
// not.
func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l := newLab(t, nil, "unix:"+path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if out, _ := l.run("echo $SSH_CLIENT."); out != ".\n" {
		t.Errorf("%q", out)
	}
	l.log.want(t, "Accepted uid for tester from unix socket")
	p := l.knock(l.guest)
	p.send(hello(func(h *protocol.Hello) { h.User = "root" }))
	if code := p.wantError().Code; code != protocol.CodeKeyNotAuthorized {
		t.Errorf("another user: %s", code)
	}
	l.log.want(t, "Failed uid for invalid user root from unix socket")
	if err := l.Listen("unix:" + path); err == nil ||
		!strings.Contains(err.Error(), "another program listens") {
		t.Errorf("a second daemon: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, []byte("precious"), 0o600)
	if err := l.Listen("unix:" + file); err == nil {
		t.Error("it listens on a file")
	}
	if text, _ := os.ReadFile(file); string(text) != "precious" {
		t.Error("a file was replaced")
	}
	dead := filepath.Join(t.TempDir(), "dead")
	left, err := net.Listen("unix", dead)
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	left.Close()
	if err := l.Listen("unix:" + dead); err != nil {
		t.Errorf("a dead socket: %v", err)
	}
}
