// Package model_test has spin search the model of the rules of resuming, resuming.pml: as the pages
// have them, and with each rule weakened. What the model holds is at its head.
package model_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"minissh/scripts/testhost"
)

// patience bounds one search; the largest takes about ten seconds.
const patience = 5 * time.Minute

// mebibytes is the most that one search may use. Two run at a time.
const mebibytes = 700

var turns = make(chan struct{}, 2)

// weakening is a rule that the model can weaken, and what must then go wrong.
type weakening struct{ name, rule, property, run, meaning string }

var weakeningLine = regexp.MustCompile(
	`(?m)^#define (\w+) +\d+ +/\* ([A-Z]+\d+) (\w+)( one)?: (.+) \*/$`)

func weakenings(t *testing.T) []weakening {
	text, err := os.ReadFile("resuming.pml")
	if err != nil {
		t.Fatal(err)
	}
	var all []weakening
	for _, m := range weakeningLine.FindAllStringSubmatch(string(text), -1) {
		all = append(all, weakening{m[1], m[2], m[3], m[4], m[5]})
	}
	if len(all) < 26 {
		t.Fatalf("%d weakenings were found, and 26 were there", len(all))
	}
	return all
}

// found is what a search came to.
type found struct {
	errors, states, depth string
	property              string // that is broken, "" if all hold
	took                  time.Duration
	text                  string
}

func (f found) String() string {
	return fmt.Sprintf("%s states, depth %s, %.1f s", f.states, f.depth, f.took.Seconds())
}

var (
	summary = regexp.MustCompile(`depth reached (\d+), errors: (\d+)\s+(\d+) states, stored`)
	broken  = regexp.MustCompile(`pan:1: (?:assertion violated +!\((\w+)\)|(invalid end state))`)
)

// search has spin make a program of the model, and runs it. It is exhaustive: no state is left out,
// and none is taken for another. The optimizer pays only where many states are visited.
func search(t *testing.T, optimize string, flags, options []string) found {
	t.Helper()
	spin, gcc := testhost.Need(t, "spin"), testhost.Need(t, "gcc")
	model, err := filepath.Abs("resuming.pml")
	if err != nil {
		t.Fatal(err)
	}
	turns <- struct{}{}
	defer func() { <-turns }()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	dir, start := t.TempDir(), time.Now()
	var out []byte
	for _, argv := range [][]string{
		append(append([]string{spin, "-a"}, flags...), model),
		{gcc, optimize, "-w", "-DSAFETY", "-DNOREDUCE", fmt.Sprintf("-DMEMLIM=%d", mebibytes),
			"-o", "pan", "pan.c"},
		append([]string{"./pan", "-m1000"}, options...),
	} {
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.Dir = dir
		if out, err = cmd.CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", argv, err, out)
		}
	}
	f := found{took: time.Since(start), text: string(out)}
	m := summary.FindStringSubmatch(f.text)
	if m == nil || strings.Contains(f.text, "search depth too small") {
		t.Fatalf("the search came to nothing:\n%s", f.text)
	}
	f.depth, f.errors, f.states = m[1], m[2], m[3]
	if m := broken.FindStringSubmatch(f.text); m != nil {
		f.property = strings.Replace(m[1]+m[2], "invalid end state", "deadlock", 1)
	}
	return f
}

// As the pages have them, the rules hold.
func TestRules(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: takes a minute, and -short was asked for")
	}
	for name, flags := range map[string][]string{"three links": nil, "one link": {"-DONE_LINK"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := search(t, "-O1", flags, nil)
			if f.errors != "0" || strings.Contains(f.text, "Search not completed") {
				t.Errorf("%s breaks; spin says:\n%s", f.property, f.text)
			}
			t.Log(f)
		})
	}
}

// Each rule is needed: without it the search finds the property broken that the model names.
func TestWeakenings(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: takes a minute, and -short was asked for")
	}
	for _, w := range weakenings(t) {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			flags, options := []string{"-DWEAKEN=" + w.name}, []string{"-E"} // -E: no deadlocks
			if w.run != "" {
				flags = append(flags, "-DONE_LINK")
			}
			if w.property == "deadlock" {
				options = []string{"-A"} // no assertions
			}
			f := search(t, "-O0", flags, options)
			if f.property != w.property {
				t.Errorf("%s, %s: %q breaks, not %q; spin says:\n%s", w.rule, w.meaning,
					f.property, w.property, f.text)
			}
			t.Logf("%s: %s; %s: %v", w.rule, w.meaning, f.property, f)
		})
	}
}

// Whatever rule the model names is on the pages.
func TestRulesAreOnThePages(t *testing.T) {
	var pages strings.Builder
	for _, name := range []string{"PROTOCOL.md", "RESUMING.md"} {
		text, err := os.ReadFile(filepath.Join("../../protocol", name))
		if err != nil {
			t.Fatal(err)
		}
		pages.Write(text)
	}
	for _, w := range weakenings(t) {
		if !strings.Contains(pages.String(), "**"+w.rule+".**") {
			t.Errorf("%s: no page has the rule %s", w.name, w.rule)
		}
	}
}
