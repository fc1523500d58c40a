package conform

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Text is what a person reads, in both languages.
type Text struct{ Zh, En string }

func tx(zh, en string) Text { return Text{zh, en} }

// same is a text without words: bytes, names, numbers.
func same(s string) Text { return Text{s, s} }

// Outcome is what became of one probe.
type Outcome string

// The outcomes.
const (
	Holds     Outcome = "holds"
	Fails     Outcome = "fails"
	Unreached Outcome = "not reached"
)

// Result is one probe's outcome.
type Result struct {
	Rule    string   // as the pages name it: CH5
	Probe   string   // its name: --only takes it
	What    Text     // what was tried
	Outcome Outcome  //
	Want    Text     // what the rule asks for; or why it was not reached
	Got     Text     // what came instead
	Said    []string // the last frames of the conversation, oldest first
}

// Report is all results, in the order of the pages.
type Report struct {
	Role    string // daemon or client
	Results []Result
}

// Count is how many rules have this outcome. A rule fails where one of its probes does; it
// holds where at least one probe holds, and none fails.
func (r *Report) Count(o Outcome) (n int) {
	for _, rule := range r.Rules() {
		if rule.Outcome == o {
			n++
		}
	}
	return n
}

// RuleOutcome is what all probes of a rule say together.
type RuleOutcome struct {
	Rule    string
	Outcome Outcome
	Held    int      // probes that hold
	Probes  []Result // those that do not hold
}

// Rules are all rules of the pages, each with its outcome: what no probe tries is not reached.
func (r *Report) Rules() []RuleOutcome {
	var all []RuleOutcome
	for _, name := range ruleNames() {
		rule := RuleOutcome{Rule: name, Outcome: Unreached}
		for _, res := range r.Results {
			if res.Rule != name {
				continue
			}
			if res.Outcome == Holds {
				rule.Held++
			} else {
				rule.Probes = append(rule.Probes, res)
			}
			switch {
			case res.Outcome == Fails:
				rule.Outcome = Fails
			case res.Outcome == Holds && rule.Outcome == Unreached:
				rule.Outcome = Holds
			}
		}
		all = append(all, rule)
	}
	return all
}

// sorted puts the results in the order of the pages; those of one rule stay as they were tried.
func (r *Report) sorted() *Report {
	order := ruleNames()
	slices.SortStableFunc(r.Results, func(a, b Result) int {
		return cmp.Compare(slices.Index(order, a.Rule), slices.Index(order, b.Rule))
	})
	return r
}

// pages are the groups of rules in the order of the pages, and how many each has. A test reads
// the pages.
var pages = []struct {
	group string
	rules int
}{
	{"FR", 8}, {"JS", 4}, {"CH", 10}, {"EX", 9}, {"ID", 8}, {"CA", 4}, {"SE", 11}, {"CO", 4},
	{"TE", 3}, {"LI", 6}, {"SU", 5}, {"FI", 13}, {"FO", 9}, {"JO", 11}, {"RE", 9}, {"PA", 6},
	{"LO", 6}, {"CE", 7},
}

// IsRule says whether name is a rule's, or a group's.
func IsRule(name string) bool {
	return slices.ContainsFunc(ruleNames(), func(rule string) bool {
		return name == rule || name == group(rule)
	})
}

func ruleNames() (names []string) {
	for _, p := range pages {
		for n := range p.rules {
			names = append(names, p.group+strconv.Itoa(n+1))
		}
	}
	return names
}

// group is the letters of a rule's name.
func group(rule string) string { return strings.TrimRight(rule, "0123456789") }
