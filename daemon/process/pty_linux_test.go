package process

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"minissh/protocol/mux"
	"minissh/protocol/nonblock"
)

// onTerminal starts a script on a terminal, and waits until it says that it is ready.
func onTerminal(t *testing.T, script string) *Process {
	t.Helper()
	args := []string{"sh", "-c", script + "\n"}
	p := start(t, Spec{Path: "/bin/sh", Args: args, Env: os.Environ(), PTY: &PTY{}})
	if got := lines(t, p.Stdout, 1); strings.TrimSpace(got[0]) != "ready" {
		t.Fatalf("%q", got)
	}
	return p
}

// Stopping a command on a terminal closes the terminal: one that ignores HUP and waits for a key
// finds the end of its input, and has its grace to end by itself.
func TestStopClosesTheTerminal(t *testing.T) {
	p := onTerminal(t, `trap "" HUP; echo ready; read x; exit 7`)
	if left, err := p.Stop(t.Context(), patience); err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
	if r := result(t, p); r.How != Exited || r.Code != 7 {
		t.Errorf("%+v", r)
	}
	if _, err := p.Stdin.Write([]byte("x")); err == nil {
		t.Error("typing goes on")
	}
}

// A terminal takes keys without waiting, and says how many: all of a few, and not more than fit one
// that nobody reads.
func TestTerminalTries(t *testing.T) {
	if _, err := nonblock.New(os.Stdin); errors.Is(err, errors.ErrUnsupported) {
		t.Skip("not run: under the race detector nothing is tried")
	}
	p := onTerminal(t, `stty raw -echo; echo ready; sleep 1000`)
	terminal := p.Stdin.(mux.TryWriter)
	if n := terminal.TryWrite([]byte("keys")); n != 4 {
		t.Errorf("%d bytes of 4", n)
	}
	for total, most := 0, 1<<20; ; {
		n := terminal.TryWrite(make([]byte, 4096))
		if total += n; n == 0 {
			break
		}
		if total > most {
			t.Fatalf("nobody reads, and it took %d bytes", total)
		}
	}
}

// A pipe for much is wide: 262,144 bytes, in either direction.
func TestLoudPipesAreWide(t *testing.T) {
	p := start(t, Spec{Path: "/bin/cat", Args: []string{"cat"}})
	size := func(f *os.File) (n int) {
		conn, err := f.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		conn.Control(func(fd uintptr) { n, err = unix.FcntlInt(fd, unix.F_GETPIPE_SZ, 0) })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	in, out := p.Stdin.(input), p.Stdout.(*output)
	if size(in.File) >= 262_144 || size(out.f) >= 262_144 {
		t.Fatal("a pipe is wide from the beginning")
	}
	in.Loud()
	out.Loud()
	wide, err := unix.FcntlInt(uintptr(out.raw), unix.F_GETPIPE_SZ, 0)
	if size(in.File) != 262_144 || wide != 262_144 || err != nil {
		t.Errorf("%d and %d bytes, %v", size(in.File), wide, err)
	}
}
