package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// event is one line of `go test -json` (see `go doc test2json`).
type event struct {
	Action      string
	Package     string
	ImportPath  string // of build-output events
	FailedBuild string
	Test        string
	Output      string
	Elapsed     float64 // seconds
}

// test names one Go test; an empty name is the package itself.
type test struct{ pkg, name string }

func (t test) String() string {
	return strings.TrimSuffix(strings.TrimPrefix(t.pkg, "minissh/")+" "+t.name, " ")
}

// tally is what became of every test, over one or more runs. A test that failed in any run has
// failed; one that was skipped in all has been skipped.
type tally struct {
	passed, failed map[test]bool
	skipped        map[test]string // the reason, beginning with "not run:"
	// programs are installed: nothing may be skipped for want of them
	strict bool
	took   map[string]float64 // by package: seconds in the latest run
}

func newTally(strict bool) *tally {
	return &tally{passed: map[test]bool{}, failed: map[test]bool{}, skipped: map[test]string{},
		strict: strict, took: map[string]float64{}}
}

// slowest are the n packages whose tests took longest in the latest run, with their seconds.
func (a *tally) slowest(n int) string {
	names := slices.SortedFunc(maps.Keys(a.took), func(x, y string) int {
		return cmp.Compare(a.took[y], a.took[x])
	})
	var words []string
	for _, name := range names[:min(n, len(names))] {
		words = append(words, fmt.Sprintf("%v %.0f", test{pkg: name}, a.took[name]))
	}
	return strings.Join(words, ", ")
}

// reasonLine is what t.Skip prints. Only a reason that begins with "not run:" is one.
var reasonLine = regexp.MustCompile(`(?m)^\s+\S+\.go:\d+: (not run: .+)$`)

// maxOutput is the lines shown of one failed test or package.
const maxOutput = 80

// read counts the events of one run of `go test -json`. It returns how many tests passed in it and
// the lines to show of what failed. The error is one of reading; a line that is not JSON is shown
// as it is.
func (a *tally) read(r io.Reader) (passed int, details []string, err error) {
	output := map[test][]string{}
	builds := map[string][]string{}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				details = append(details, strings.TrimRight(string(line), "\n"))
			} else {
				details = append(details, a.take(e, output, builds)...)
				if e.Action == "pass" && e.Test != "" {
					passed++
				}
			}
		}
		if err == io.EOF {
			return passed, details, nil
		}
		if err != nil {
			return passed, details, err
		}
	}
}

// take counts one event and returns what is to be shown for it.
func (a *tally) take(e event, output map[test][]string, builds map[string][]string) []string {
	t := test{e.Package, e.Test}
	if t.name == "" && (e.Action == "pass" || e.Action == "fail") {
		a.took[e.Package] = e.Elapsed
	}
	switch e.Action {
	case "build-output":
		builds[e.ImportPath] = append(builds[e.ImportPath], e.Output)
	case "output":
		output[t] = append(output[t], e.Output)
	case "pass":
		if t.name != "" {
			a.passed[t] = true
		}
		delete(output, t)
	case "skip":
		if t.name == "" {
			return nil // a package without tests
		}
		return a.skip(t, strings.Join(output[t], ""))
	case "fail":
		if t.name == "" && e.FailedBuild == "" && a.failedIn(t.pkg) {
			return nil // its failed tests were shown already
		}
		a.failed[t] = true
		shown := slices.Concat(builds[e.FailedBuild], output[t])
		return slices.Concat([]string{"--- " + t.String()}, clip(shown, maxOutput))
	}
	return nil
}

// skip judges a skipped test by its reason.
func (a *tally) skip(t test, output string) []string {
	found := reasonLine.FindStringSubmatch(output)
	if found == nil {
		a.failed[t] = true
		return append([]string{
			fmt.Sprintf(`--- %v is skipped for a reason that does not begin with "not run:"`, t)},
			clip([]string{output}, maxOutput)...)
	}
	reason := strings.TrimSpace(found[1])
	if a.strict {
		if why := wrongly(reason); why != "" {
			a.failed[t] = true
			return []string{fmt.Sprintf("--- %v says %q, yet %s", t, reason, why)}
		}
	}
	a.skipped[t] = reason
	return nil
}

// failedIn reports whether a test of the package has failed.
func (a *tally) failedIn(pkg string) bool {
	for t := range a.failed {
		if t.pkg == pkg && t.name != "" {
			return true
		}
	}
	return false
}

// counts of tests by their outcome over all runs.
func (a *tally) counts() (passed, failed, skipped int) {
	for t := range a.passed {
		if !a.failed[t] {
			passed++
		}
	}
	return passed, len(a.failed), len(a.notRun())
}

// notRun are the tests that were skipped in every run, with their reasons.
func (a *tally) notRun() map[test]string {
	never := map[test]string{}
	for t, reason := range a.skipped {
		if !a.passed[t] && !a.failed[t] {
			never[t] = reason
		}
	}
	return never
}

// clip splits output into lines and leaves the middle out when there are more than most.
func clip(output []string, most int) []string {
	lines := strings.Split(strings.TrimRight(strings.Join(output, ""), "\n"), "\n")
	if len(lines) <= most {
		return lines
	}
	left := fmt.Sprintf("… %d lines left out …", len(lines)-most)
	return slices.Concat(lines[:most/2], []string{left}, lines[len(lines)-most/2:])
}
