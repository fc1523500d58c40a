package process

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// long is a grace that no test waits out: what ends sooner obeyed.
const long = 10 * patience

// TestStopHangsUp: a whole tree goes by HUP alone.
func TestStopHangsUp(t *testing.T) {
	p := shell(t, `sleep 1000 & (sleep 1000; :) & sh -c 'sleep 1000 & echo; wait'; :`)
	lines(t, p.Stdout, 1)
	stop(t, p, long)
	if r := result(t, p); r.Signal != "HUP" {
		t.Errorf("%+v", r)
	}
	rest(t, p.Stdout)
}

// TestStopWakesTheStopped: a stopped process acts on HUP only once continued.
func TestStopWakesTheStopped(t *testing.T) {
	p := shell(t, `kill -STOP $$; echo no`)
	waitState(t, p.PID, 'T')
	stop(t, p, long)
	if r := result(t, p); r.Signal != "HUP" {
		t.Errorf("%+v", r)
	}
	rest(t, p.Stdout)
}

// TestStopClosesInput: a command that ignores signals may end at the end of
// its input.
func TestStopClosesInput(t *testing.T) {
	p := shell(t, `trap '' HUP; echo; cat; exit 12`)
	lines(t, p.Stdout, 1)
	stop(t, p, long)
	if r := result(t, p); r.Code != 12 {
		t.Errorf("%+v", r)
	}
}

// TestStopReachesOtherGroups: timeout(1) makes a group of its own, and what it
// runs gets its chance to clean up.
func TestStopReachesOtherGroups(t *testing.T) {
	p := shell(t,
		`timeout 1000 sh -c 'trap "echo cleaned; exit" HUP; echo ready; while :; do sleep 0.01; done'`)
	lines(t, p.Stdout, 1)
	stop(t, p, long)
	// Perhaps twice: timeout hands on the HUP that it gets.
	if got := rest(t, p.Stdout); !strings.HasPrefix(got, "cleaned\n") {
		t.Errorf("%q", got)
	}
}

// TestStopKills: ignoring HUP, nohup, stopped again by their own will, in
// groups of their own and grandchildren, all of them are dead after the grace.
func TestStopKills(t *testing.T) {
	p := shell(t, `
		trap '' HUP
		sleep 1000 &
		nohup sleep 1000 2>/dev/null &
		(sh -c 'kill -STOP $$'; sleep 1000) &
		(sh -c 'trap "" HUP; (sleep 1000; :) & wait'; :) &
		timeout 1000 sh -c 'trap "" HUP; sleep 1000' &
		timeout 1000 sh -c 'kill -STOP $$' &
		echo; wait`)
	lines(t, p.Stdout, 1)
	stop(t, p, time.Millisecond)
	if r := result(t, p); r.Signal != "KILL" {
		t.Errorf("%+v", r)
	}
	rest(t, p.Stdout)
	if alive, err := p.members(nil); err != nil || len(alive) != 0 {
		t.Errorf("%v, %v", alive, err)
	}
}

// TestStopForks: a command that keeps forking, into groups of their own too,
// does not outrun its end.
func TestStopForks(t *testing.T) {
	p := shell(t, `
		trap '' HUP
		i=0
		while [ $i -lt 400 ]; do
			sh -c 'sleep 1000 & wait' &
			[ $((i % 8)) = 0 ] && timeout 1000 sh -c 'sleep 1000 & sleep 1000 & wait' &
			[ $i = 40 ] && echo
			i=$((i + 1))
		done; wait`)
	lines(t, p.Stdout, 1)
	stop(t, p, 0)
	rest(t, p.Stdout)
}

// TestStopEscapee: a child that called setsid has left the session and lives
// on, as the package says.
func TestStopEscapee(t *testing.T) {
	p := shell(t, `setsid sleep 1000 >/dev/null 2>&1 & echo $!; exec sleep 1000`)
	escaped := number(t, lines(t, p.Stdout, 1)[0])
	defer gone(t, escaped)
	defer syscall.Kill(escaped, syscall.SIGKILL)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for { // setsid(1) gives no event
		s, err := readStat(escaped)
		if err != nil || ctx.Err() != nil {
			t.Fatal("the escapee does not escape", err)
		}
		if s.session == escaped {
			break
		}
	}
	stop(t, p, long)
	rest(t, p.Stdout)
	if s, err := readStat(escaped); err != nil || !s.alive() {
		t.Errorf("the escapee is dead: %+v, %v", s, err)
	}
}

// TestBackgroundLivesOn: after a normal exit, background children go on, until
// asked to stop; the leader's number still serves.
func TestBackgroundLivesOn(t *testing.T) {
	p := shell(t, `trap '' HUP; sleep 1000 & echo $!; exit 0`)
	background := number(t, lines(t, p.Stdout, 1)[0])
	if r := result(t, p); r.How != Exited || r.Code != 0 {
		t.Fatalf("%+v", r)
	}
	if s, err := readStat(background); err != nil || !s.alive() {
		t.Fatalf("a background child ended with its parent: %+v, %v", s, err)
	}
	if err := p.Signal("WINCH"); err != nil {
		t.Errorf("a group with a living member: %v", err)
	}
	stop(t, p, time.Millisecond)
	rest(t, p.Stdout)
	if r := p.Result(); r.How != Exited || r.Code != 0 {
		t.Errorf("stopping its children changed how it ended: %+v", r)
	}
}

// TestBackgroundOutlivesClose: Close gives up the number and stops nobody.
func TestBackgroundOutlivesClose(t *testing.T) {
	p := shell(t, `nohup sleep 1000 >/dev/null 2>&1 & echo $!`)
	background := number(t, lines(t, p.Stdout, 1)[0])
	defer gone(t, background)
	defer syscall.Kill(background, syscall.SIGKILL)
	result(t, p)
	p.Close()
	stop(t, p, 0)
	if s, err := readStat(background); err != nil || !s.alive() {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestKillIsConfirmed: when Signal("KILL") returns, members outside the group
// are dead as well.
func TestKillIsConfirmed(t *testing.T) {
	p := shell(t, `timeout 1000 sh -c 'trap "" TERM; echo $$; sleep 1000; :'; :`)
	inner := number(t, lines(t, p.Stdout, 1)[0])
	if err := p.Signal("KILL"); err != nil {
		t.Fatal(err)
	}
	if s, err := readStat(inner); err == nil && s.alive() {
		t.Errorf("%+v", s)
	}
	select {
	case <-p.Done():
	default:
		t.Error("returned before the end was known")
	}
	rest(t, p.Stdout)
}

// TestHeadless: a process of which only the main thread has ended looks like a zombie in /proc, but
// is alive.
func TestHeadless(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := shell(t, `trap '' HUP; PROCESS_TEST_ROLE=headless "$1" & echo $!; exit 0`, self)
	out := lines(t, p.Stdout, 2) // its number, and "ready"
	pid := out[0]
	if pid == "ready" {
		pid = out[1]
	}
	result(t, p)
	waitState(t, number(t, pid), 'Z')
	if alive, err := p.members(nil); err != nil || len(alive) != 1 {
		t.Fatalf("alive: %v, %v", alive, err)
	}
	stop(t, p, time.Millisecond)
	rest(t, p.Stdout)
}

// TestSurvivorIsNamed: what may not be signalled is reported, not hidden. root cannot play a daemon
// that is not root here; instead the context ends before anything can be dead.
func TestSurvivorIsNamed(t *testing.T) {
	p := shell(t, `exec 2>&-; cp "$(command -v sleep)" "$1" && exec "$1" 1000`,
		t.TempDir()+"/a) (b\n")
	p.Stdin.Close()
	waitComm(t, p.PID, "a) (b\n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	// A frozen clock of a process: stopped ones stay until KILL has run.
	left, err := twiceEmpty(ctx, func() ([]Survivor, error) { return p.sweep(false) })
	if err == nil || len(left) != 1 || left[0].PID != p.PID || left[0].Comm != "a) (b\n" {
		t.Fatalf("%q, %v", left, err)
	}
	if s := survivors(left, err); !errors.Is(s, ErrSurvivors) ||
		!strings.Contains(s.Error(), `"a) (b\n"`) || strings.Contains(left[0].String(), "\n") {
		t.Errorf("%v", s)
	}
	stop(t, p, 0)
}

func waitComm(t *testing.T, pid int, comm string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		if s, err := readStat(pid); err == nil && s.comm == comm {
			return
		}
		if ctx.Err() != nil {
			t.Fatal("no such name")
		}
	}
}

// TestStopWithoutTime: the end of the context cuts the grace short, and KILL
// is still sent.
func TestStopWithoutTime(t *testing.T) {
	p := shell(t, `trap '' HUP; echo; sleep 1000; :`)
	lines(t, p.Stdout, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if left, err := p.Stop(ctx, long); len(left) > 0 != errors.Is(err, ErrSurvivors) {
		t.Errorf("%v, %v", left, err)
	}
	rest(t, p.Stdout)
	if r := result(t, p); r.Signal != "KILL" {
		t.Errorf("%+v", r)
	}
}

// TestStopTwice: a second, shorter Stop does not wait for the first.
func TestStopTwice(t *testing.T) {
	p := shell(t,
		`trap 'echo hup; exec sleep 1000' HUP; (trap '' HUP; exec sleep 1000) & echo; wait`)
	lines(t, p.Stdout, 1)
	first := make(chan error, 1)
	go func() {
		_, err := p.Stop(t.Context(), long)
		first <- err
	}()
	lines(t, p.Stdout, 1)
	stop(t, p, 0)
	select {
	case err := <-first:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("the first Stop goes on")
	}
}

// A helper that has answered, and that its account's other processes have stopped, is not kept.
func TestRetire(t *testing.T) {
	for _, script := range []string{"echo; kill -STOP $$", "echo"} {
		p := shell(t, script)
		lines(t, p.Stdout, 1)
		p.Retire()
		result(t, p)
	}
}
