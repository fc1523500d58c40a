package main

import (
	"fmt"
	"io"
	"strings"

	"minissh/cmd/minissh-lab/conform"
	"minissh/cmd/minissh-lab/speak"
)

// progressLine is a line on a terminal that says how far the grading is; without w nothing.
type progressLine struct {
	w            io.Writer
	holds, fails int
}

// tell hears one result. The kit calls it for one at a time.
func (l *progressLine) tell(r conform.Result) {
	switch r.Outcome {
	case conform.Holds:
		l.holds++
	case conform.Fails:
		l.fails++
	}
	if l.w != nil {
		fmt.Fprintf(l.w, "\r\x1b[K%d ✓ %d ✗", l.holds, l.fails)
	}
}

func (l *progressLine) clear() {
	if l.w != nil {
		io.WriteString(l.w, "\r\x1b[K")
	}
}

// printReport says which rules fail, with the bytes; then which hold, and which were not reached:
// of all rules, or of those alone that probes were asked for.
func printReport(p *speak.Printer, r *conform.Report, all bool) {
	var holds []string
	reasons := map[conform.Text][]string{}
	var order []conform.Text // reasons as they come
	for _, rule := range r.Rules() {
		untried := conform.Unseen(r.Role, rule.Rule)
		why := untried
		for _, res := range rule.Probes {
			if res.Outcome == conform.Fails {
				printFailure(p, res)
			} else if why == untried {
				why = res.Want
			}
		}
		switch {
		case rule.Outcome == conform.Unreached && len(rule.Probes) == 0 && !all:
		case rule.Outcome == conform.Holds:
			holds = append(holds, fmt.Sprintf("%s(%d)", rule.Rule, rule.Held))
		case rule.Outcome == conform.Unreached:
			if reasons[why] == nil {
				order = append(order, why)
			}
			reasons[why] = append(reasons[why], rule.Rule)
		}
	}
	if len(holds) > 0 {
		p.Say("✓ 试过的都成立（括号里是试了几项）：",
			"✓ all that was tried of these holds (number of probes):")
		p.Raw(folded(holds))
	}
	for _, why := range order {
		p.Say("- 没有试到："+speak.Clean(why.Zh), "- not reached: "+speak.Clean(why.En))
		p.Raw(folded(reasons[why]))
	}
	if all {
		p.Sayf("成立 %d 条，不成立 %d 条，没有试到 %d 条",
			"%d rules hold, %d fail, %d were not reached",
			r.Count(conform.Holds), r.Count(conform.Fails), r.Count(conform.Unreached))
	}
}

// printFailure says what was tried, what the rule wants, what came, and the last frames.
func printFailure(p *speak.Printer, r conform.Result) {
	p.Raw("✗ " + r.Rule + "  " + indented(p, r.What) + "\n")
	for _, line := range []struct{ label, text string }{
		{p.Lang.Text("期望", "expected"), indented(p, r.Want)},
		{p.Lang.Text("实际", "came"), indented(p, r.Got)},
		{p.Lang.Text("再试", "again"), "--only '" + speak.Clean(r.Probe) + "'"},
	} {
		p.Raw("    " + strings.ReplaceAll(line.label, "  /  ", " ") + ": " + line.text + "\n")
	}
	for _, line := range r.Said {
		p.Raw("      " + speak.Clean(line) + "\n")
	}
}

// indented is a text in the printer's languages, on one line or below its label.
func indented(p *speak.Printer, t conform.Text) string {
	return strings.ReplaceAll(p.Lang.Text(speak.Clean(t.Zh), speak.Clean(t.En)), "\n", "\n      ")
}

// folded is words in lines of at most 92 columns.
func folded(words []string) string {
	var out strings.Builder
	width := 0
	for _, w := range words {
		if width == 0 || width+1+len(w) > 92 {
			if width > 0 {
				out.WriteString("\n")
			}
			out.WriteString("    ")
			width = 4
		} else {
			out.WriteString(" ")
			width++
		}
		out.WriteString(w)
		width += len(w)
	}
	return out.String() + "\n"
}
