package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// link is what a client meets instead of its daemon: the real one, as far as pass lets it through.
// It counts what reaches the client, and closes met when that is enough.
type link struct {
	l     net.Listener
	port  string
	met   chan struct{} // closed when a client is where the test wants it
	conns sync.WaitGroup
	mu    sync.Mutex
	open  []net.Conn
}

// behaviours of a daemon: each serves one connection, until that is closed, and says when a client
// has met it.
var behaviours = map[string]func(client net.Conn, dial func() (net.Conn, error), met func()){
	"accepts, and says nothing": func(client net.Conn, _ func() (net.Conn, error), met func()) {
		met()
		io.Copy(io.Discard, client)
	},
	"breaks off within TLS": func(client net.Conn, dial func() (net.Conn, error), met func()) {
		relay(client, dial, func(to io.Writer, from io.Reader) {
			io.CopyN(to, from, 700)
			met()
			io.Copy(io.Discard, from)
		})
	},
	"says nothing after TLS": func(client net.Conn, dial func() (net.Conn, error), met func()) {
		relay(client, dial, func(to io.Writer, from io.Reader) {
			io.CopyN(to, from, 1100) // of the handshake and perhaps of what follows
			met()
			io.Copy(io.Discard, from)
		})
	},
	"one byte at a time": func(client net.Conn, dial func() (net.Conn, error), met func()) {
		relay(client, dial, func(to io.Writer, from io.Reader) {
			met()
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for range tick.C {
				if _, err := io.CopyN(to, from, 1); err != nil {
					return
				}
			}
		})
	},
	"is somebody else": func(client net.Conn, _ func() (net.Conn, error), met func()) {
		met()
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			if _, err := client.Write([]byte{0x16, 3, 3, 0, 1, 0}); err != nil {
				return
			}
		}
	},
}

// relay joins a client to the real daemon, whose words go through pass.
func relay(client net.Conn, dial func() (net.Conn, error),
	pass func(to io.Writer, from io.Reader)) {
	daemon, err := dial()
	if err != nil {
		return
	}
	defer daemon.Close()
	go func() {
		io.Copy(daemon, client)
		daemon.Close()
	}()
	pass(client, daemon)
}

func newLink(t *testing.T, h *minisshHere, serve func(net.Conn, func() (net.Conn, error),
	func())) *link {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k := &link{l: l, met: make(chan struct{})}
	_, k.port, _ = net.SplitHostPort(l.Addr().String())
	real := ""
	for i, arg := range h.args {
		if arg == "-p" {
			real = h.args[i+1]
		}
	}
	met := sync.OnceFunc(func() { close(k.met) })
	k.conns.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			k.mu.Lock()
			k.open = append(k.open, conn)
			k.mu.Unlock()
			k.conns.Go(func() {
				defer conn.Close()
				serve(conn, func() (net.Conn, error) { return net.Dial("tcp", "127.0.0.1:"+real) },
					met)
			})
		}
	})
	t.Cleanup(k.close)
	return k
}

func (k *link) close() {
	k.l.Close()
	k.mu.Lock()
	for _, conn := range k.open {
		conn.Close()
	}
	k.mu.Unlock()
	k.conns.Wait()
}

// frozen is a daemon that works until a file is on the disk, and then does nothing more.
func frozen(marker string) func(net.Conn, func() (net.Conn, error), func()) {
	return func(client net.Conn, dial func() (net.Conn, error), met func()) {
		stop := make(chan struct{})
		go func() {
			tick := time.NewTicker(2 * time.Millisecond)
			defer tick.Stop()
			for size(marker) < 0 {
				<-tick.C
			}
			close(stop)
			met()
		}()
		relay(client, dial, func(to io.Writer, from io.Reader) {
			buf := make([]byte, 4096)
			for {
				n, err := from.Read(buf)
				if err != nil {
					return
				}
				select {
				case <-stop:
				default:
					to.Write(buf[:n])
				}
			}
		})
	}
}

// secondVerbs are all that speak to a daemon: the words, with PORT and MARK in them, and what is
// typed. The daemon makes the marker when the verb is at work; "": nothing shows that.
var secondVerbs = map[string]struct {
	words string
	typed string
	pty   bool
	marks bool
}{
	"a command": {words: "127.0.0.1 touch~MARK;sleep~1000", marks: true},
	"deaf": {words: "127.0.0.1 trap~''~INT~TERM;touch~MARK;sleep~1000;sleep~1000",
		marks: true},
	"trace":   {words: "trace 127.0.0.1 touch~MARK;sleep~1000", marks: true},
	"a shell": {words: "-tt 127.0.0.1 touch~MARK;sleep~1000", pty: true, marks: true},
	"-N":      {words: "-N 127.0.0.1"},
	"-f -N":   {words: "-f -N 127.0.0.1"},
	"prompt":  {words: "prompt 127.0.0.1", typed: "touch MARK; sleep 1000\n", marks: true},
	"prompt, tty": {words: "prompt 127.0.0.1", typed: "touch MARK; sleep 1000\r", pty: true,
		marks: true},
	"cp put":           {words: "cp /dev/shm/LARGE 127.0.0.1:MARK", marks: true},
	"cp get":           {words: "cp 127.0.0.1:LARGE LOCAL", marks: true},
	"cp get into":      {words: "cp -r 127.0.0.1:LARGE DIR", marks: true},
	"cp between":       {words: "cp 127.0.0.1:LARGE 127.0.0.1:MARK", marks: true},
	"pair":             {words: "pair 127.0.0.1", typed: "0123-4567-89AB-E\n"},
	"pair, at a tty":   {words: "pair 127.0.0.1", typed: "0123-4567-89AB-E\r", pty: true},
	"completion":       {words: "--complete cp 127.0.0.1:"},
	"a bad passphrase": {words: "-i LOCKED 127.0.0.1 true", pty: true},
}

// The second signal ends every verb, whatever its daemon does, with 130 or 143, and restores the
// terminal (RULES D7).
func TestSecondSignal(t *testing.T) {
	h := startMinisshHere(t)
	locked := filepath.Join(h.dir, "locked")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f",
		locked).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	all := map[string]func(net.Conn, func() (net.Conn, error), func()){"works, then nothing": nil}
	for name, b := range behaviours {
		all[name] = b
	}
	for how, serve := range all {
		for verb, v := range secondVerbs {
			if serve == nil && !v.marks || verb == "completion" || verb == "a bad passphrase" &&
				how != "accepts, and says nothing" {
				continue
			}
			for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
				// the same way as INT
				if sig == syscall.SIGTERM && serve != nil && verb != "cp put" &&
					verb != "a command" {
					continue
				}
				t.Run(how+", "+verb+", "+sig.String(), func(t *testing.T) {
					t.Parallel()
					second(t, h, serve, how, verb, sig)
				})
			}
		}
	}
}

func second(t *testing.T, h *minisshHere, serve func(net.Conn, func() (net.Conn, error), func()),
	how, verb string, sig syscall.Signal) {
	v, dir := secondVerbs[verb], t.TempDir()
	mark, large, local := filepath.Join(dir, "mark"), filepath.Join(dir, "large"),
		filepath.Join(dir, "local")
	if strings.HasPrefix(verb, "cp") {
		f, err := os.Create(large)
		if err != nil {
			t.Fatal(err)
		}
		f.Truncate(1 << 40) // it never ends by itself; of holes
		f.Close()
	}
	if serve == nil {
		at := mark
		switch {
		case strings.HasPrefix(verb, "cp get"):
			at = local
			if verb == "cp get into" {
				at = filepath.Join(dir, "large-dir", "large")
			}
			at = partialOf(at)
		case strings.HasPrefix(verb, "cp"):
			at = partialOf(mark)
		}
		serve = frozen(at)
	}
	os.Mkdir(filepath.Join(dir, "large-dir"), 0o755)
	k := newLink(t, h, serve)
	fill := strings.NewReplacer("/dev/shm/LARGE", large, "LARGE", large, "LOCAL", local, "DIR",
		filepath.Join(dir, "large-dir"), "MARK", mark, "LOCKED", filepath.Join(h.dir, "locked"))
	words := strings.Fields(v.words)
	for i, word := range words {
		words[i] = strings.ReplaceAll(fill.Replace(word), "~", " ")
	}
	options := append([]string(nil), h.args[1:]...)
	for i := range options {
		switch {
		case options[i] == "-p":
			options[i+1] = k.port
		case strings.HasPrefix(options[i], "UserKnownHostsFile="):
			options[i] = "UserKnownHostsFile=" + filepath.Join(dir, "known")
		case options[i] == h.dir+"/id" && verb == "a bad passphrase":
			options[i-1], options[i] = "-F", "none"
		}
	}
	front := 0
	switch words[0] {
	case "prompt", "cp", "pair", "trace":
		front = 1
	}
	args := append(append([]string(nil), words[:front]...), options...)
	if words[0] == "cp" {
		for i := range args {
			if args[i] == "-p" {
				args[i] = "-P"
			}
		}
	}
	args = append(args, words[front:]...)
	cmd := exec.Command(h.args[0], args...)
	typed := fill.Replace(v.typed)
	var before *unix.Termios
	var slave *os.File
	if v.pty {
		p := (&minisshHere{t: t, dir: h.dir, args: []string{h.args[0]}}).start(args...)
		cmd, before, slave = p.cmd, p.before, p.slave
		if typed != "" {
			p.types(typed)
		}
		if verb == "a bad passphrase" {
			p.shows("passphrase")
		} else {
			await(t, k.met, p.text)
		}
		hammer(t, cmd.Process, sig, p.done, p.text)
	} else {
		cmd.Stdin = strings.NewReader(typed)
		if typed == "" {
			cmd.Stdin = nil
		} else if verb == "prompt" { // its input stays open
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			defer w.Close()
			io.WriteString(w, typed)
			cmd.Stdin = r
		}
		said := new(syncedBuffer)
		cmd.Stderr, cmd.Stdout = said, said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() { defer close(done); cmd.Wait() }()
		await(t, k.met, said.String)
		hammer(t, cmd.Process, sig, done, said.String)
	}
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if code := cmd.ProcessState.ExitCode(); code != 128+int(sig) &&
		!(how == "is somebody else" && code == 255) &&
		!(status.Signaled() && status.Signal() == sig) {
		t.Errorf("exit code %d, %v", code, cmd.ProcessState)
	}
	if v.pty {
		after, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
		if err != nil || *after != *before {
			t.Errorf("the terminal is left as %+v, %v", after, err)
		}
	}
}

// hammer sends a signal until the process has ended: the second must come after the first was
// taken, which nothing shows.
func hammer(t *testing.T, p *os.Process, sig syscall.Signal, done <-chan struct{},
	said func() string) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	bound := time.After(20 * time.Second)
	for {
		p.Signal(sig)
		select {
		case <-done:
			return
		case <-tick.C:
		case <-bound:
			p.Kill()
			<-done
			t.Fatalf("it does not end by signals: %q", said())
		}
	}
}

func await(t *testing.T, met <-chan struct{}, said func() string) {
	t.Helper()
	select {
	case <-met:
	case <-time.After(screenPatience):
		t.Fatalf("it never gets there: %q", said())
	}
}

// partialOf is the name under which a file arrives (FI9).
func partialOf(path string) string {
	sum := sha256.Sum256([]byte(filepath.Base(path)))
	return filepath.Join(filepath.Dir(path), fmt.Sprintf(".minissh-%x.part", sum[:8]))
}

// syncedBuffer keeps a process's output while a test reads it.
type syncedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
