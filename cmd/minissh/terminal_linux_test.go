package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"minissh/protocol/testend"
)

// screenPatience bounds every wait of these tests; only a failure waits so long.
const screenPatience = time.Minute

// minisshHere is a built minissh and a daemon for it, with keys; args is the command line up to the
// host.
type minisshHere struct {
	t      *testing.T
	dir    string
	args   []string
	daemon *exec.Cmd
	log    string
}

func needsProgram(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("not run: needs %s", name)
		}
	}
}

// builtMinissh builds the client once for all tests here.
var builtMinissh = sync.OnceValues(func() (string, error) {
	name := filepath.Join(filepath.Dir(minisshd), "client")
	out, err := exec.Command("go", "build", "-o", name, "minissh/cmd/minissh").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	return name, err
})

func startMinisshHere(t *testing.T) *minisshHere {
	t.Helper()
	needsProgram(t, "ssh-keygen", "bash")
	program, err := builtMinissh()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "t") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	h := &minisshHere{t: t, dir: dir, log: filepath.Join(dir, "daemon.log")}
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
		dir+"/id").CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	log, err := os.Create(h.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	h.daemon = exec.Command(minisshd, "--listen", "127.0.0.1:0", "--host-key", dir+"/host",
		"--authorized-keys", dir+"/id.pub", "--control", "none")
	h.daemon.Stderr = log
	out, err := h.daemon.StdoutPipe()
	if err == nil {
		err = h.daemon.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.daemon.Process.Signal(syscall.SIGTERM)
		h.daemon.Process.Signal(syscall.SIGTERM)
		h.daemon.Wait()
		os.RemoveAll(dir)
	})
	line := make([]byte, 4096)
	n, _ := out.Read(line)
	at := regexp.MustCompile(`127\.0\.0\.1:(\d+)`).FindSubmatch(line[:n])
	if at == nil {
		text, _ := os.ReadFile(h.log)
		t.Fatalf("the daemon says %q\n%s", line[:n], text)
	}
	h.args = []string{program, "-F", "none", "-q", "-p", string(at[1]), "-i", dir + "/id", "-o",
		"UserKnownHostsFile=" + dir + "/known", "-o", "StrictHostKeyChecking=accept-new"}
	if out, err := exec.Command(h.args[0],
		append(h.args[1:], "127.0.0.1", "true")...).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	return h
}

// onPTY is a client on a terminal whose master we hold.
type onPTY struct {
	t      *testing.T
	cmd    *exec.Cmd
	master *os.File
	slave  *os.File
	before *unix.Termios
	mu     sync.Mutex
	seen   bytes.Buffer
	news   chan struct{}
	done   chan struct{}
	err    error
}

// start runs the client with more arguments on a new terminal.
func (h *minisshHere) start(args ...string) *onPTY {
	h.t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		h.t.Skip("not run: needs a pty: ", err)
	}
	p := &onPTY{t: h.t, master: master, slave: slave, news: make(chan struct{}, 1),
		done: make(chan struct{})}
	pty.Setsize(master, &pty.Winsize{Rows: 24, Cols: 80})
	if p.before, err = unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS); err != nil {
		h.t.Fatal(err)
	}
	p.cmd = exec.Command(h.args[0], append(h.args[1:], args...)...)
	p.cmd.Env = append(os.Environ(), "TERM=xterm", "LC_ALL=C.UTF-8", "PS1=")
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = slave, slave, slave
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := p.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		buf := make([]byte, 65536)
		for {
			n, err := master.Read(buf)
			p.mu.Lock()
			p.seen.Write(buf[:n])
			p.mu.Unlock()
			if err != nil {
				return
			}
			select {
			case p.news <- struct{}{}:
			default:
			}
		}
	}()
	go func() { p.err = p.cmd.Wait(); close(p.done) }()
	h.t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.done
		slave.Close()
		<-reading
		master.Close()
	})
	return p
}

func (p *onPTY) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen.String()
}

// shows waits for a text.
func (p *onPTY) shows(want string) {
	p.t.Helper()
	p.until(want, func(text string) bool { return strings.Contains(text, want) })
}

// until waits until what was shown is right.
func (p *onPTY) until(what string, right func(text string) bool) {
	p.t.Helper()
	bound := time.After(screenPatience)
	for !right(p.text()) {
		select {
		case <-p.news:
		case <-bound:
			p.t.Fatalf("never saw %q in %q", what, p.text())
		}
	}
}

func (p *onPTY) types(keys string) {
	p.t.Helper()
	if _, err := io.WriteString(p.master, keys); err != nil {
		p.t.Fatal(err)
	}
}

// ends waits for the client's end and returns its exit code, -1 for a signal.
func (p *onPTY) ends() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(screenPatience):
		p.t.Fatalf("minissh does not end; it shows %q", p.text())
	}
	var exit *exec.ExitError
	if p.err != nil && !errors.As(p.err, &exit) {
		p.t.Fatal(p.err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// restored says whether the terminal is as it was before.
func (p *onPTY) restored() bool {
	now, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS)
	return err == nil && *now == *p.before
}

// However a session on a terminal ends, the terminal is restored, the exit code is right, and
// nothing is left running there.
func TestTerminalRestored(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end  func(h *minisshHere, p *onPTY)
		code int
	}{
		"exit":        {func(_ *minisshHere, p *onPTY) { p.types("exit 7\r") }, 7},
		"end of file": {func(_ *minisshHere, p *onPTY) { p.types("(exit 3)\r\x04") }, 3},
		"~.":          {func(_ *minisshHere, p *onPTY) { p.types("sleep 1000\r~.") }, 255},
		"SIGTERM": {
			func(_ *minisshHere, p *onPTY) { p.cmd.Process.Signal(syscall.SIGTERM) }, 143},
		"SIGHUP": {
			func(_ *minisshHere, p *onPTY) { p.cmd.Process.Signal(syscall.SIGHUP) }, 129},
		"SIGINT": {
			func(_ *minisshHere, p *onPTY) { p.cmd.Process.Signal(syscall.SIGINT) }, 130},
		"the daemon is killed": {func(h *minisshHere, p *onPTY) { h.daemon.Process.Kill() }, 255},
		"the shell is killed": {func(_ *minisshHere, p *onPTY) { p.types("kill -KILL $$\r") },
			137},
		"~. while the daemon is stopped": {func(h *minisshHere, p *onPTY) {
			h.daemon.Process.Signal(syscall.SIGSTOP)
			p.types(strings.Repeat("x", 5000) + "\r~.")
			p.ends()
			h.daemon.Process.Signal(syscall.SIGCONT)
		}, 255},
	} {
		t.Run(name, func(t *testing.T) {
			h := startMinisshHere(t)
			words := []string{"-t", "127.0.0.1", "exec bash --norc --noediting -i"}
			if name == "the daemon is killed" { // or it would wait for another one
				words = append([]string{"-o", "ResumeFor=0"}, words...)
			}
			p := h.start(words...)
			p.types("echo shell:$$:\r")
			shell := p.matches(`shell:(\d+):`)[1]
			if p.restored() {
				t.Error("the terminal is not in raw mode while the shell runs")
			}
			test.end(h, p)
			if code := p.ends(); code != test.code {
				t.Errorf("exit code %d instead of %d", code, test.code)
			}
			if !p.restored() {
				t.Error("the terminal stays as it was in the session")
			}
			testend.Until(t, "the shell is gone", func() bool { return !alive(shell) })
		})
	}
}

// matches waits until what was shown matches a pattern.
func (p *onPTY) matches(pattern string) []string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	bound := time.After(screenPatience)
	for {
		if found := re.FindStringSubmatch(p.text()); found != nil {
			return found
		}
		select {
		case <-p.news:
		case <-bound:
			p.t.Fatalf("never saw %s in %q", pattern, p.text())
		}
	}
}

// A megabyte pasted into cat comes out whole, and back.
func TestPasteMegabyte(t *testing.T) {
	t.Parallel()
	h := startMinisshHere(t)
	p := h.start("-t", "-e", "none", "127.0.0.1",
		"stty raw -echo; echo ready; head -c 1048576 | tee copy-"+filepath.Base(h.dir)+
			" >/dev/null; cksum <copy-"+filepath.Base(h.dir)+"; rm copy-"+filepath.Base(h.dir))
	p.shows("ready\n")
	text := make([]byte, 1<<20)
	for i := range text {
		text[i] = "0123456789abcdef\n\x03\x11\x13\x1a\x04\xe4\xbd\xa0~."[(i*7+i/1000)%26]
	}
	go p.master.Write(text)
	sum := exec.Command("cksum")
	sum.Stdin = bytes.NewReader(text)
	want, err := sum.Output()
	if err != nil {
		t.Fatal(err)
	}
	p.shows(strings.TrimSpace(string(want)))
	if code := p.ends(); code != 0 {
		log, _ := os.ReadFile(h.log)
		t.Errorf("exit code %d\n%s", code, log)
	}
}

// The window's size reaches the program there when it changes.
func TestWindowFollows(t *testing.T) {
	t.Parallel()
	h := startMinisshHere(t)
	p := h.start("-t", "127.0.0.1",
		`stty size; trap 'stty size; exit 5' WINCH; echo ready; while :; do sleep 0.01; done`)
	p.shows("24 80\r\n")
	p.shows("ready")
	pty.Setsize(p.master, &pty.Winsize{Rows: 40, Cols: 132})
	p.shows("40 132\r\n")
	if code := p.ends(); code != 5 {
		t.Errorf("exit code %d", code)
	}
}

// ~^Z stops the client with the terminal as its shell expects it; when the client continues, so
// does the session, in the window's present size.
func TestSuspended(t *testing.T) {
	t.Parallel()
	h := startMinisshHere(t)
	p := h.start("-t", "127.0.0.1", "exec bash --norc --noediting -i")
	// A client whose parent is in another kernel session is never stopped: nobody could wake it. So
	// a shell starts this one.
	p.types("exit\r")
	p.ends()
	line := strings.Join(append(h.args, "-t", "127.0.0.1", "'exec bash --norc --noediting -i'"),
		" ")
	q := h.startShell()
	q.types(line + "\r")
	q.types("echo in:$((6*7))\r")
	q.shows("in:42")
	q.types("~\x1a")
	q.shows("Stopped")
	q.types("stty -a | grep -c ' icanon'; echo out:$((6*8))\r")
	q.shows("out:48")
	pty.Setsize(q.master, &pty.Winsize{Rows: 30, Cols: 100})
	q.types("fg; echo code:$?\r")
	// keys may be quicker than the size
	q.types("until stty size | grep '30 100'; do sleep 0.02; done; echo back:$((6*9)); exit 4\r")
	q.shows("back:54")
	q.shows("30 100\r\n")
	q.shows("code:4")
	q.types("exit\r")
	q.ends()
}

// startShell is a local interactive shell on a terminal, with job control.
func (h *minisshHere) startShell() *onPTY {
	args := h.args
	defer func() { h.args = args }()
	h.args = []string{"bash"}
	return h.start("--norc", "--noediting", "-i")
}

// A person is not asked for a pairing code, and no key is made, where nothing listens.
func TestPairReachesFirst(t *testing.T) {
	t.Parallel()
	h := startMinisshHere(t)
	h.daemon.Process.Kill()
	h.daemon.Wait()
	home := filepath.Join(h.dir, "home")
	h.args = []string{"env", "HOME=" + home, h.args[0], "pair", "-F", "none", "-p", h.args[5]}
	p := h.start("127.0.0.1")
	if code := p.ends(); code != 255 || strings.Contains(p.text(), "Code") {
		t.Errorf("%d %s", code, p.text())
	}
	p.shows("connection refused")
	if _, err := os.Stat(home); err == nil {
		t.Error("something was written")
	}
}
