package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"minissh/client/dial"
	"minissh/client/fakedaemon"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/client/run"
	"minissh/daemon"
	"minissh/daemon/access"
	"minissh/daemon/process"
	"minissh/protocol/testend"
)

// bothHere are a daemon with real commands and a client, in this process, and a relay between them.
type bothHere struct {
	t      *testing.T
	server *daemon.Server
	served chan struct{}
	dialer *dial.Dialer
	said   *fakedaemon.Messages
	dir    string

	relay net.Listener
	links sync.WaitGroup
	mu    sync.Mutex
	next  int                             // number of the next link, from 0
	link  func(n int, l *fakedaemon.Link) // sees each before its first byte
	from  func() (net.Conn, error)        // makes the relay's connection to the daemon
}

// newBoth starts them: over Unix sockets without TLS, or over TCP.
func newBoth(t *testing.T, network string) *bothHere {
	t.Helper()
	b := &bothHere{t: t, dir: t.TempDir(), served: make(chan struct{}),
		said: new(fakedaemon.Messages)}
	host, own := fakedaemon.NewKey(t), fakedaemon.NewKey(t)
	account, err := process.CurrentAccount()
	must(t, err)
	account.Shell = "/bin/sh"
	b.server, err = daemon.New(daemon.Options{
		Rules:   access.Rules{Account: account, Access: onlyGuest{own.Public, account.Name}},
		HostKey: host, Software: "test/1", StopGrace: 20 * time.Millisecond,
		Started: time.Now().Add(-time.Hour), // a new one may have forgotten a session (RE5)
	})
	must(t, err)
	o := &options.Options{Alias: "both", User: account.Name, AddressFamily: "any",
		LogLevel: options.LevelInfo, ResumeFor: options.ResumeDefault, ServerAliveCountMax: 3}
	b.dialer = &dial.Dialer{Options: o, Messages: report.New(b.said, o), Software: "test/1"}
	if network == "unix" {
		must(t, b.server.Listen("unix:"+filepath.Join(b.dir, "daemon")))
		o.Socket = filepath.Join(b.dir, "relay")
		b.relay, err = net.Listen(network, o.Socket)
		must(t, err)
	} else {
		must(t, b.server.Listen("127.0.0.1:0"))
		b.relay, err = net.Listen(network, "127.0.0.1:0")
		must(t, err)
		o.HostName, o.Port = "127.0.0.1", b.relay.Addr().(*net.TCPAddr).Port
		b.dialer.Host, b.dialer.Identity = host.Public, &own
	}
	address := strings.TrimPrefix(b.server.Addresses()[0], "unix:")
	b.from = func() (net.Conn, error) { return net.Dial(network, address) }
	go func() { defer close(b.served); b.server.Serve() }()
	go b.accept()
	t.Cleanup(b.end)
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// end stops the daemon, and waits until nothing is left.
func (b *bothHere) end() {
	b.relay.Close()
	now, cancel := context.WithCancel(context.Background())
	cancel()
	b.server.Shutdown(now)
	b.links.Wait()
	<-b.served
}

func (b *bothHere) accept() {
	for {
		near, err := b.relay.Accept()
		if err != nil {
			return
		}
		far, err := b.from()
		if err != nil {
			near.Close()
			continue
		}
		l := fakedaemon.NewLink(near, far)
		b.mu.Lock()
		b.link(b.next, l)
		b.next++
		b.mu.Unlock()
		b.links.Go(l.Run)
	}
}

// inTurns is a reader and a writer of one conversation: the second line of input comes after the
// first line of output.
type inTurns struct {
	out   bytes.Buffer
	stdin *io.PipeWriter
	once  sync.Once
}

func (c *inTurns) Write(p []byte) (int, error) {
	c.out.Write(p)
	if bytes.Contains(c.out.Bytes(), []byte("\n")) {
		c.once.Do(func() {
			go func() {
				io.WriteString(c.stdin, "second\n")
				c.stdin.Close()
			}()
		})
	}
	return len(p), nil
}

// talk has one conversation with a command, over links that link sees. False: the client could not
// log in, and nothing was started.
func (b *bothHere) talk(what string, link func(n int, l *fakedaemon.Link)) bool {
	b.t.Helper()
	b.mu.Lock()
	b.next, b.link = 0, link
	b.mu.Unlock()
	starts := filepath.Join(b.dir, "starts")
	os.Remove(starts)
	b.dialer.Options.Command = []string{"echo start >>" + starts + `
		read a; echo "got $a"; echo "err $a" >&2; read b; echo "and $b"; cat; exit 7`}
	stdin, w := io.Pipe()
	defer stdin.Close()
	out := &inTurns{stdin: w}
	var errs bytes.Buffer
	go io.WriteString(w, "first\n")
	code := run.Command(b.t.Context(), b.dialer, run.Streams{Stdin: stdin, Stdout: out,
		Stderr: &errs}, nil)
	text, _ := os.ReadFile(starts)
	if code == report.ExitFailure && len(text) == 0 {
		return false
	}
	if code != 7 || string(text) != "start\n" || out.out.String() != "got first\nand second\n" ||
		errs.String() != "err first\n" {
		b.t.Errorf("%s: code %d, starts %q, %q, %q; %s", what, code, text, out.out.String(),
			errs.String(), b.said)
	}
	return true
}

// holding counts what this process may leave.
func (b *bothHere) holding() (goroutines, descriptors, children int) {
	names, err := os.ReadDir("/proc/self/fd")
	must(b.t, err)
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	must(b.t, err)
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		children += len(strings.Fields(string(text)))
	}
	return runtime.NumGoroutine(), len(names), children
}

// The first link is cut at many bytes of a conversation with a real command: before, inside and
// after each frame (or record of TLS), in both directions. Everything goes on over a second link,
// the command is started once, and nothing is left.
func TestCutAtEveryFrame(t *testing.T) {
	for _, c := range []struct {
		network string
		pieces  func() *fakedaemon.Pieces
	}{{"unix", fakedaemon.Frames}, {"tcp", fakedaemon.Records}} {
		t.Run(c.network, func(t *testing.T) {
			b := newBoth(t, c.network)
			up, down := c.pieces(), c.pieces()
			if !b.talk("no cut", func(n int, l *fakedaemon.Link) {
				l.Up.Watch(up.See)
				l.Down.Watch(down.See)
			}) {
				t.Fatal(b.said)
			}
			goroutines, descriptors, children := b.holding()
			for _, upwards := range []bool{true, false} {
				pieces := down
				if upwards {
					pieces = up
				}
				for i, place := range pieces.Places() {
					if testing.Short() && i%3 > 0 {
						continue
					}
					what := fmt.Sprintf("cut after %d bytes, up: %v", place, upwards)
					loggedIn := b.talk(what, func(n int, l *fakedaemon.Link) {
						flow, cut := l.Down, l.Close
						if upwards {
							flow = l.Up
						}
						if i%2 == 1 {
							cut = l.Reset // on TCP
						}
						if n == 0 {
							flow.After(place, cut)
						}
					})
					if !loggedIn && c.network == "unix" {
						t.Errorf("%s: no login; %s", what, b.said)
					}
					if t.Failed() {
						return
					}
				}
			}
			testend.Until(t, "nothing is left", func() bool {
				g, d, ch := b.holding()
				return g <= goroutines && d <= descriptors && ch <= children
			})
		})
	}
}
