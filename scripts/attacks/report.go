//go:build linux

package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
)

// report prints a line for each attack as it comes.
type report struct {
	w              *world
	tried, passed  int
	missed, notRun []string
}

const columns = "%-16s %20s %20s %20s %5s %6s %9s %7s  %s\n"

func newReport(w *world) *report {
	fmt.Printf("Medians in ms, beside an equal load → beside the attack; two honest users on %d "+
		"processors, the attacker on one\n", runtime.NumCPU())
	fmt.Printf(columns, "attack", "key", "login", fmt.Sprintf("%d MiB", w.o.stream), "fail", "RSS",
		"log/min", "stop", "")
	return &report{w: w}
}

// line tells one trial.
func (r *report) line(o *outcome) {
	if o.notRun != nil {
		fmt.Printf("%-16s %v\n", o.a.name, o.notRun)
		r.notRun = append(r.notRun, fmt.Sprintf("%s: %v", o.a.name, o.notRun))
		return
	}
	r.tried++
	faults := o.faults(r.w.o.short)
	verdict := "PASS"
	if len(faults) > 0 {
		verdict = "MISS"
		r.missed = append(r.missed, o.a.name)
	} else {
		r.passed++
	}
	stop := fmt.Sprintf("%.1fs", o.stopped.Seconds())
	fmt.Printf(columns, o.a.name, compared(o.quiet.keys, o.harmed.keys),
		compared(o.quiet.logins, o.harmed.logins), compared(o.quiet.streams, o.harmed.streams),
		fmt.Sprint(len(o.failures)), fmt.Sprintf("%dM", o.memory), size(o.log), stop, verdict)
	for _, fault := range faults {
		fmt.Printf("    %s\n", fault)
	}
	if r.w.o.verbose {
		for _, note := range o.notes {
			fmt.Printf("    (mallory: %s)\n", note)
		}
		text, _ := os.ReadFile(hostLog)
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		for _, line := range lines[max(0, len(lines)-8):] {
			fmt.Printf("    | %.200s\n", line)
		}
	}
}

// faults are what the attack has done to others. A short trial has too few samples to judge
// medians.
func (o *outcome) faults(short bool) (faults []string) {
	for i, f := range o.failures {
		if i == 3 {
			faults = append(faults, fmt.Sprintf("and %d more failures", len(o.failures)-i))
			break
		}
		faults = append(faults, f)
	}
	for _, m := range []struct {
		what          string
		quiet, harmed []float64
	}{{"a key", o.quiet.keys, o.harmed.keys}, {"a login", o.quiet.logins, o.harmed.logins},
		{"a stream", o.quiet.streams, o.harmed.streams}} {
		if ratio := median(m.harmed) / median(m.quiet); !short && ratio > maxRatio {
			faults = append(faults,
				fmt.Sprintf("%s takes %.1f times as long, at most %.0f is allowed", m.what, ratio,
					maxRatio))
		}
	}
	if o.memory >= maxMemory {
		faults = append(faults, fmt.Sprintf("the daemon had %d MiB in memory, at most %d are "+
			"allowed", o.memory, maxMemory))
	}
	if o.log >= maxLog {
		faults = append(faults, fmt.Sprintf("the log grew by %s a minute, at most %s are allowed",
			size(o.log), size(maxLog)))
	}
	if o.stopErr != nil {
		faults = append(faults, o.stopErr.Error())
	}
	if o.left != "" {
		faults = append(faults, fmt.Sprintf("%v after the attack there is left of it: %s", patience,
			o.left))
	}
	return faults
}

// conclude is the last line; errMissed if anything was harmed.
func (r *report) conclude() error {
	fmt.Printf("\n%d of %d attacks harmed nobody\n", r.passed, r.tried)
	for _, line := range r.notRun {
		fmt.Println(line)
	}
	switch {
	case len(r.missed) > 0:
		return errMissed
	case r.tried == 0:
		return &notRun{strings.TrimPrefix(r.notRun[0][strings.Index(r.notRun[0], "not run: "):],
			"not run: ")}
	}
	return nil
}

func compared(quiet, harmed []float64) string {
	if len(quiet) == 0 || len(harmed) == 0 {
		return "-"
	}
	return fmt.Sprintf("%s→%s ×%.1f", number(median(quiet)), number(median(harmed)),
		median(harmed)/median(quiet))
}

func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// number shows three digits that mean something.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func size(bytes int64) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%dK", bytes>>10)
	}
	return fmt.Sprintf("%.1fM", float64(bytes)/(1<<20))
}

// printAttacks lists what there is.
func printAttacks(to interface{ Write([]byte) (int, error) }) {
	kind := ""
	for _, a := range attacks {
		if a.kind != kind {
			kind = a.kind
			fmt.Fprintf(to, "  %s\n", kind)
		}
		fmt.Fprintf(to, "    %-16s %s\n", a.name, a.about)
	}
}
