//go:build unix

package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// hungDaemon is a daemon of this test's own account whose standard error is a full pipe: whatever
// writes there hangs for ever.
func hungDaemon(t *testing.T, options ...string) *exec.Cmd {
	t.Helper()
	dir, args := place(t, "")
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { read.Close() })
	defer write.Close()
	cmd := exec.Command(os.Args[0], append(args, "--listen", "unix:"+filepath.Join(dir, "s"),
		"--control", "none")...)
	cmd.Args = append(cmd.Args, options...)
	cmd.Env = append(os.Environ(), asDaemon+"=1")
	cmd.Stderr = write
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	end := int(write.Fd()) // which is the daemon's too
	if err := unix.SetNonblock(end, true); err != nil {
		t.Fatal(err)
	}
	for full := false; !full; {
		_, err := unix.Write(end, make([]byte, 1))
		full = err != nil
	}
	if err := unix.SetNonblock(end, false); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// The second signal ends the daemon whatever hangs: once, the goroutine that did the work also
// looked at signals.
func TestSecondSignalEnds(t *testing.T) {
	secondSignalEnds(t, hungDaemon(t))
	if hasSupervisor {
		secondSignalEnds(t, hungDaemon(t, "--supervisor", "yes"))
	}
}

func secondSignalEnds(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Process.Signal(syscall.SIGINT) // another one, so that the two do not become one
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("it is still there")
	}
}

// The first signal alone ends nothing.
func TestOnSignals(t *testing.T) {
	signals := make(chan os.Signal, 2)
	defer close(signals) // which does not count as a second signal
	first, hurry := onSignals(signals)
	signals <- syscall.SIGTERM
	if sig := <-first; sig != syscall.SIGTERM || hurry.Err() != nil {
		t.Errorf("%v, %v", sig, hurry.Err())
	}
	if forcedAfter != 1500*time.Millisecond {
		t.Error("the manual says: within two seconds")
	}
}
