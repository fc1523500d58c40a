//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
)

// contender is what one peer does in a row. run does it once and returns the sample in the row's
// unit.
type contender struct {
	name string
	ours bool
	run  func(context.Context) (float64, error)
}

// series is all samples of one contender. After an error it takes no further part.
type series struct {
	Name    string    `json:"name"`
	Samples []float64 `json:"samples"`
	Median  float64   `json:"median"`
	Note    string    `json:"note,omitempty"`
	Err     string    `json:"error,omitempty"`
	ours    bool
}

// add ends the series with err, or takes the sample.
func (s *series) add(sample float64, err error) {
	if err != nil {
		s.Err = err.Error()
		return
	}
	s.Samples = append(s.Samples, sample)
	s.Median = median(s.Samples)
}

// measured reports whether the median may be compared.
func (s *series) measured() bool { return s != nil && s.Err == "" && len(s.Samples) > 0 }

// interleave runs every contender once for warmth, uncounted, and then once in each round, in an
// order that is shuffled anew for each and is the same in every run: what one leaves behind, in
// caches and processes that still end, meets all the others in turn. (To rotate the order would not
// do that: each would nearly always come after the same other one.)
func interleave(ctx context.Context, rounds int, warm bool, contenders []contender) []*series {
	all := make([]*series, len(contenders))
	for i, c := range contenders {
		all[i] = &series{Name: c.name, ours: c.ours}
	}
	first := 0
	if warm {
		first = -1
	}
	shuffled := rand.New(rand.NewPCG(1, 2))
	for round := first; round < rounds; round++ {
		for _, at := range shuffled.Perm(len(contenders)) {
			if ctx.Err() != nil || all[at].Err != "" {
				continue
			}
			sample, err := contenders[at].run(ctx)
			if err != nil || round >= 0 {
				all[at].add(sample, err)
			}
		}
	}
	return all
}

// median of samples, which it does not reorder; 0 without samples.
func median(samples []float64) float64 {
	s := slices.Sorted(slices.Values(samples))
	switch n := len(s); {
	case n == 0:
		return 0
	case n%2 == 1:
		return s[n/2]
	default:
		return (s[n/2-1] + s[n/2]) / 2
	}
}

// check is one target: a number that a ratio, or ours alone, must not pass.
type check struct {
	What   string  `json:"what"`
	Value  float64 `json:"value"`
	Target float64 `json:"target"`
	AtMost bool    `json:"at_most"` // else at least
	Shown  string  `json:"shown"`   // value in words
	Wanted string  `json:"wanted"`  // target in words
	// Missing says why there is no value.
	Missing string `json:"missing,omitempty"`
}

func (c check) pass() bool {
	if c.Missing != "" {
		return false
	}
	if c.AtMost {
		return c.Value <= c.Target
	}
	return c.Value >= c.Target
}

// ratio compares the medians of ours and the peer's: at most target for times, at least target for
// rates.
func ratio(ours, theirs *series, target float64, atMost bool) check {
	sign := "≤"
	if !atMost {
		sign = "≥"
	}
	c := check{Target: target, AtMost: atMost, Wanted: sign + " " + fraction(target)}
	if theirs != nil {
		c.What = "of " + theirs.Name
	}
	if !ours.measured() || !theirs.measured() {
		c.Missing = "not measured"
		return c
	}
	c.Value = ours.Median / theirs.Median
	c.Shown = fraction(c.Value)
	return c
}

// paired is the check for two that differ by less than the machine drifts: the median of the ratios
// of each round is at most target.
func paired(ours, theirs *series, target float64) check {
	c := ratio(ours, theirs, target, true)
	if c.Missing == "" {
		ratios := make([]float64, min(len(ours.Samples), len(theirs.Samples)))
		for i := range ratios {
			ratios[i] = ours.Samples[i] / theirs.Samples[i]
		}
		c.Value = median(ratios)
		c.Shown = fraction(c.Value)
	}
	return c
}

// absolute compares one number with its target.
func absolute(what string, value, target float64, format string) check {
	return check{What: what, Value: value, Target: target, AtMost: true,
		Shown: fmt.Sprintf(format, value), Wanted: "≤ " + fmt.Sprintf(format, target)}
}

// fraction shows small ratios as people say them: 1/25 and not 0.04.
func fraction(r float64) string {
	switch {
	case r <= 0:
		return "0"
	case r < 0.4:
		return fmt.Sprintf("1/%.3g", 1/r)
	case r >= 5:
		return fmt.Sprintf("%.1f ×", r)
	default:
		return fmt.Sprintf("%.2f", r)
	}
}

// errShort marks a stream of which not all bytes came.
var errShort = errors.New("bytes are missing")
