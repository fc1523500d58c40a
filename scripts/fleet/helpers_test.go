//go:build linux

package fleet_test

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"minissh/scripts/testhost"
)

// lineSums digests the lines of each host.
type lineSums struct {
	of   map[string]hash.Hash
	rest []byte
}

func newLineSums() *lineSums { return &lineSums{of: map[string]hash.Hash{}} }

func (s *lineSums) Write(p []byte) (int, error) {
	s.rest = append(s.rest, p...)
	for {
		end := bytes.IndexByte(s.rest, '\n') + 1
		if end == 0 {
			return len(p), nil
		}
		name, line, _ := bytes.Cut(s.rest[:end], []byte(": "))
		if s.of[string(name)] == nil {
			s.of[string(name)] = sha256.New()
		}
		s.of[string(name)].Write(line)
		s.rest = s.rest[end:]
	}
}

// person is somebody at a terminal.
type person struct {
	t     *testing.T
	keys  *os.File
	shown *testhost.Text
	cmd   *exec.Cmd
	read  chan struct{}
}

// types starts minissh on a terminal.
func (f *fleet) types(args ...string) *person {
	f.t.Helper()
	cmd := f.Command("minissh", args...)
	cmd.Env = append(cmd.Env, "TERM=xterm")
	p := &person{t: f.t, shown: new(testhost.Text), cmd: cmd, read: make(chan struct{})}
	var err error
	if p.keys, err = pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		f.t.Fatal(err)
	}
	go func() { defer close(p.read); p.shown.ReadFrom(p.keys) }()
	f.t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGKILL)
		cmd.Wait()
		p.keys.Close()
		<-p.read
	})
	return p
}

// does types keys once something is shown.
func (p *person) does(after, keys string) {
	p.t.Helper()
	p.shown.Await(p.t, after)
	io.WriteString(p.keys, keys)
}

// end waits for the end, and gives the exit code.
func (p *person) end() int {
	p.t.Helper()
	p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

// copyTo copies until either ends.
func copyTo(to, from io.ReadWriteCloser) {
	io.Copy(to, from)
	to.Close()
}
