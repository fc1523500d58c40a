//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"minissh/scripts/lifetime"
)

// Bounds that an attack may not pass.
const (
	maxRatio  = 2.0
	maxMemory = 256     // MiB
	maxLog    = 1 << 20 // bytes a minute
)

// spareDescriptors are those of helpers that the daemon keeps ready for the next one.
const spareDescriptors = 8

// amounts are how many keys an honest user types in a window, and how often it logs in.
func (o options) amounts() (keys, logins int) {
	if o.short {
		return 20, 2
	}
	return 40, 4
}

// outcome is what a trial has found.
type outcome struct {
	a               *attack
	quiet, harmed   samples // beside the busy loop, beside the attack
	failures        []string
	memory          int   // MiB
	log             int64 // bytes a minute of attack
	stopped         time.Duration
	stopErr         error
	left            string   // what is left of the attack, "" if nothing
	notes           []string // what the attacker saw
	attacked        time.Duration
	loggedMeanwhile int64
	notRun          error
}

// attackAll carries out attacks one by one and prints a line for each; errMissed if one has harmed.
func (w *world) attackAll(chosen []*attack) error {
	for _, name := range []string{"alice", "bob"} {
		if err := w.people[name].knows(w.hostKey.Public); err != nil {
			return err
		}
	}
	r := newReport(w)
	for _, a := range chosen {
		if w.ctx.Err() != nil {
			return fmt.Errorf("stopped before the end: %w", w.ctx.Err())
		}
		o, err := w.try(a)
		if err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		r.line(o)
	}
	return r.conclude()
}

// try is one attack on one host. The error is a fault of this program or of the machine.
func (w *world) try(a *attack) (*outcome, error) {
	o := &outcome{a: a}
	var not *notRun
	if err := w.rehearse(a); errors.As(err, &not) {
		o.notRun = err
		return o, nil
	} else if err != nil {
		return nil, err
	}
	h, err := w.startHost(a.conditions)
	if errors.As(err, &not) {
		o.notRun = err
		return o, nil
	}
	if err != nil {
		return nil, err
	}
	defer w.sweep()
	defer h.kill()
	users := []*honest{{person: w.people["alice"], h: h}, {person: w.people["bob"], h: h}}
	for _, u := range users {
		defer u.getUp()
	}
	_, failures := h.window(w.ctx, users) // everything is warm after it
	o.fail("before the attack", failures)
	before := h.descriptors()
	for range w.o.rounds {
		if err := o.pair(h, users); err != nil {
			return nil, err
		}
		o.leftovers(h, before)
	}
	o.end(h)
	return o, nil
}

// sweep ends what an attack has left, so that the next one begins with nothing.
func (w *world) sweep() {
	lifetime.Until(w.ctx, patience, func() bool {
		left := append(processesOf(w.people["mallory"].uid), processesOf(w.people["trudy"].uid)...)
		for _, pid := range left {
			unix.Kill(pid, unix.SIGKILL)
		}
		return len(left) == 0
	})
}

// pair is a window beside the busy loop, and one beside the attack.
func (o *outcome) pair(h *host, users []*honest) error {
	w := h.w
	if !h.ended() {
		spin, err := w.spawn(nil, nil, "spin")
		if err != nil {
			return err
		}
		quiet, failures := h.window(w.ctx, users)
		spin.stop()
		o.quiet.add(quiet)
		o.fail("beside the busy loop", failures)
	}
	logged, start := h.logged(), time.Now()
	attacker, err := w.attacker(o.a)
	if err != nil {
		return err
	}
	defer attacker.stop()
	harmed, failures := h.window(w.ctx, users)
	o.harmed.add(harmed)
	o.fail("", failures)
	o.attacked += time.Since(start)
	o.loggedMeanwhile += h.logged() - logged
	o.memory = max(o.memory, h.peakMemory())
	attacker.stop()
	o.notes = append(o.notes, attacker.notes...)
	return nil
}

func (o *outcome) fail(when string, failures []error) {
	for _, err := range failures {
		o.failures = append(o.failures, strings.TrimSpace(err.Error()+" "+when))
	}
}

// leftovers waits until the daemon holds no more than before, and no process of the attacker's
// lives.
func (o *outcome) leftovers(h *host, before int) {
	if h.ended() {
		o.left = "the daemon has ended"
		return
	}
	var processes []int
	now := 0
	if !lifetime.Until(h.w.ctx, patience, func() bool {
		processes = append(processesOf(h.w.people["mallory"].uid),
			processesOf(h.w.people["trudy"].uid)...)
		now = h.descriptors()
		return len(processes) == 0 && now <= before+spareDescriptors
	}) {
		o.left = fmt.Sprintf("%d processes, %d descriptors more", len(processes),
			max(0, now-before))
	}
}

// shortestLog is the minutes that a log is judged over at least. What the daemon counts instead of
// logging it has an allowance for each minute, which the first seconds of an attack may use up: a
// short trial is taken for a whole minute.
func (w *world) shortestLog() float64 {
	if w.o.short {
		return 1
	}
	return 0.5
}

// end attacks once more, and stops the daemon meanwhile.
func (o *outcome) end(h *host) {
	attacker, err := h.w.attacker(o.a)
	if err == nil {
		defer attacker.stop()
	}
	o.memory = max(o.memory, h.peakMemory())
	o.stopped, o.stopErr = h.stop()
	o.log = int64(float64(o.loggedMeanwhile) / max(o.attacked.Minutes(), h.w.shortestLog()))
}

// window is a while in which everybody does something of everything. After a failure it ends: the
// next operation would fail as well, and each takes all its patience.
func (h *host) window(ctx context.Context, users []*honest) (s samples, failures []error) {
	did := func(took float64, err error, to *[]float64) bool {
		if err != nil {
			failures = append(failures, err)
			return false
		}
		*to = append(*to, took)
		return true
	}
	keys, logins := h.w.o.amounts()
	for _, u := range users {
		if u.screen == nil {
			if err := u.sitDown(ctx); err != nil {
				return s, append(failures, err)
			}
		}
		for range keys {
			if took, err := u.key(ctx); !did(took, err, &s.keys) {
				return s, failures
			}
		}
		for range logins {
			if took, err := u.login(ctx); !did(took, err, &s.logins) {
				return s, failures
			}
		}
		if took, err := u.stream(ctx, h.w.o.stream); !did(took, err, &s.streams) {
			return s, failures
		}
	}
	if err := h.who(ctx); err != nil {
		failures = append(failures, err)
	}
	return s, failures
}

// spawned is a process of this program in another role, on the attacker's processor.
type spawned struct {
	cmd   *exec.Cmd
	stdin io.Closer
	ready chan struct{}
	done  chan struct{}
	notes []string // after done
	scene *scene   // nil: none
}

// rehearse finds out whether the scene can be prepared on this machine.
func (w *world) rehearse(a *attack) error {
	s := &scene{w: w}
	defer s.strike()
	return a.prepareOn(s)
}

// attacker prepares the scene, starts mallory's part, and waits until it says that the attack is
// on.
func (w *world) attacker(a *attack) (*spawned, error) {
	s := &scene{w: w}
	err := a.prepareOn(s)
	if err != nil {
		s.strike()
		return nil, err
	}
	p, err := w.spawn(w.people["mallory"], s.files, "attacker", a.name)
	if err != nil {
		s.strike()
		return nil, err
	}
	s.handedOver()
	p.scene = s
	select {
	case <-p.ready:
	case <-p.done:
		p.stop()
		return nil, fmt.Errorf("the attacker has ended: %s", strings.Join(p.notes, "; "))
	case <-time.After(patience): // it could not do all that it wanted
	}
	return p, nil
}

// spawn starts this program in a role, as somebody (nil: root), with more descriptors from 3 on.
func (w *world) spawn(as *person, files []*os.File, args ...string) (*spawned, error) {
	p := &spawned{ready: make(chan struct{}), done: make(chan struct{})}
	p.cmd = exec.Command(self, append([]string{roleFlag}, args...)...)
	p.cmd.Env, p.cmd.ExtraFiles, p.cmd.Dir = environment("/", "root"), files, "/"
	if as != nil {
		p.cmd.Env, p.cmd.SysProcAttr = environment(as.home, as.name), as.become()
	}
	if w.o.short {
		p.cmd.Env = append(p.cmd.Env, shortVariable+"=1")
	}
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if w.o.verbose {
		p.cmd.Stderr = os.Stderr
	}
	if err := onProcessor(w.processor, p.cmd.Start); err != nil {
		return nil, err
	}
	go p.listen(out)
	return p, nil
}

// onProcessor has a process that start starts inherit this processor and no other.
func onProcessor(cpu int, start func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var old, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &old); err != nil {
		return err
	}
	one.Set(cpu)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return err
	}
	return errors.Join(start(), unix.SchedSetaffinity(0, &old))
}

// listen reads what the process says: `ready` once, and notes.
func (p *spawned) listen(out io.Reader) {
	defer close(p.done)
	lines := bufio.NewScanner(out)
	told := false
	for lines.Scan() {
		switch note, isNote := strings.CutPrefix(lines.Text(), "note: "); {
		case isNote:
			p.notes = append(p.notes, note)
		case lines.Text() == "ready" && !told:
			told = true
			close(p.ready)
		}
	}
	p.cmd.Wait()
}

// stop asks it to end, and kills it when it does not. It may be called again.
func (p *spawned) stop() {
	p.stdin.Close()
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		p.cmd.Process.Kill()
		<-p.done
	}
	if p.scene != nil {
		p.scene.strike()
	}
}

// beSpin is the load that an attack is compared with.
func beSpin([]string) error {
	go untilStdinEnds(func() { os.Exit(0) })
	for turns := uint64(1); turns != 0; turns += 2 { // it is odd, also when it has wrapped
	}
	return nil
}
