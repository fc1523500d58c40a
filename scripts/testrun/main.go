package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"minissh/scripts/lifetime"
)

// wholeRun bounds everything; a step that hangs ends with it. With programs, a run is to take less
// than 40 minutes on two processors: the rest is for a machine that has nothing compiled, or starts
// processes slowly.
const wholeRun = 75 * time.Minute

// runner carries out the steps, one at a time, and keeps what the end has to tell.
type runner struct {
	out    io.Writer
	tests  *tally
	broken int               // steps that failed for another reason than a test
	notRun map[string]string // steps that could not be run here, with the reason
}

// step is one check of the tree.
type step struct {
	name string
	run  func(context.Context) outcome
}

// outcome of a step.
type outcome struct {
	note    string   // one or a few words after the time
	details []string // shown when it failed
	failed  bool
	counted bool   // its failures are in the tally
	notRun  string // it could not be run here: why
}

// failed makes the outcome of a step that found something.
func failed(format string, args ...any) outcome {
	return outcome{failed: true, details: clip([]string{fmt.Sprintf(format, args...)}, 2*maxOutput)}
}

func main() {
	flags := flag.NewFlagSet("scripts/test", flag.ContinueOnError)
	programs := flags.Bool("programs", false,
		"install the real programs that tests drive (Debian packages), then run everything: also "+
			"staticcheck, govulncheck, the race detector and short fuzzing")
	if err := flags.Parse(os.Args[1:]); errors.Is(err, flag.ErrHelp) {
		return
	} else if err != nil {
		os.Exit(2)
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "test: %q is not understood; for one package: go test ./%s/...\n",
			flags.Arg(0), flags.Arg(0))
		os.Exit(2)
	}
	ctx, stop := lifetime.Context(wholeRun)
	defer stop()
	r := &runner{out: os.Stdout, tests: newTally(*programs), notRun: map[string]string{}}
	r.runAll(ctx, r.steps(*programs))
	if err := context.Cause(ctx); err != nil {
		fmt.Fprintln(r.out, "test: stopped before the end:", err)
		r.broken++
	}
	if !r.conclude() {
		stop()
		os.Exit(1)
	}
}

// runAll runs the steps in turn, also after one has failed, and prints a line for each.
func (r *runner) runAll(ctx context.Context, steps []step) {
	for _, s := range steps {
		if ctx.Err() != nil {
			return
		}
		start := time.Now()
		o := s.run(ctx)
		word := "ok"
		switch {
		case o.failed:
			word = "FAIL"
			if !o.counted {
				r.broken++
			}
		case o.notRun != "":
			word = "-"
			r.notRun[s.name] = o.notRun
		}
		line := fmt.Sprintf("%-4s  %-36s %6.1fs  %s", word, s.name, time.Since(start).Seconds(),
			o.note)
		fmt.Fprintln(r.out, strings.TrimRight(line, " "))
		if o.failed {
			for _, d := range o.details {
				fmt.Fprintln(r.out, "      "+strings.TrimRight(d, "\n"))
			}
		}
	}
}

// conclude lists what was not run and prints the closing line; it reports whether nothing failed.
func (r *runner) conclude() bool {
	byReason := map[string][]string{}
	for t, reason := range r.tests.notRun() {
		reason = strings.TrimPrefix(reason, "not run: ")
		byReason[reason] = append(byReason[reason], t.String())
	}
	for name, reason := range r.notRun {
		byReason[reason] = append(byReason[reason], name)
	}
	if len(byReason) > 0 {
		fmt.Fprintln(r.out, "\nNot run here, and why")
	}
	for _, reason := range slices.Sorted(maps.Keys(byReason)) {
		fmt.Fprintf(r.out, "  %s:\n", reason)
		for _, name := range slices.Sorted(slices.Values(byReason[reason])) {
			fmt.Fprintf(r.out, "      %s\n", name)
		}
	}
	passed, failed, skipped := r.tests.counts()
	fmt.Fprintf(r.out, "\n%d passed, %d failed, %d skipped\n", passed, failed+r.broken, skipped)
	return failed+r.broken == 0
}
