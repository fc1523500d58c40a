//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"minissh/scripts/wire"
)

// jobLimit bounds one job: what takes longer hangs. A quiet link that falls silent costs 45 s.
const jobLimit = 6 * time.Minute

// cutsMost is how many cuts one job has at most.
const cutsMost = 6

// job is one piece of work over links that are cut.
type job struct {
	ctx     context.Context
	h       *host
	program string // of the other side
	n       int
	work    work
	seed    uint64
	random  *rand.Rand
	wires   [2]relay // the second for a second session
	dir     string
	level   string // -q, or -v: then what minissh says is kept, and standard error not judged
	took    time.Duration
	faults  []string
	lost    bool // its login was cut, and it said so

	mu   sync.Mutex // guards said
	said strings.Builder
}

// newJob is job n of a run.
func newJob(ctx context.Context, h *host, program string, o options, b *budget, n int) (*job,
	error) {
	j := &job{ctx: ctx, h: h, program: program, n: n, dir: h.path(fmt.Sprint("job", n)),
		level: "-q", random: rand.New(rand.NewPCG(o.seed, uint64(n)))}
	if o.verbose {
		j.level = "-v"
	}
	j.work, j.seed = choose(j.random, o.only), j.random.Uint64()>>1
	left := 1 + j.random.IntN(cutsMost)
	for i := range j.wires {
		f := newFates(rand.New(rand.NewPCG(o.seed, uint64(n)|uint64(i+1)<<32)), b, left)
		r, err := wire.Listen(h.address, f.next)
		if err != nil {
			return nil, err
		}
		f.past = r.Past
		j.wires[i] = relay{r, f}
	}
	const host = "Host %s\n\tHostName 127.0.0.1\n\tHostKeyAlias box\n\tPort %s\n"
	return j, errors.Join(os.Mkdir(j.dir, 0o700), os.WriteFile(j.path("config"),
		fmt.Appendf(nil, host+host, "box", j.wires[0].Port(), "other", j.wires[1].Port()), 0o600))
}

// relay is one way to the daemon.
type relay struct {
	*wire.Relay
	fates *fates
}

// do carries the job out, and removes what it made if all was well.
func (j *job) do() {
	start := time.Now()
	whole := j.ctx
	ctx, cancel := context.WithTimeout(whole, jobLimit)
	defer cancel()
	j.ctx = ctx
	j.work.run(j)
	if errors.Is(whole.Err(), context.Canceled) {
		j.faults = nil // the run was stopped: nothing is known of it
	}
	j.took = time.Since(start)
	for _, r := range j.wires {
		r.Close()
	}
	if len(j.faults) == 0 {
		os.RemoveAll(j.dir)
	}
}

// unused is how many of the cuts that it took its links did not live to see.
func (j *job) unused() (n int) {
	for _, r := range j.wires {
		r.fates.mu.Lock()
		n += max(0, r.fates.taken+r.fates.lost-len(r.Past()))
		r.fates.mu.Unlock()
	}
	return n
}

func (j *job) path(name string) string { return filepath.Join(j.dir, name) }

func (j *job) fault(format string, args ...any) {
	j.faults = append(j.faults, fmt.Sprintf(format, args...))
}

// client prepares minissh with options, and then words. What it says is kept.
func (j *job) client(words ...string) *exec.Cmd {
	cmd := exec.CommandContext(j.ctx, filepath.Join(j.h.bin, "minissh"), words...)
	cmd.Env, cmd.Dir = j.h.environment(), j.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGABRT) } // it shows where it is
	cmd.WaitDelay = 10 * time.Second
	cmd.Stderr = &said{j}
	return cmd
}

// config is the option that makes the client know the daemon as box, and as other through the
// second relay.
func (j *job) config() string { return "-F" + j.path("config") }

// said keeps what a client says on standard error.
type said struct{ j *job }

func (s *said) Write(p []byte) (int, error) {
	s.j.mu.Lock()
	defer s.j.mu.Unlock()
	if s.j.said.Len() < 16<<10 {
		s.j.said.Write(p)
	}
	return len(p), nil
}

func (j *job) text() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.said.String()
}

// finish runs a client and judges its exit code. It is false if the client failed to log in over a
// first link that was cut meanwhile: then there is nothing else to judge.
func (j *job) finish(cmd *exec.Cmd, code int) bool {
	err := cmd.Run()
	var exit *exec.ExitError
	switch got := cmd.ProcessState.ExitCode(); {
	case j.ctx.Err() != nil:
		j.fault("it did not end within its time (%v)", err)
	case err != nil && !errors.As(err, &exit):
		j.fault("%v", err)
	case got == 255 && code != 255 && j.loginCut():
		j.lost = true
		return false
	case got != code:
		j.fault("exit code %d instead of %d", got, code)
	}
	return true
}

// loginCut says whether a first link was cut before the client can have known that it was in.
func (j *job) loginCut() bool {
	return slices.ContainsFunc(j.wires[:], func(r relay) bool {
		past := r.Past()
		return len(past) > 0 && past[0].N == 0 && past[0].Down < loginBytes
	})
}

// once judges what a command has left in its file: it started once, and ended as it was to. A
// command whose login was cut may not have started.
func (j *job) once(file, ended string) {
	text, err := os.ReadFile(j.path(file))
	starts := strings.Count(string(text), started)
	switch {
	case j.lost && starts <= 1:
	case err != nil:
		j.fault("the command has not started: %v", err)
	case string(text) != started+ended:
		j.fault("%d starts of one command: %q", starts, text)
	}
}

// outputs are the checkers of a client's two outputs.
type outputs struct{ out, err *checker }

// feed gives a prepared client its streams: those of a talk.
func (j *job) feed(cmd *exec.Cmd, k talk) outputs {
	o := outputs{newChecker(k.seed, streamOut, k.out), newChecker(k.seed, streamErr, k.err)}
	cmd.Stdin = struct{ io.Reader }{newPaced(k.seed, streamIn, k.in, k.over)}
	cmd.Stdout = o.out
	if k.err > 0 && j.level == "-q" {
		cmd.Stderr = o.err
	}
	return o
}

// judge compares the outputs with what the talk gave.
func (j *job) judge(o outputs, k talk) {
	if wrong := o.out.whole(k.seed, streamOut); wrong != "" {
		j.fault("standard output %s", wrong)
	}
	if wrong := o.err.whole(k.seed, streamErr); wrong != "" && j.level == "-q" {
		j.fault("standard error %s", wrong)
	}
}
