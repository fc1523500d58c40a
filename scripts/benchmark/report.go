//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"
)

// report is a whole run, as -json prints it.
type report struct {
	CPUs  int      `json:"cpus"`
	Go    string   `json:"go"`
	Peers []string `json:"peers"`
	Notes []string `json:"notes,omitempty"`
	Rows  []result `json:"rows"`
}

func newReport(l *lab) *report {
	r := &report{CPUs: runtime.NumCPU(), Go: runtime.Version(), Notes: l.notes}
	for _, p := range l.peers {
		r.Peers = append(r.Peers, p.title)
	}
	return r
}

func (r *report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// print writes one row as a table: contenders with median, extremes and, beside ours, its checks.
func (r *result) print(w io.Writer) {
	fmt.Fprintf(w, "%s: %s\n", r.Name, r.Title)
	for _, n := range r.Notes {
		fmt.Fprintf(w, "  (%s)\n", n)
	}
	lines := [][]string{{"", "median", "min", "max", "n", ""}}
	for _, s := range r.Series {
		line := []string{s.Name, "-", "-", "-", fmt.Sprint(len(s.Samples)), s.Note}
		if len(s.Samples) > 0 {
			line[1] = number(s.Median) + " " + r.Unit
			line[2], line[3] = number(slices.Min(s.Samples)), number(slices.Max(s.Samples))
		}
		if s.Err != "" {
			line[5] = "failed: " + s.Err
		}
		lines = append(lines, line)
	}
	table(w, lines)
	for _, c := range r.Checks {
		fmt.Fprintf(w, "  %s\n", c)
	}
	fmt.Fprintln(w)
}

// String is the check's line: what, value, target and verdict.
func (c check) String() string {
	switch {
	case c.Missing != "":
		return fmt.Sprintf("minissh %s: %s, target %s", c.What, c.Missing, c.Wanted)
	case c.pass():
		return fmt.Sprintf("minissh %s: %s, target %s: PASS", c.What, c.Shown, c.Wanted)
	default:
		return fmt.Sprintf("minissh %s: %s, target %s: MISS", c.What, c.Shown, c.Wanted)
	}
}

// table writes lines in columns, the first and the last to the left, numbers to the right.
func table(w io.Writer, lines [][]string) {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, line := range lines {
		var b strings.Builder
		for i, cell := range line {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 || i == len(line)-1 {
				cell += pad
			} else {
				cell = pad + cell
			}
			b.WriteString("  " + cell)
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
}

// number shows three digits that mean something.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

// printSummary ends the table with who was measured, what was not, and how many targets were met.
func (r *report) printSummary(w io.Writer) {
	met, all := 0, 0
	for _, row := range r.Rows {
		for _, c := range row.Checks {
			if all++; c.pass() {
				met++
			}
		}
	}
	fmt.Fprintf(w, "%s on %d processors, loopback, %s\n", strings.Join(r.Peers, ", "), r.CPUs, r.Go)
	for _, n := range r.Notes {
		fmt.Fprintf(w, "note: %s\n", n)
	}
	fmt.Fprintf(w, "%d of %d targets met\n", met, all)
}

// ok is false when minissh itself failed in a row or, if strict, when any target was missed or not
// measured.
func (r *report) ok(strict bool) bool {
	for _, row := range r.Rows {
		if slices.ContainsFunc(row.Series, func(s *series) bool { return s.ours && s.Err != "" }) {
			return false
		}
		for _, c := range row.Checks {
			if strict && !c.pass() {
				return false
			}
		}
	}
	return true
}
