package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"minissh/protocol/testend"
)

// stopWhole stops every thread of a process, and returns once the kernel has done so.
func stopWhole(t *testing.T, p *os.Process) {
	t.Helper()
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	testend.Until(t, "the client is stopped", func() bool {
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.Pid))
		for _, thread := range threads {
			stat, err := os.ReadFile(thread)
			if _, after, found := bytes.Cut(stat, []byte(") ")); err != nil || !found ||
				after[0] != 'T' {
				return false
			}
		}
		return len(threads) > 0
	})
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return -1
	}
	return info.Size()
}

// numbers is what `seq 1 300000` prints: two megabytes, more than the window and every buffer on
// the way can hold.
func numbers(end string) []byte {
	var b bytes.Buffer
	for i := range 300000 {
		fmt.Fprintf(&b, "%d%s", i+1, end)
	}
	return b.Bytes()
}

// A client is stopped as a whole (SIGSTOP) while its command writes far more than the buffers on
// the way hold, and while its own input goes on. It loses nothing of either when it continues.
func TestStoppedClientWithCommand(t *testing.T) {
	t.Parallel()
	h := startMinisshHere(t)
	begin, copied := filepath.Join(h.dir, "begin"), filepath.Join(h.dir, "copied")
	if err := syscall.Mkfifo(begin, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(h.args[0], append(h.args[1:len(h.args):len(h.args)], "127.0.0.1",
		"echo ready; read x <"+begin+"; seq 1 300000 | tee "+copied+"; sha256sum; exit 9")...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	ready := make([]byte, len("ready\n"))
	if _, err := io.ReadFull(stdout, ready); err != nil || string(ready) != "ready\n" {
		t.Fatalf("%q, %v", ready, err)
	}

	stopWhole(t, cmd.Process)
	// returns when the command there has opened it
	if err := os.WriteFile(begin, []byte("go\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	input := []byte(strings.Repeat("typed while nobody reads\n", 1000))
	if _, err := stdin.Write(input); err != nil { // less than a pipe holds
		t.Fatal(err)
	}
	stdin.Close()
	testend.Until(t, "output for a client that is stopped",
		func() bool { return size(copied) > 100_000 })
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}

	out, err := io.ReadAll(stdout)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	want := append(numbers("\n"), fmt.Sprintf("%x  -\n", sha256.Sum256(input))...)
	if !bytes.Equal(out, want) {
		t.Errorf("%d bytes instead of %d, ending in %q", len(out), len(want),
			out[max(0, len(out)-100):])
	}
	if code := cmd.ProcessState.ExitCode(); code != 9 {
		t.Errorf("exit code %d", code)
	}
}

// The same with a shell on a terminal: what was typed and what the shell wrote meanwhile arrives
// when the client continues. The terminal is raw again, and restored at the end.
func TestStoppedClientWithShell(t *testing.T) {
	t.Parallel()
	h := startMinisshHere(t)
	begin, copied := filepath.Join(h.dir, "begin"), filepath.Join(h.dir, "copied")
	if err := syscall.Mkfifo(begin, 0o600); err != nil {
		t.Fatal(err)
	}
	p := h.start("-t", "127.0.0.1", "exec bash --norc --noediting -i")
	p.types("stty -echo; echo shell:$$:\r")
	shell := p.matches(`shell:(\d+):`)[1]
	p.types("read x <" + begin + "; seq 1 300000 | tee " + copied + "\r")

	begun, err := os.OpenFile(begin, os.O_WRONLY, 0) // returns when the shell there waits
	if err != nil {
		t.Fatal(err)
	}
	stopWhole(t, p.cmd.Process)
	io.WriteString(begun, "go\n")
	begun.Close()
	p.types("echo typed:$((6*7)):$$\r")
	testend.Until(t, "output for a client that is stopped",
		func() bool { return size(copied) > 50_000 })
	if !alive(shell) {
		t.Fatal("the shell did not outlive the stop")
	}
	if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	p.shows("typed:42:" + shell)
	p.types("exit 4\r")
	if code := p.ends(); code != 4 {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(p.text(), string(numbers("\r\n"))) {
		t.Errorf("not every line came: %d bytes", len(p.text()))
	}
	if !p.restored() {
		t.Error("the terminal stays as it was in the session")
	}
}

// After Ctrl-Z on a plain command, or ~^Z on a terminal, the daemon learns that the client will
// stop before it does, and later that it continues (RE6).
func TestStopIsTold(t *testing.T) {
	t.Parallel()
	// An escape is the first of its line: the Enter before it is an answer to read, too.
	for name, c := range map[string]struct{ command, key, begins string }{
		"a plain command": {"127.0.0.1 'echo begun:$((6*7)); read x'", "\x1a", "begun:42"},
		"a terminal": {"-t 127.0.0.1 'echo begun:$((6*7)); read y; read x'", "\r~\x1a",
			"begun:42"},
	} {
		h := startMinisshHere(t)
		told := filepath.Join(h.dir, "told")
		q := h.startShell()
		q.types(strings.Join(h.args, " ") + " -vvv " + c.command + " 2>" + told + "\r")
		q.shows(c.begins)
		q.types(c.key)
		q.shows("Stopped")
		trace := func() string { text, _ := os.ReadFile(told); return string(text) }
		if _, after, found := strings.Cut(trace(), "SUSPENDED"); !found ||
			strings.Contains(after, "PING ") {
			t.Errorf("%s: before the stop the daemon was told\n%s", name, trace())
		}
		q.types("fg; echo over:$((6*9))\r")
		testend.Until(t, "that it goes on is told", func() bool {
			_, after, _ := strings.Cut(trace(), "SUSPENDED")
			return strings.Contains(after, "PING ")
		})
		q.types("\r")
		q.shows("over:54")
		q.types("exit\r")
		q.ends()
	}
}
