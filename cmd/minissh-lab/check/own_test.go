package check

import (
	"minissh/cmd/minissh-lab/check/cause"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// needsDaemon skips where minisshd cannot be run with a Unix socket.
func needsDaemon(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("not run: needs Unix sockets")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("not run: needs go, to build minisshd")
	}
	if interpreter() == "" {
		t.Skip("not run: needs python3")
	}
}

// builtDaemon is a minisshd of this tree, "" if it cannot be built; TestMain removes it.
var builtDaemon = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "minissh-lab-test-")
	if err != nil {
		return ""
	}
	path := filepath.Join(dir, "minisshd")
	if exec.Command("go", "build", "-o", path, "minissh/cmd/minisshd").Run() != nil {
		return ""
	}
	daemonDir = dir
	return path
})

// daemonDir is where builtDaemon has put it.
var daemonDir string

// runOwn checks a client of the project's own protocol.
func runOwn(t *testing.T, only string, program ...string) (Summary, map[string]*Failure) {
	t.Helper()
	failures := map[string]*Failure{}
	o := Options{Program: append([]string{interpreter(), "-B"}, program...), Limit: time.Second,
		Only: only}
	if only == "" {
		o.Limit = 10 * time.Second
	}
	if o.daemon = builtDaemon(); o.daemon == "" {
		t.Fatal("minisshd cannot be built")
	}
	o.Report = func(r Result) {
		if f := r.Failed(); f != nil {
			failures[r.Case.Name] = f
		}
	}
	sum, err := Run(t.Context(), Find("own"), Client, o)
	if err != nil {
		t.Fatal(err)
	}
	return sum, failures
}

func TestOwnProtocolAgainstARealDaemon(t *testing.T) {
	t.Parallel()
	needsDaemon(t)
	for _, program := range [][]string{{"testdata/own_client.py"},
		{"../../../scripts/minissh.py", "{address}", "{command}"}} {
		t.Run(filepath.Base(program[0]), func(t *testing.T) {
			t.Parallel()
			sum, failures := runOwn(t, "", program...)
			for name, f := range failures {
				t.Errorf("%s: want %s; got %s; said %s", name, f.Want.En, f.Got.En, f.Said)
			}
			if sum.Passed != 5 {
				t.Errorf("%+v", sum)
			}
		})
	}
}

func TestOwnClientsWithBugs(t *testing.T) {
	t.Parallel()
	needsDaemon(t)
	for _, c := range []struct {
		onCase, good, bad string
		belief            *Belief
	}{
		{"window", "        send(WINDOW, 1, struct.pack('>Q', 262144 + received))", "        pass", cause.WindowGrows},
		{"status", "sys.exit(code)", "sys.exit(0)", cause.ClosedIsSuccess},
		{"chaos", "recv_exact(12))", "link.recv(12))", cause.ShortRecv},
	} {
		t.Run(c.onCase, func(t *testing.T) {
			t.Parallel()
			_, failures := runOwn(t, c.onCase, spoil(t, "own_client.py", c.good, c.bad))
			if f := failures[c.onCase]; f == nil || f.Belief != c.belief {
				t.Errorf("failures %v", failures)
			}
		})
	}
}
