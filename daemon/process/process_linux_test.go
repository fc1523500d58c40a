package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"minissh/protocol/testend"
)

func TestStreamsAndExitCode(t *testing.T) {
	p := shell(t, `cat; echo err >&2; exit 7`)
	go func() {
		p.Stdin.Write([]byte("in\xff\x00"))
		p.Stdin.Close()
	}()
	if got := rest(t, p.Stdout); got != "in\xff\x00" {
		t.Errorf("stdout %q", got)
	}
	if got := rest(t, p.Stderr); got != "err\n" {
		t.Errorf("stderr %q", got)
	}
	if r := result(t, p); r.How != Exited || r.Code != 7 || r.Signal != "" {
		t.Errorf("%+v", r)
	}
}

func TestHowItEnded(t *testing.T) {
	for _, c := range []struct {
		script string
		want   Result
	}{
		{"exit 0", Result{How: Exited}},
		{"exit 300", Result{How: Exited, Code: 44}},
		{"exit 255", Result{How: Exited, Code: 255}},
		{"kill -TERM $$", Result{How: Signalled, Signal: "TERM", Number: 15}},
		{"kill -KILL $$", Result{How: Signalled, Signal: "KILL", Number: 9}},
		{"kill -40 $$", Result{How: Signalled, Signal: "40", Number: 40}},
		{"ulimit -c 0; kill -QUIT $$", Result{How: Signalled, Signal: "QUIT", Number: 3}},
		{"kill -STOP $$; exit 5", Result{How: Exited, Code: 5}}, // stopping does not end it
	} {
		p := shell(t, "echo; "+c.script)
		lines(t, p.Stdout, 1)
		if strings.Contains(c.script, "STOP") {
			waitState(t, p.PID, 'T')
			select {
			case <-p.Done():
				t.Fatal("a stopped command counts as ended")
			default:
			}
			if err := p.Signal("CONT"); err != nil {
				t.Fatal(err)
			}
		}
		r := result(t, p)
		if r.How != c.want.How || r.Code != c.want.Code || r.Signal != c.want.Signal ||
			r.Number != c.want.Number || r.Core {
			t.Errorf("%s: %+v", c.script, r)
		}
	}
}

// waitState waits until a process is in a state: stopping gives no event.
func waitState(t *testing.T, pid int, state byte) {
	t.Helper()
	testend.Until(t, fmt.Sprintf("process %d is in state %c", pid, state), func() bool {
		s, err := readStat(pid)
		return err == nil && s.state == state
	})
}

func TestCoreIsTold(t *testing.T) {
	if r := outcome(3, 11); r.How != Signalled || r.Signal != "SEGV" || !r.Core {
		t.Errorf("%+v", r)
	}
	if r := outcome(5, 19); r.How != Unknown || r.Err == nil {
		t.Errorf("%+v", r)
	}
}

func TestUsage(t *testing.T) {
	// dd is a child of the leader: what the leader waited for counts.
	p := shell(t, `dd if=/dev/zero of=/dev/null bs=300M count=3 2>/dev/null; exit 0`)
	r := result(t, p)
	if r.User+r.System <= 0 || r.Duration < (r.User+r.System)/time.Duration(2*runtime.NumCPU()) {
		t.Errorf("%+v", r)
	}
	if r.MaxRSS < 300<<20 || r.MaxRSS > 400<<20 {
		t.Errorf("300 MiB touched, %d bytes told", r.MaxRSS)
	}
	// A small program must not be charged with the daemon's own memory.
	if r := result(t, shell(t, `exit 0`)); r.MaxRSS != 0 {
		t.Errorf("a small program told as %d bytes", r.MaxRSS)
	}
}

// TestDescriptors: the command has 0, 1, 2 and no other, all blocking; ours
// are close-on-exec and in the poller.
func TestDescriptors(t *testing.T) {
	other := shell(t, `read x`)
	p := start(t, Spec{Path: "/bin/cat", Args: []string{"cat"}})
	p.Stdin.Write([]byte("\n"))
	lines(t, p.Stdout, 1) // now it has loaded its libraries
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.PID))
	if err != nil {
		t.Fatal(err)
	}
	if len(names) != 3 {
		t.Errorf("the command has the descriptors %v", names)
	}
	for fd := range 3 {
		info, err := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", p.PID, fd))
		if err != nil {
			t.Fatal(err)
		}
		_, flags, _ := strings.Cut(string(info), "flags:\t")
		value, err := strconv.ParseInt(strings.Fields(flags)[0], 8, 64)
		if err != nil {
			t.Fatal(err)
		}
		if value&unix.O_NONBLOCK != 0 {
			t.Errorf("descriptor %d of the command does not block", fd)
		}
	}
	if s, err := readStat(p.PID); err != nil || s.session != p.PID || s.pgrp != p.PID {
		t.Errorf("%+v, %v", s, err)
	}
	// Half-close works although another command runs: nobody else holds our end.
	p.Stdin.Close()
	if r := result(t, p); r.Code != 0 {
		t.Errorf("%+v", r)
	}
	other.Stdin.Close()
}

// TestCloseInterrupts: a Read and a Write under way return when their end is
// closed, which only a descriptor in the poller does.
func TestCloseInterrupts(t *testing.T) {
	p := shell(t, `echo; exec sleep 1000`)
	lines(t, p.Stdout, 1)
	ended := make(chan error, 2)
	go func() {
		_, err := p.Stdin.Write(make([]byte, 1<<20)) // more than a pipe holds
		ended <- err
	}()
	go func() {
		_, err := p.Stdout.Read(make([]byte, 1))
		ended <- err
	}()
	p.Stdin.Close()
	p.Stdout.Close()
	for range 2 {
		select {
		case err := <-ended:
			if !errors.Is(err, fs.ErrClosed) {
				t.Errorf("%v", err)
			}
		case <-time.After(patience):
			t.Fatal("Close does not interrupt")
		}
	}
}

func TestStartErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "plain")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := openFiles(t)
	for _, c := range []struct {
		spec Spec
		op   string
		err  error
	}{
		{Spec{Path: dir + "/none", Args: []string{"x"}}, "exec", fs.ErrNotExist},
		{Spec{Path: file, Args: []string{"x"}}, "exec", fs.ErrPermission},
		{Spec{Path: "/bin/true", Args: []string{"x"}, Dir: dir + "/none"}, "chdir", fs.ErrNotExist},
		{Spec{Path: "/bin/true", Args: []string{"x"}, Dir: file}, "chdir", syscall.ENOTDIR},
		{Spec{Path: "/bin/true", Args: []string{"a\x00b"}}, "exec", syscall.EINVAL},
		{Spec{Path: "/bin/true", Args: []string{strings.Repeat("x", 4<<20)}}, "exec", syscall.E2BIG},
	} {
		c.spec.ReportDir = true
		_, err := Start(c.spec)
		var e *StartError
		if !errors.As(err, &e) || e.Op != c.op || !errors.Is(err, c.err) {
			t.Errorf("%s: %v", c.op, err)
		}
	}
	if after := openFiles(t); after != before {
		t.Errorf("failed starts leave descriptors: %d, then %d", before, after)
	}
}

// TestNothingLeaks: 200 commands, 16 at a time, leave no descriptor, goroutine
// or process.
func TestNothingLeaks(t *testing.T) {
	run := func() error {
		p, err := Start(Spec{Path: "/bin/sh", Args: []string{"sh", "-c", `cat; exit 3`},
			Env: os.Environ(), ReportDir: true, Dir: "/"})
		if err != nil {
			return err
		}
		defer p.Close()
		p.Stdin.Write([]byte("x"))
		p.Stdin.Close()
		out, _ := io.ReadAll(p.Stdout)
		io.Copy(io.Discard, p.Stderr)
		if r := p.Result(); r.Code != 3 || !bytes.Equal(out, []byte("x")) {
			return fmt.Errorf("%+v %q", r, out)
		}
		return nil
	}
	if err := run(); err != nil { // the poller and /dev/null, once
		t.Fatal(err)
	}
	files, goroutines := openFiles(t), runtime.NumGoroutine()
	errs := make(chan error)
	for range 16 {
		go func() {
			for range 200 / 16 {
				errs <- run()
			}
			errs <- run()
		}()
	}
	for range 16 * (200/16 + 1) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	testend.Until(t, fmt.Sprintf("at most %d goroutines and %d descriptors", goroutines, files),
		func() bool {
			return runtime.NumGoroutine() <= goroutines && openFiles(t) <= files
		})
	if kids := children(t); len(kids) != 0 {
		t.Errorf("children left: %v", kids)
	}
}

// children lists our own children, zombies included.
func children(t *testing.T) []procStat {
	t.Helper()
	names, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var kids []procStat
	for _, name := range names {
		if pid, err := strconv.Atoi(name.Name()); err == nil {
			if s, err := readStat(pid); err == nil && s.ppid == os.Getpid() {
				kids = append(kids, s)
			}
		}
	}
	return kids
}

// TestLeaderIsKept: from its end to Close the leader is a zombie, so that its number cannot be
// recycled; then it is gone, and nothing is signalled.
func TestLeaderIsKept(t *testing.T) {
	p := shell(t, `exit 4`)
	result(t, p)
	if s, err := readStat(p.PID); err != nil || s.state != 'Z' || s.ppid != os.Getpid() {
		t.Fatalf("%+v, %v", s, err)
	}
	if err := p.Signal("TERM"); !errors.Is(err, ErrFinished) {
		t.Errorf("signal to nobody: %v", err)
	}
	p.Close()
	p.Close()
	if slices.ContainsFunc(children(t), func(s procStat) bool { return s.pid == p.PID }) {
		t.Error("Close did not reap")
	}
	for _, name := range []string{"TERM", "KILL"} {
		if err := p.Signal(name); name == "TERM" && !errors.Is(err, ErrFinished) ||
			name == "KILL" && err != nil {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
	if left, err := p.Stop(t.Context(), time.Minute); left != nil || err != nil {
		t.Errorf("Stop after Close: %v, %v", left, err)
	}
	if r := p.Result(); r.Code != 4 {
		t.Errorf("%+v", r)
	}
}

// TestCloseWhileRunning: the leader is not stopped, and is reaped when it ends.
func TestCloseWhileRunning(t *testing.T) {
	p := shell(t, `echo; read x; exec sleep 0`)
	lines(t, p.Stdout, 1)
	p.Close() // read sees the end of its input
	result(t, p)
	if slices.ContainsFunc(children(t), func(s procStat) bool { return s.pid == p.PID }) {
		t.Error("not reaped")
	}
}

func TestSignalReachesTheGroup(t *testing.T) {
	p := shell(t, `sleep 1000 & sleep 1000 & echo; wait; exit 9`)
	lines(t, p.Stdout, 1)
	if err := p.Signal("TERM"); err != nil {
		t.Fatal(err)
	}
	if r := result(t, p); r.Signal != "TERM" {
		t.Errorf("%+v", r)
	}
	rest(t, p.Stdout)
}

func TestSignalNames(t *testing.T) {
	p := shell(t,
		`trap 'echo usr1' USR1; trap 'echo winch' WINCH; trap 'exit 6' INT; echo; while :; do read x || exit 1; done`)
	lines(t, p.Stdout, 1)
	for _, name := range []string{"SIGINT", "int", "SEGV", "", "9", "RTMIN"} {
		if err := p.Signal(name); !errors.Is(err, ErrUnknownSignal) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if !KnownSignal("QUIT") || KnownSignal("SEGV") {
		t.Error("QUIT is for people to send, and SEGV is not")
	}
	if err := p.Signal("INT"); err != nil {
		t.Fatal(err)
	}
	p.Stdin.Write([]byte("\n"))
	if r := result(t, p); r.Code != 6 {
		t.Errorf("%+v", r)
	}
}

// TestCredential needs root: the command runs as somebody else.
func TestCredential(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	p := start(t, Spec{Path: "/usr/bin/id", Args: []string{"id"}, Dir: "/",
		Credential: &Credential{UID: 65534, GID: 65533, Groups: []uint32{65532}}})
	out := rest(t, p.Stdout)
	for _, want := range []string{"uid=65534", "gid=65533", "65532"} {
		if !strings.Contains(out, want) || strings.Contains(out, "root") {
			t.Errorf("%q lacks %q", out, want)
		}
	}
}
