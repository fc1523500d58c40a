package process

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"minissh/protocol/testend"
)

// patience bounds every wait in these tests. It is never waited out unless
// something is broken.
const patience = 20 * time.Second

func init() {
	// The main goroutine keeps the main thread, for the role "headless".
	if os.Getenv("PROCESS_TEST_ROLE") == "headless" {
		runtime.LockOSThread()
	}
}

// TestMain lets the test binary play other programs.
func TestMain(m *testing.M) {
	BeHelper()
	switch os.Getenv("PROCESS_TEST_ROLE") {
	case "":
		// Whoever started the test may have left descriptors open.
		if err := keepDescriptors(); err != nil {
			panic(err)
		}
		testend.Strict(m)
	case "masked":
		playMasked()
	case "unmasking":
		playUnmasking()
	case "headless":
		// The main thread ends; another goes on and holds stdout.
		go func() {
			fmt.Println("ready")
			io.Copy(io.Discard, os.Stdin)
			select {}
		}()
		syscall.RawSyscall(unix.SYS_EXIT, 0, 0, 0)
	case "daemon":
		playDaemon()
	case "stopper":
		playStopper()
	case "root":
		// Set-uid root: from here on, out of reach for who started it.
		if err := syscall.Setuid(0); err != nil {
			panic(err)
		}
		fmt.Println("ready")
		io.Copy(io.Discard, os.Stdin)
	}
}

// shell starts a script under sh and cleans up whatever is left of it.
func shell(t *testing.T, script string, args ...string) *Process {
	t.Helper()
	return start(t, Spec{Path: "/bin/sh", Args: append([]string{"sh", "-c", script, "sh"}, args...),
		Env: os.Environ()})
}

func start(t *testing.T, spec Spec) *Process {
	t.Helper()
	p, err := Start(spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill(context.Background())
		p.Close()
	})
	return p
}

// result waits for the end of the leader.
func result(t *testing.T, p *Process) Result {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(patience):
		t.Fatal("the command does not end")
	}
	return p.Result()
}

func bound(t *testing.T, r io.Reader) {
	if f, ok := r.(*os.File); ok {
		if err := f.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatalf("our end is not in the poller: %v", err)
		}
	}
}

// lines reads n lines of a command's output: the event that tests wait for.
func lines(t *testing.T, r io.Reader, n int) []string {
	t.Helper()
	bound(t, r)
	var out []string
	one := make([]byte, 1)
	var line []byte
	for len(out) < n {
		if _, err := io.ReadFull(r, one); err != nil {
			t.Fatalf("after %q %q: %v", out, line, err)
		}
		if one[0] == '\n' {
			out, line = append(out, string(line)), nil
			continue
		}
		line = append(line, one[0])
	}
	return out
}

// rest reads to the end, which comes when the last process that holds the other end is gone: proof
// of death that does not depend on the code under test.
func rest(t *testing.T, r io.Reader) string {
	t.Helper()
	bound(t, r)
	data, err := io.ReadAll(bufio.NewReader(r))
	if err != nil {
		t.Fatalf("somebody still holds the pipe: %v", err)
	}
	return string(data)
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// gone waits until a process is dead, through a pidfd or, if it is already
// away, at once.
func gone(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err == unix.ESRCH {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}},
			int(patience/time.Millisecond))
		if err == unix.EINTR {
			continue
		}
		if n != 1 {
			t.Fatalf("process %d lives: %v", pid, err)
		}
		return
	}
}

// stop stops with a grace so long that only obedience ends it in time.
func stop(t *testing.T, p *Process, grace time.Duration) {
	t.Helper()
	left, err := p.Stop(t.Context(), grace)
	if err != nil || len(left) != 0 {
		t.Fatalf("left %v, %v", left, err)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}
