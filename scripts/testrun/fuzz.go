package main

import (
	"context"
	"fmt"
	"strings"
)

// fuzzTime is how long each target is fuzzed.
const fuzzTime = "3s"

// fuzzTries is how often the go command tries to make one input smaller. For as long as it takes,
// which it tries by default, is longer than all of fuzzTime where an execution is slow: FuzzReceive
// came to four executions.
const fuzzTries = "20x"

// target is one fuzz target of a package.
type target struct{ pkg, name string }

// fuzz finds every fuzz target and fuzzes each for a short time. None found is a failure: the
// search is broken then.
func (r *runner) fuzz(ctx context.Context) outcome {
	out, err := r.output(ctx, nil, "go", "test", "-list", "^Fuzz", "./...")
	if err != nil {
		return failed("go test -list: %v\n%s", err, out)
	}
	targets := fuzzTargets(out)
	if len(targets) == 0 {
		return failed("no fuzz target was found in the tree")
	}
	var details []string
	for _, t := range targets {
		if out, err := r.fuzzOne(ctx, t); err != nil {
			details = append(details, fmt.Sprintf("--- %s %s: %v", t.pkg, t.name, err))
			details = append(details, clip([]string{out}, maxOutput)...)
		}
	}
	return outcome{note: fmt.Sprintf("%d targets, %s each", len(targets), fuzzTime),
		details: details, failed: len(details) > 0}
}

// fuzzOne fuzzes one target. At the end of its time the go command sometimes takes its own deadline
// for a failure ("context deadline exceeded", with no input to show): then, and only then, it is
// run once more.
func (r *runner) fuzzOne(ctx context.Context, t target) (string, error) {
	args := []string{"test", "-run", "^$", "-fuzz", "^" + t.name + "$", "-fuzztime", fuzzTime,
		"-fuzzminimizetime", fuzzTries, t.pkg}
	out, err := r.output(ctx, nil, "go", args...)
	if err != nil && strings.Contains(out, "context deadline exceeded") &&
		!strings.Contains(out, "Failing input") {
		out, err = r.output(ctx, nil, "go", args...)
	}
	return out, err
}

// fuzzTargets reads what `go test -list` prints: a package's names, one a line, then `ok`, the
// package and a time.
func fuzzTargets(list string) []target {
	var found []target
	var names []string
	for line := range strings.Lines(list) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 1 && strings.HasPrefix(fields[0], "Fuzz"):
			names = append(names, fields[0])
		case len(fields) > 1 && fields[0] == "ok":
			for _, n := range names {
				found = append(found, target{fields[1], n})
			}
			names = nil
		}
	}
	return found
}
