package check

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"minissh/cmd/minissh-lab/check/cause"
)

// script writes a program of a test's own.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program.py")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// The learner's program is ended together with what it started, also with what
// outlives it.
func TestChildrenEndWithTheProgram(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("not run: needs signal 0")
	}
	t.Parallel()
	dir := t.TempDir()
	note := filepath.Join(dir, "pid")
	path := script(t, `import socket, subprocess, sys
child = subprocess.Popen([sys.executable, '-S', '-c', 'import signal, time; signal.signal(signal.SIGHUP, signal.SIG_IGN); time.sleep(600)'])
open(`+strconv.Quote(note)+`, 'w').write(str(child.pid))
host, _, port = sys.argv[1].rpartition(':')
phone = socket.create_connection((host, int(port)))
`)
	_, failures := checked(t, "6", Client, path, Options{Limit: time.Second})
	if len(failures) == 0 {
		t.Error("a program that ends at once passed")
	}
	text, err := os.ReadFile(note)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		t.Fatal(err)
	}
	// An orphan that has ended may wait for whoever reaps it: a zombie is dead.
	if p, _ := os.FindProcess(pid); p.Signal(syscall.Signal(0)) == nil && !zombie(pid) {
		t.Errorf("the child %d lives", pid)
	}
}

func zombie(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

// A program that prints for ever is bounded, in memory and in what is shown of it.
func TestEndlessOutputIsBounded(t *testing.T) {
	t.Parallel()
	path := script(t, `import socket, sys
host, _, port = sys.argv[1].rpartition(':')
phone = socket.create_connection((host, int(port)))
while True:
    print('\x1b[31m' + 'x' * 60000)
`)
	_, failures := checked(t, "6", Client, path, Options{Limit: time.Second})
	f := failures["typed"]
	if f == nil || len(f.Got.En) > 1000 || strings.ContainsRune(f.Got.En+f.Said, '\x1b') {
		t.Errorf("failures %v", failures)
	}
}

func TestStreamKeepsItsBound(t *testing.T) {
	s := newStream()
	s.fill(strings.NewReader(strings.Repeat("x", 3*maxOutput)))
	if s.size() != maxOutput || !s.closed() {
		t.Errorf("kept %d bytes, closed %v", s.size(), s.closed())
	}
}

// Nobody else's server is checked by mistake.
func TestBusyAddressIsTrouble(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	addr := l.Addr().String()
	for side, want := range map[Side]string{Server: "in use", Client: "in use"} {
		_, err := Run(t.Context(), Find("6"), side,
			Options{Program: python(t, "testdata/echo_server.py", addr), Network: "tcp",
				Address: addr})
		if trouble, ok := err.(*Trouble); !ok || !strings.Contains(trouble.Text.En, want) ||
			trouble.Hint == "" {
			t.Errorf("side %d: %v", side, err)
		}
	}
}

func TestServerThatRunsAlready(t *testing.T) {
	t.Parallel()
	addr := free(t, "tcp")
	prog, err := startProgram(python(t, "testdata/echo_server.py", addr), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer prog.end()
	a := &attack{ctx: t.Context(), prog: prog, check: Find("7"),
		o: Options{Network: "tcp", Address: addr, Limit: time.Second, Start: 20 * time.Second}}
	conn, err := a.dial() // polls: a foreign process gives no event
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	sum, err := Run(t.Context(), Find("8"), Server,
		Options{Connect: true, Network: "tcp", Address: addr, Limit: 10 * time.Second})
	if err != nil || sum.Passed != 2 || sum.Skipped != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
}

// A client in C or Perl prints into a buffer: its answers are right, and come out at the end.
func TestAnswersThatAreNotFlushedAreNamed(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not run: needs Linux, which tells what a program waits for")
	}
	perl, err := exec.LookPath("perl")
	if err != nil {
		t.Skip("not run: needs perl")
	}
	t.Parallel()
	o := Options{Network: "tcp", Address: free(t, "tcp"), Limit: time.Second, Only: "silent"}
	o.Program = []string{perl, "-MIO::Socket::INET", "-e", `
$s = IO::Socket::INET->new(PeerAddr => shift) or die;
sub need {
	my ($n, $d) = (shift, '');
	sysread $s, $d, $n - length $d, length $d or exit 1 while length $d < $n;
	return $d;
}
while (<STDIN>) { chomp; syswrite $s, $_; print need(unpack 'l<', need(4)), "\n" }`, o.Address}
	var f *Failure
	o.Report = func(r Result) { f = r.Failed() }
	if _, err := Run(t.Context(), Find("15a"), Client, o); err != nil {
		t.Fatal(err)
	}
	if f == nil || !f.Proven || f.Belief != cause.Unflushed {
		t.Errorf("%+v, want it named as not flushed", f)
	}
}
