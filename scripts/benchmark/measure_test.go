//go:build linux

package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

// Everyone runs once in a round, and nobody always first or always after the same one; the warm-up
// is not counted.
func TestInterleave(t *testing.T) {
	const rounds = 40
	var order []string
	var cs []contender
	for _, name := range []string{"a", "b", "c", "d"} {
		cs = append(cs, contender{name: name, run: func(context.Context) (float64, error) {
			order = append(order, name)
			return float64(len(order)), nil
		}})
	}
	all := interleave(t.Context(), rounds, true, cs)
	if len(order) != 4*(rounds+1) {
		t.Fatalf("%d runs", len(order))
	}
	after := map[string]int{}
	for round := range slices.Chunk(order, 4) {
		if got := slices.Sorted(slices.Values(round)); !slices.Equal(got,
			[]string{"a", "b", "c", "d"}) {
			t.Errorf("a round of %v", got)
		}
		after["first "+round[0]]++
	}
	for i := range order[1:] {
		after[order[i]+order[i+1]]++
	}
	for _, a := range "abcd" {
		if n := after["first "+string(a)]; n < rounds/8 { // a quarter, if all were alike
			t.Errorf("%c is first %d times in %d rounds", a, n, rounds)
		}
		for _, b := range "abcd" {
			if n := after[string(a)+string(b)]; a != b && n < rounds/8 { // a third
				t.Errorf("%c comes before %c %d times in %d rounds", a, b, n, rounds)
			}
		}
	}
	if a := all[0]; len(a.Samples) != rounds || a.Samples[0] <= 4 || a.Median != median(a.Samples) {
		t.Errorf("samples of a: %v, median %v", a.Samples, a.Median)
	}
}

// A contender that fails takes no further part, the others do, and a check against it is not a
// pass.
func TestFailureIsNotAPass(t *testing.T) {
	runs := 0
	all := interleave(t.Context(), 3, true, []contender{
		{name: "broken", run: func(context.Context) (float64, error) { runs++; return 0, errors.New("no") }},
		{name: "minissh", ours: true, run: func(context.Context) (float64, error) { return 1, nil }},
	})
	if runs != 1 || all[0].measured() || len(all[1].Samples) != 3 {
		t.Errorf("ran %d times, measured %v; the other has %d samples", runs, all[0].measured(),
			len(all[1].Samples))
	}
	r := result{Series: all}
	r.against("broken", 1, true)
	r.against("absent", 1, true)
	for _, c := range r.Checks {
		if c.pass() || !strings.Contains(c.String(), "not measured") {
			t.Errorf("%v", c)
		}
	}
	rep := report{Rows: []result{r}}
	if !rep.ok(false) || rep.ok(true) {
		t.Error("what a peer could not show counts only with -strict")
	}
}

func TestRatio(t *testing.T) {
	ours, theirs := &series{Name: "minissh", Samples: []float64{4}, Median: 4},
		&series{Name: "ssh", Samples: []float64{100}, Median: 100}
	for _, c := range []struct {
		target float64
		atMost bool
		pass   bool
	}{{1.0 / 25, true, true}, {1.0 / 26, true, false}, {0.04, false, true}, {10, false, false}} {
		if got := ratio(ours, theirs, c.target, c.atMost); got.pass() != c.pass {
			t.Errorf("%v", got)
		}
	}
	if got := ratio(ours, theirs, 1.0/25,
		true).String(); got != "minissh of ssh: 1/25, target ≤ 1/25: PASS" {
		t.Errorf("%q", got)
	}
}

// A drift that is larger than the difference hides it from the ratio of medians, but not from the
// median of the pairs' ratios.
func TestPaired(t *testing.T) {
	off := &series{Name: resumeOff, Samples: []float64{10, 20, 40, 80}}
	ours := &series{Name: "minissh", Samples: []float64{11, 22, 44, 10}, ours: true}
	for _, s := range []*series{ours, off} {
		s.Median = median(s.Samples)
	}
	if c := ratio(ours, off, 1.05, true); !c.pass() {
		t.Errorf("medians: %v", c)
	}
	r := result{Series: []*series{ours, off}}
	r.againstItself()
	if c := r.Checks[0]; c.pass() || c.Value != 1.1 {
		t.Errorf("pairs: %v", c)
	}
	off.Err = "no"
	if c := paired(ours, off, 1.05); c.pass() || c.Missing == "" {
		t.Errorf("a pair of which one failed: %v", c)
	}
}

func TestMedian(t *testing.T) {
	samples := []float64{3, 1, 2}
	if median(samples) != 2 || samples[0] != 3 || median([]float64{4, 1, 3, 2}) != 2.5 ||
		median(nil) != 0 {
		t.Error("the median is wrong, or reordered what it was given")
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"2G": 2 << 30, "512K": 512 << 10, "7": 7,
		"1M": 1 << 20} {
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "G", "-1", "0", "2T", "2.5G", "99999999999G"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q is read as %d", text, got)
		}
	}
}
