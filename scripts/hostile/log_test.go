//go:build linux

package hostile_test

import (
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

// fullPipe is a pipe that takes nothing more, and its two ends. Its writing end waits, as a shell's
// do.
func fullPipe(t *testing.T, p *testhost.Place) (read, write *os.File) {
	t.Helper()
	var ends [2]int
	p.Must(unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_NONBLOCK))
	for piece := 4096; piece > 0; piece /= 2 {
		for {
			if _, err := unix.Write(ends[1], make([]byte, piece)); err != nil {
				break
			}
		}
	}
	for _, fd := range ends {
		p.Must(unix.SetNonblock(fd, false))
	}
	read, write = os.NewFile(uintptr(ends[0]), "read"), os.NewFile(uintptr(ends[1]), "write")
	t.Cleanup(func() { read.Close(); write.Close() })
	return read, write
}

// mustEnd waits for a daemon's end.
func mustEnd(t *testing.T, what string, d *testhost.Daemon) {
	t.Helper()
	select {
	case <-d.Done:
	case <-time.After(testhost.Patience):
		d.Cmd.Process.Kill()
		t.Fatal(what)
	}
}

// A daemon whose log and whose Ready line nobody reads works, and ends when it is told to.
func TestNobodyReadsTheLog(t *testing.T) {
	p := testhost.New(t)
	_, write := fullPipe(t, p)
	socket := p.Path("s")
	cmd := p.Command("minisshd", "--control", "none", "--listen", "unix:"+socket, "--host-key",
		p.Path("host_key"), "--authorized-keys", p.Path("authorized_keys"), "--log-level", "debug")
	d := p.StartWith(cmd, write, write)
	testend.Until(t, "it listens", func() bool { _, err := os.Stat(socket); return err == nil })
	for range 20 {
		if r := p.Run("minissh", "unix:"+socket, "echo in"); r.Code != 0 || r.Out != "in\n" {
			t.Fatalf("a login beside a log that nobody reads: %+v", r)
		}
	}
	began := time.Now()
	cmd.Process.Signal(syscall.SIGTERM)
	mustEnd(t, "SIGTERM does not end it", d)
	if took := time.Since(began); took > 10*time.Second { // its grace, with nothing to wait for
		t.Errorf("it ended after %v", took)
	}
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("its exit code is %d", code)
	}
	if flags, err := unix.FcntlInt(write.Fd(), unix.F_GETFL, 0); err != nil ||
		flags&unix.O_NONBLOCK != 0 {
		t.Errorf("the pipe that others share has flags %#x, %v", flags, err)
	}
}

// A daemon that cannot start ends, although nobody reads why.
func TestNobodyReadsTheError(t *testing.T) {
	p := testhost.New(t)
	_, write := fullPipe(t, p)
	cmd := p.Command("minisshd", "--no-such-option")
	d := p.StartWith(cmd, write, write)
	mustEnd(t, "it does not end", d)
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("its exit code is %d", code)
	}
}

// What is logged is written at once where the reader keeps up: not even SIGKILL takes it back.
func TestLogOfTheKilled(t *testing.T) {
	p := testhost.New(t)
	read, write, err := os.Pipe()
	p.Must(err)
	defer read.Close()
	out := new(testhost.Text)
	d := p.StartWith(p.Command("minisshd", "--control", "none", "--listen", "127.0.0.1:0",
		"--host-key", p.Path("host_key"), "--authorized-keys", p.Path("authorized_keys")), out,
		write)
	write.Close()
	out.Await(t, "\n")
	_, port, _ := strings.Cut(strings.Fields(out.String())[3], ":")
	p.Knows("box", port)
	client := p.Start(p.Command("minissh", "box", "echo in; exec cat"))
	client.Out.Await(t, "in\n")
	p.Must(d.Cmd.Process.Kill())
	mustEnd(t, "it lives", d)
	text, err := io.ReadAll(read)
	p.Must(err)
	lines := strings.Split(string(text), "\n")
	for i, want := range []string{"Accepted publickey for ", "Starting command for "} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d of its log is %q", i, lines[i])
		}
	}
}
