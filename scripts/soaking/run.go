//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"minissh/scripts/lifetime"
)

// grace is how long jobs may go on, uncut, when a run's time is over.
const grace = 2 * time.Minute

// memoryMost is what the daemon may have in memory at the end, in MiB.
const memoryMost = 256

// run is a soak from its beginning to its end.
type run struct {
	o       options
	h       *host
	program string
	budget  *budget
	report  *report
	start   time.Time

	// what the daemon had at the end
	descriptors int
	memory      [2]int // MiB: then, and at most
}

// soak does a whole run, and reports whether all was well.
func soak(ctx context.Context, o options) (bool, error) {
	program, err := os.Executable()
	if err != nil {
		return false, err
	}
	h, err := newHost(ctx, o)
	if err != nil {
		return false, err
	}
	r := &run{o: o, h: h, program: program, budget: newBudget(o.cuts), start: time.Now()}
	r.report = newReport(r)
	r.warmUp(ctx)
	r.all(ctx)
	r.report.note(r.atEnd(ctx))
	r.report.note(h.stop())
	ok := r.report.conclude(ctx)
	if ok || !o.keep {
		h.remove()
	} else {
		fmt.Println("kept:", h.dir)
	}
	return ok, nil
}

// warmUp has the daemon open what it keeps open, and counts that.
func (r *run) warmUp(ctx context.Context) {
	j, err := newJob(ctx, r.h, r.program, r.o, newBudget(0), -1)
	if err != nil {
		r.report.note([]string{err.Error()})
		return
	}
	k := talk{starts: j.path("starts"), seed: j.seed, in: 1000, out: 1000, err: 1000, code: 7}
	j.work = work{"first", 1, "a command without a cut", func(j *job) { j.runTalk(k, j.level) }}
	j.do()
	r.report.done(j)
	lifetime.Until(ctx, endLimit, func() bool { return len(r.h.processes()) == 0 })
	r.h.before = r.h.descriptors()
}

// all carries out jobs until so many cuts are made, or the time is over.
func (r *run) all(ctx context.Context) {
	ctx, cancel := context.WithDeadline(ctx, r.start.Add(r.o.limit()+grace))
	defer cancel()
	over := time.AfterFunc(r.o.limit(), r.budget.end)
	defer over.Stop()
	numbers := make(chan int)
	var working sync.WaitGroup
	for range r.o.jobs {
		working.Go(func() {
			for n := range numbers {
				r.one(ctx, n)
			}
		})
	}
	for n := r.o.first; n < r.o.last; n++ {
		if ctx.Err() != nil || !r.budget.begin() {
			break
		}
		numbers <- n
	}
	close(numbers)
	working.Wait()
	r.report.progress(true)
}

func (r *run) one(ctx context.Context, n int) {
	j, err := newJob(ctx, r.h, r.program, r.o, r.budget, n)
	if err != nil {
		r.report.note([]string{err.Error()})
		r.budget.done(0)
		return
	}
	r.report.began()
	j.do()
	r.report.done(j)
	r.budget.done(j.unused())
}

// atEnd says what the daemon has not given back.
func (r *run) atEnd(ctx context.Context) (faults []string) {
	if ctx.Err() != nil {
		return nil
	}
	if !lifetime.Until(ctx, endLimit, func() bool { return len(r.h.processes()) == 0 }) {
		faults = append(faults, "processes are left:\n"+strings.Join(r.h.processes(), "\n"))
	}
	// One more than before is a connection of a moment ago.
	if !lifetime.Until(ctx, endLimit, func() bool { return r.h.descriptors() <= r.h.before+1 }) {
		faults = append(faults, fmt.Sprintf("the daemon has %d descriptors, and had %d",
			r.h.descriptors(), r.h.before))
	}
	if !lifetime.Until(ctx, endLimit, func() bool {
		now, _ := r.h.memory()
		return now <= memoryMost
	}) {
		now, _ := r.h.memory()
		faults = append(faults, fmt.Sprintf("the daemon has %d MiB in memory, at most %d are "+
			"allowed", now, memoryMost))
	}
	r.descriptors = r.h.descriptors()
	r.memory[0], r.memory[1] = r.h.memory()
	return faults
}
