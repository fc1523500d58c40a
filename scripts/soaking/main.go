//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"time"

	"minissh/scripts/lifetime"
)

// options are what the command line chose.
type options struct {
	cuts, minutes, jobs int
	seed                uint64
	job                 int
	only                string
	bin                 string
	race, keep, verbose bool

	first, last int // numbers of jobs
}

func parseOptions(args []string) (options, error) {
	o := options{seed: rand.Uint64N(1e6)}
	f := flag.NewFlagSet("scripts/soak", flag.ContinueOnError)
	f.IntVar(&o.cuts, "cuts", 300, "end after so many cuts")
	f.IntVar(&o.minutes, "minutes", 10, "end after so many minutes, if there are cuts left then")
	f.Uint64Var(&o.seed, "seed", o.seed,
		"what decides all that is random (default: another one each time)")
	f.IntVar(&o.jobs, "jobs", 24, "so many jobs at once")
	f.IntVar(&o.job, "job", -1, "only this `NUMBER` of a job, with the seed of its run")
	f.StringVar(&o.only, "only", "", "only jobs of this `KIND`")
	f.StringVar(&o.bin, "bin", "", "`DIR` with minissh and minisshd (default: they are built)")
	f.BoolVar(&o.race, "race", false, "build them with the race detector")
	f.BoolVar(&o.verbose, "v", false, "have minissh tell more, and show that of jobs that fail")
	f.BoolVar(&o.keep, "keep", false,
		"keep the run's directory, with the daemon's log, when it fails")
	f.Usage = func() {
		fmt.Fprintf(f.Output(), "usage: scripts/soak [flags]\n\nKinds of jobs:\n")
		for _, w := range works {
			fmt.Fprintf(f.Output(), "  %-10s %s\n", w.name, w.about)
		}
		fmt.Fprintf(f.Output(), "\nFlags:\n")
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("%q is not understood", f.Arg(0))
	}
	known := o.only == ""
	for _, w := range works {
		known = known || w.name == o.only
	}
	if !known {
		return o, fmt.Errorf("there is no kind of job %q", o.only)
	}
	o.last = math.MaxInt
	if o.job >= 0 {
		o.first, o.last = o.job, o.job+1
	}
	return o, nil
}

func (o options) limit() time.Duration { return time.Duration(o.minutes) * time.Minute }

// again is the command line that tries one job again.
func (o options) again(job int) string {
	line := fmt.Sprintf("scripts/soak --seed %d --job %d", o.seed, job)
	if o.only != "" {
		line += " --only " + o.only
	}
	return line
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == otherSide {
		os.Exit(beOtherSide(os.Args[2:]))
	}
	o, err := parseOptions(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(2)
	}
	fmt.Printf("soak: seed %d\n", o.seed)
	ctx, stop := lifetime.Context(o.limit() + grace + 2*endLimit + 5*time.Minute)
	defer stop()
	ok, err := soak(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
	}
	if !ok {
		stop()
		os.Exit(1)
	}
}
