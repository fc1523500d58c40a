// Package testhost gives tests of whole programs what they need: minissh and minisshd as they are
// installed, a home of their own with keys, and daemons on loopback. Of the programs in scripts/,
// those that work with minissh as it is installed use a few functions of it (programs.go).
package testhost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/protocol/keys"
)

// Patience bounds everything that a test waits for; only a failure waits so long.
const Patience = 60 * time.Second

// lifetime bounds every process that a test starts, daemons too.
const lifetime = 5 * time.Minute

// Bin is the directory with the built programs, once Main has run.
var Bin string

// Main builds minissh and minisshd, with the race detector if the test has it, and runs the
// package's tests. It is all that a TestMain needs to call.
func Main(m *testing.M) {
	code := 1
	defer func() { os.Exit(code) }()
	dir, err := os.MkdirTemp("", "minissh-test")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	Bin = dir
	if err := Build(context.Background(), dir, Race()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	code = m.Run()
}

// Race says whether the test, and so the programs that it starts, have the race detector.
func Race() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// Need skips the test if a program is not installed (scripts/testrun/programs.go installs them),
// and gives its path.
func Need(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	for _, dir := range []string{"/usr/sbin/", "/sbin/"} {
		if err == nil {
			break
		}
		path, err = exec.LookPath(dir + name)
	}
	if err != nil {
		t.Skip("not run: needs " + name)
	}
	return path
}

// Place is a directory of a test with a home in it.
type Place struct {
	t    testing.TB
	Dir  string // the test's own: the home, authorized_keys with its key, and a daemon's host_key
	Home string // mode 0700, with .ssh/id_ed25519
}

// New makes a place. The directory is removed at the end of the test.
func New(t testing.TB) *Place {
	t.Helper()
	lookAtSources()
	dir := t.TempDir()
	p := &Place{t: t, Dir: dir, Home: filepath.Join(dir, "home")}
	p.Must(os.MkdirAll(filepath.Join(p.Home, ".ssh"), 0o700))
	public := p.Key(p.Path("home/.ssh/id_ed25519"))
	p.Write("authorized_keys", string(public))
	p.Key(p.Path("host_key"))
	return p
}

// Must ends the test if there is an error.
func (p *Place) Must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// Path is a name below the place's directory.
func (p *Place) Path(name string) string { return filepath.Join(p.Dir, name) }

// Write makes a file of mode 0600 below the place's directory and returns its path.
func (p *Place) Write(name, text string) string {
	p.t.Helper()
	path := p.Path(name)
	p.Must(os.MkdirAll(filepath.Dir(path), 0o700))
	p.Must(os.WriteFile(path, []byte(text), 0o600))
	return path
}

// Read gives the text of a file below the place's directory, "" if it is not there.
func (p *Place) Read(name string) string {
	text, err := os.ReadFile(p.Path(name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		p.t.Fatal(err)
	}
	return string(text)
}

// Same compares two directories below the place's own.
func (p *Place) Same(a, b string) {
	p.t.Helper()
	differ, err := Differences(p.Path(a), p.Path(b))
	p.Must(err)
	if differ != "" {
		p.t.Errorf("%s (-) and %s (+) differ:\n%s", a, b, differ)
	}
}

// Key makes an ed25519 key pair, path and path.pub, and returns the line of the latter.
func (p *Place) Key(path string) []byte {
	p.t.Helper()
	key, _, err := keys.HostKey(path)
	p.Must(err)
	line := ssh.MarshalAuthorizedKey(key.Public)
	p.Must(os.WriteFile(path+".pub", line, 0o644))
	return line
}

// Env is the environment of the place's processes: its home, the built programs first in the path,
// no agent. Programs that were built with the race detector would wait a second at their end
// otherwise.
func (p *Place) Env() []string {
	return []string{"HOME=" + p.Home, "PATH=" + Bin + ":" + os.Getenv("PATH") + ":/usr/sbin:/sbin",
		"LANG=C.UTF-8", "TMPDIR=" + p.Dir, "SHELL=/bin/sh", "TERM=dumb", "GORACE=atexit_sleep_ms=0"}
}

// Command prepares a process with the place's environment and directory. It is killed when the test
// ends or has lasted too long.
func (p *Place) Command(name string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), lifetime)
	p.t.Cleanup(cancel)
	if filepath.Base(name) == name {
		if built := filepath.Join(Bin, name); exists(built) {
			name = built
		}
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env, cmd.Dir = p.Env(), p.Dir
	cmd.WaitDelay = Patience // what it left running may hold its output
	return cmd
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// Ran is what became of a process.
type Ran struct {
	Code     int // -1 if a signal ended it
	Out, Err string
}

// Run runs a program to its end.
func (p *Place) Run(name string, args ...string) Ran {
	p.t.Helper()
	return p.RunCmd(p.Command(name, args...))
}

// RunCmd runs a prepared process to its end; outputs that are not set are collected.
func (p *Place) RunCmd(cmd *exec.Cmd) Ran {
	p.t.Helper()
	var out, errs Text
	if cmd.Stdout == nil {
		cmd.Stdout = &out
	}
	if cmd.Stderr == nil {
		cmd.Stderr = &errs
	}
	err := cmd.Start()
	if err == nil {
		impatient := time.AfterFunc(Patience, func() { cmd.Process.Kill() })
		err = cmd.Wait()
		impatient.Stop()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatalf("%v: %v", cmd.Args, err)
	}
	return Ran{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// Text collects what several goroutines write, and can be waited upon.
type Text struct {
	mu      sync.Mutex // guards the rest
	text    bytes.Buffer
	changed chan struct{}
}

func (b *Text) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
	return b.text.Write(p)
}

// ReadFrom collects what a reader gives up to its end.
func (b *Text) ReadFrom(r io.Reader) (n int64, err error) {
	return io.Copy(struct{ io.Writer }{b}, r)
}

func (b *Text) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// Await waits until the text holds a string.
func (b *Text) Await(t testing.TB, want string) {
	t.Helper()
	timeout := time.After(Patience)
	for {
		b.mu.Lock()
		if b.changed == nil {
			b.changed = make(chan struct{})
		}
		changed, text := b.changed, b.text.String()
		b.mu.Unlock()
		if strings.Contains(text, want) {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("%q does not come: %s", want, text)
		}
	}
}
