//go:build linux

package service_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"minissh/scripts/testhost"
)

// proofSize is how many MiB the proof copies; MINISSH_PROOF_MIB says another number.
const proofSize = 256

// What the daemon must show: it is replaced, three times, under 50 running commands, five shells
// with vim, a copy, and a client whose link is lost just then. Nothing is lost, and no connection
// is refused.
func TestReplacedUnderLoad(t *testing.T) {
	vim := testhost.Need(t, "vim")
	p := testhost.New(t)
	r := supervised(t, p)
	size := proofSize
	if text := os.Getenv("MINISSH_PROOF_MIB"); text != "" {
		n, err := strconv.Atoi(text)
		p.Must(err)
		size = n
	}
	stop := knocking(r.Port)
	var all sync.WaitGroup
	fail := func(format string, args ...any) { t.Errorf(format, args...) }
	commands := make([]*running, 50)
	for i := range commands {
		commands[i] = startRunning(t, p, "box", i)
	}
	editors := make([]*editing, 5)
	for i := range editors {
		editors[i] = startEditing(t, p, vim, i)
	}
	resumes := startRunning(t, p, "far", 99)
	source := p.Path("source")
	hash := makeFile(t, source, size)
	var copied atomic.Bool
	all.Go(func() {
		defer copied.Store(true)
		if c := p.Run("minissh", "cp", source, "box:"+p.Path("copy")); c.Code != 0 {
			fail("the copy: %+v", c)
		} else if got := hashOf(t, p.Path("copy")); !bytes.Equal(got, hash) {
			fail("the copy is another file")
		}
	})
	await(t, "a copy under way", func() bool {
		names, _ := os.ReadDir(p.Dir)
		for _, name := range names {
			if info, err := name.Info(); err == nil && strings.Contains(name.Name(), "copy") &&
				info.Size() > 1<<20 {
				return true
			}
		}
		return false
	})
	before, during := r.daemons(), 0
	for range 3 {
		all.Go(r.relay.cut)
		r.mustUpgrade()
		if !copied.Load() {
			during++
		}
		r.relay.cut()
		resumes.say(t)
		for _, c := range commands {
			c.say(t)
		}
		for _, e := range editors {
			e.write(t)
		}
	}
	for _, c := range append(commands, resumes) {
		c.end(t)
	}
	for _, e := range editors {
		e.end(t)
	}
	all.Wait()
	knocks, err := stop()
	if err != nil || knocks < 100 {
		t.Errorf("%d connections, then %v", knocks, err)
	}
	if during == 0 {
		t.Error("the copy was through too soon")
	}
	t.Logf("%d MiB copied, under %d replacements; %d connections", size, during, knocks)
	await(t, "one daemon", func() bool {
		now := r.daemons()
		return len(now) == 1 && now[0] != before[0]
	})
}

// running is a command that says again what it is told.
type running struct {
	d     *testhost.Daemon
	typed io.WriteCloser
	said  *testhost.Text
	want  string
	code  int
}

func startRunning(t *testing.T, p *testhost.Place, host string, i int) *running {
	t.Helper()
	return nowRunning(t, p, p.Command("minissh", host, fmt.Sprintf("cat; exit %d", i)), i)
}

// nowRunning is startRunning for a command that ends with exit code i.
func nowRunning(t *testing.T, p *testhost.Place, cmd *exec.Cmd, i int) *running {
	t.Helper()
	typed, err := cmd.StdinPipe()
	p.Must(err)
	r := &running{typed: typed, said: new(testhost.Text), code: i}
	r.d = p.StartWith(cmd, r.said, io.Discard)
	r.say(t)
	return r
}

func (r *running) say(t *testing.T) {
	t.Helper()
	line := fmt.Sprintf("line %d of %d\n", len(r.want), r.code)
	r.want += line
	io.WriteString(r.typed, line)
	r.said.Await(t, line)
}

func (r *running) end(t *testing.T) {
	t.Helper()
	r.typed.Close()
	<-r.d.Done
	if code := r.d.Cmd.ProcessState.ExitCode(); code != r.code || r.said.String() != r.want {
		t.Errorf("exit code %d of %d; %q", code, r.code, r.said)
	}
}

// editing is a shell with vim on a terminal.
type editing struct {
	cmd    *exec.Cmd
	master *os.File
	shown  *testhost.Text
	file   string
	want   string
	ended  chan struct{}
}

func startEditing(t *testing.T, p *testhost.Place, vim string, i int) *editing {
	t.Helper()
	return nowEditing(t, p, p.Command("minissh", "-t", "box", "sh"), vim, i)
}

// nowEditing is startEditing for a command that gives a shell.
func nowEditing(t *testing.T, p *testhost.Place, cmd *exec.Cmd, vim string, i int) *editing {
	t.Helper()
	e := &editing{cmd: cmd, shown: new(testhost.Text), file: p.Path(fmt.Sprintf("vim%d", i)),
		ended: make(chan struct{})}
	e.cmd.Env = append(e.cmd.Env, "TERM=xterm")
	var err error
	e.master, err = pty.StartWithSize(e.cmd, &pty.Winsize{Rows: 24, Cols: 80})
	p.Must(err)
	t.Cleanup(func() {
		e.cmd.Process.Signal(syscall.SIGTERM)
		e.cmd.Process.Kill()
		<-e.ended
		e.master.Close()
	})
	go func() { e.cmd.Wait(); close(e.ended) }()
	go e.shown.ReadFrom(e.master)
	e.keys(fmt.Sprintf("%s -u NONE -N -i NONE %s; exit 5\r", vim, e.file))
	e.shown.Await(t, "[New]")
	e.keys("i")
	e.shown.Await(t, "INSERT")
	return e
}

func (e *editing) keys(text string) { io.WriteString(e.master, text) }

// write types a line, and has it written to the file.
func (e *editing) write(t *testing.T) {
	t.Helper()
	line := fmt.Sprintf("line %d", len(e.want))
	e.want += line + "\n"
	e.keys(line + "\x1b:w\r")
	e.awaitFile(t, e.want)
	e.keys("o")
}

func (e *editing) awaitFile(t *testing.T, want string) {
	t.Helper()
	await(t, "what vim writes", func() bool {
		text, _ := os.ReadFile(e.file)
		return string(text) == want
	})
}

// end leaves vim and the shell.
func (e *editing) end(t *testing.T) {
	t.Helper()
	e.keys("last\x1b:x\r")
	e.awaitFile(t, e.want+"last\n")
	<-e.ended
	if code := e.cmd.ProcessState.ExitCode(); code != 5 {
		t.Errorf("the shell's exit code is %d; it showed %q", code, e.shown)
	}
}

// makeFile makes a file of so many MiB, and gives its hash.
func makeFile(t *testing.T, name string, size int) []byte {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	hash := sha256.New()
	block := make([]byte, 1<<20)
	for i := range size {
		sum := sha256.Sum256([]byte(strconv.Itoa(i)))
		for at := 0; at < len(block); at += len(sum) {
			copy(block[at:], sum[:])
			sum[at/len(sum)%len(sum)]++
		}
		if _, err := io.MultiWriter(f, hash).Write(block); err != nil {
			t.Fatal(err)
		}
	}
	return hash.Sum(nil)
}

func hashOf(t *testing.T, name string) []byte {
	f, err := os.Open(name)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer f.Close()
	hash := sha256.New()
	io.Copy(hash, f)
	return hash.Sum(nil)
}
