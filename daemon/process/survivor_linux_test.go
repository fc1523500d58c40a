package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestLookTwice: one look that finds nobody is not a proof, and the count begins
// anew when somebody turns up.
func TestLookTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		somebody, nobody := []Survivor{{PID: 7}}, []Survivor(nil)
		looks := [][]Survivor{somebody, nobody, somebody, somebody, nobody, nobody, somebody}
		n := 0
		left, err := twiceEmpty(t.Context(), func() ([]Survivor, error) {
			n++
			return looks[n-1],
				nil
		})
		if left != nil || err != nil || n != 6 {
			t.Errorf("after %d looks: %v, %v", n, left, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		n = 0
		left, err = twiceEmpty(ctx, func() ([]Survivor, error) { n++; return somebody, nil })
		if !slices.Equal(left, somebody) || !errors.Is(err, context.DeadlineExceeded) || n < 10 ||
			n > 100 {
			t.Errorf("after %d looks: %v, %v", n, left, err)
		}
	})
}

// TestForeign: a number that a look took for a member and that belongs to
// somebody else by now is not signalled.
func TestForeign(t *testing.T) {
	p, other := shell(t, `read x`), shell(t, `read x; echo alive`)
	if err := p.signalMember(other.PID, syscall.SIGKILL); err != syscall.ESRCH {
		t.Errorf("%v", err)
	}
	other.Stdin.Close()
	if out := rest(t, other.Stdout); out != "alive\n" {
		t.Errorf("killed a stranger: %q", out)
	}
}

// TestHopping: a process that forks and ends, over and over, is nowhere long
// enough to be looked at; the group is killed in one stroke all the same.
func TestHopping(t *testing.T) {
	const hop = `[ $1 = 590 ] && echo; if [ $1 -gt 0 ]; then sh -c "$0" "$0" $(($1 - 1)) & else echo end; fi`
	p := start(t, Spec{Path: "/bin/sh", Args: []string{"sh", "-c", hop, hop, "600"},
		Env: os.Environ()})
	lines(t, p.Stdout, 1)
	stop(t, p, 0)
	if out := rest(t, p.Stdout); out != "" {
		t.Errorf("it went on: %q", out)
	}
}

// playStopper is a daemon that cannot stop everything: it starts its arguments, waits for a line,
// kills, and says what Kill said.
func playStopper() {
	p, err := Start(Spec{Path: os.Args[1], Args: os.Args[1:],
		Env: []string{"PATH=/usr/bin:/bin", "PROCESS_TEST_ROLE=root"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	p.Stdout.Read(make([]byte, 100))
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	left, err := p.Kill(ctx)
	fmt.Printf("%v %v\n", errors.Is(err, ErrSurvivors), err)
	for _, s := range left {
		fmt.Println("left", s)
	}
	select {
	case <-p.Done():
		fmt.Println("leader", p.Result().Signal)
	case <-time.After(patience):
	}
}

// TestSurvivorOfAnotherUser: what the daemon may not signal is named.
func TestSurvivorOfAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"weak": 0o755, "strong": 0o755 | os.ModeSetuid} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, self, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
	}
	p := start(t,
		Spec{Path: dir + "/weak", Args: []string{"weak", "/bin/sh", "-c", `"$0"; :`,
			dir + "/strong"}, Dir: "/",
			Env: []string{"PROCESS_TEST_ROLE=stopper"}, Credential: &Credential{
				UID: 65534, GID: 65534}})
	out := rest(t, p.Stdout)
	if !strings.HasPrefix(out, "true not everything") || !strings.Contains(out, `"strong"`) ||
		strings.Count(out, "left ") != 1 || !strings.HasSuffix(out, "leader KILL\n") {
		t.Errorf("%q %q", out, rest(t, p.Stderr))
	}
}

// TestWithoutProc: where /proc does not show what is known to be there, nothing
// is claimed to be dead; the group is killed all the same.
func TestWithoutProc(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("unshare", "-m", "/bin/sh", "-c",
		`mount -t tmpfs none /proc && exec "$0" /bin/sh -c 'echo; sleep 1000; :'`, self)
	cmd.Env = append(os.Environ(), "PROCESS_TEST_ROLE=stopper")
	out, err := cmd.Output() // the race detector complains on the other stream
	var exit *exec.ExitError
	if errors.As(err, &exit) && !strings.Contains(string(out), "not everything") {
		t.Skipf("not run: no mount namespace here: %s", exit.Stderr)
	}
	if err != nil || !strings.HasPrefix(string(out), "true not everything") ||
		!strings.Contains(string(out), "/proc does not show") ||
		!strings.HasSuffix(string(out), "leader KILL\n") {
		t.Errorf("%v: %s", err, out)
	}
}
