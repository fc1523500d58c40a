package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// events of one run, as the go command prints them.
const sample = `{"Action":"start","Package":"minissh/a"}
{"Action":"run","Package":"minissh/a","Test":"TestGood"}
{"Action":"output","Package":"minissh/a","Test":"TestGood","Output":"=== RUN   TestGood\n"}
{"Action":"pass","Package":"minissh/a","Test":"TestGood","Elapsed":0}
{"Action":"output","Package":"minissh/a","Test":"TestBad","Output":"    a_test.go:7: it broke\n"}
{"Action":"fail","Package":"minissh/a","Test":"TestBad","Elapsed":0}
{"Action":"output","Package":"minissh/a","Test":"TestAbsent","Output":"    a_test.go:9: not run: needs frobnicate, which is rare\n"}
{"Action":"skip","Package":"minissh/a","Test":"TestAbsent","Elapsed":0}
{"Action":"output","Package":"minissh/a","Test":"TestLazy","Output":"    a_test.go:11: too slow, not run: today\n"}
{"Action":"skip","Package":"minissh/a","Test":"TestLazy","Elapsed":0}
{"Action":"skip","Package":"minissh/a","Test":"TestMute","Elapsed":0}
{"Action":"output","Package":"minissh/a","Output":"FAIL\n"}
{"Action":"fail","Package":"minissh/a","Elapsed":0.1}
{"Action":"skip","Package":"minissh/none"}
{"ImportPath":"minissh/b [minissh/b.test]","Action":"build-output","Output":"b/b.go:3:1: syntax error\n"}
{"ImportPath":"minissh/b [minissh/b.test]","Action":"build-fail"}
{"Action":"fail","Package":"minissh/b","Elapsed":0,"FailedBuild":"minissh/b [minissh/b.test]"}
not an event
`

func TestTally(t *testing.T) {
	a := newTally(false)
	ran, details, err := a.read(strings.NewReader(sample))
	if err != nil || ran != 1 {
		t.Fatalf("%d passed, %v", ran, err)
	}
	// TestBad, the two skipped without a reason, and package b, which does not compile; package a
	// only repeats its tests.
	if passed, failed, skipped := a.counts(); passed != 1 || failed != 4 || skipped != 1 {
		t.Errorf("%d passed, %d failed, %d skipped", passed, failed, skipped)
	}
	shown := strings.Join(details, "\n")
	for _, want := range []string{"--- a TestBad", "it broke", "--- a TestLazy is skipped",
		"--- a TestMute is skipped", "--- b", "syntax error", "not an event"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not shown in\n%s", want, shown)
		}
	}
	if strings.Contains(shown, "TestGood") {
		t.Errorf("what passed is shown:\n%s", shown)
	}
	want := map[test]string{{"minissh/a", "TestAbsent"}: "not run: needs frobnicate, which is rare"}
	if !reflect.DeepEqual(a.notRun(), want) {
		t.Errorf("not run: %v", a.notRun())
	}
}

// A test that ran in one of two runs is not listed as not run, and one that failed in one has
// failed.
func TestTallyOfTwoRuns(t *testing.T) {
	a := newTally(false)
	for _, run := range []string{
		`{"Action":"output","Package":"p","Test":"A","Output":"    p_test.go:1: not run: the race detector allocates\n"}
{"Action":"skip","Package":"p","Test":"A"}
{"Action":"pass","Package":"p","Test":"B"}`,
		`{"Action":"pass","Package":"p","Test":"A"}
{"Action":"fail","Package":"p","Test":"B"}`,
	} {
		if _, _, err := a.read(strings.NewReader(run)); err != nil {
			t.Fatal(err)
		}
	}
	if passed, failed, skipped := a.counts(); passed != 1 || failed != 1 || skipped != 0 {
		t.Errorf("%d passed, %d failed, %d skipped", passed, failed, skipped)
	}
}

// Once the programs are installed, no test may be skipped for want of one.
func TestInstalledProgramsAreNoReason(t *testing.T) {
	skipped := `{"Action":"output","Package":"p","Test":"A","Output":"    p_test.go:1: not run: needs go, to build\n"}
{"Action":"skip","Package":"p","Test":"A"}`
	for strict, want := range map[bool]int{false: 0, true: 1} {
		a := newTally(strict)
		_, details, err := a.read(strings.NewReader(skipped))
		if err != nil {
			t.Fatal(err)
		}
		if _, failed, _ := a.counts(); failed != want {
			t.Errorf("strict %v: %d failed: %q", strict, failed, details)
		}
	}
	for _, reason := range []string{"not run: needs git", "not run: needs git: none here",
		"not run: no fish on this machine"} {
		if wrongly(reason) == "" {
			t.Errorf("%q names a program of the list, and yet it may be missing", reason)
		}
	}
	if why := wrongly("not run: needs root"); (why != "") != (os.Geteuid() == 0) {
		t.Errorf("uid %d: %q", os.Geteuid(), why)
	}
	for _, reason := range []string{"not run: needs a Mac", "not run: no mount namespace here"} {
		if why := wrongly(reason); why != "" {
			t.Errorf("%q: %s", reason, why)
		}
	}
}

func TestFuzzTargets(t *testing.T) {
	const list = "FuzzOne\nFuzzTwo\nok  \tminissh/a\t0.01s\n?   \tminissh/b\t[no test files]\n" +
		"ok  \tminissh/c\t0.01s\nFuzzThree\nok  \tminissh/d\t0.02s\n"
	want := []target{{"minissh/a", "FuzzOne"}, {"minissh/a", "FuzzTwo"}, {"minissh/d", "FuzzThree"}}
	if got := fuzzTargets(list); !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
}

// A failed step makes the run fail and is in the last line; one that could not be run is named with
// its reason.
func TestConclusion(t *testing.T) {
	var out strings.Builder
	r := &runner{out: &out, tests: newTally(false), notRun: map[string]string{}}
	r.runAll(t.Context(), []step{
		{"good", func(context.Context) outcome { return outcome{} }},
		{"bad", func(context.Context) outcome { return failed("%s", "line one\nline two") }},
		{"away", func(context.Context) outcome { return outcome{notRun: "its data cannot be had"} }},
	})
	if r.conclude() {
		t.Error("a failed step did not fail the run")
	}
	for _, want := range []string{"\nFAIL  bad ", "\n      line two\n",
		"\nNot run here, and why\n  its data cannot be had:\n      away\n",
		"\n0 passed, 1 failed, 0 skipped\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func TestClip(t *testing.T) {
	got := clip([]string{strings.Repeat("x\n", 50), "end\n"}, 10)
	if len(got) != 11 || got[5] != "… 41 lines left out …" || got[10] != "end" {
		t.Errorf("%q", got)
	}
}

func TestSlowestPackages(t *testing.T) {
	a := newTally(false)
	_, _, err := a.read(strings.NewReader(`{"Action":"pass","Package":"minissh/a","Elapsed":3.4}
{"Action":"pass","Package":"minissh/b","Test":"B","Elapsed":900}
{"Action":"fail","Package":"minissh/b","Elapsed":71.6}
{"Action":"pass","Package":"minissh/c","Elapsed":5}`))
	if got := a.slowest(2); err != nil || got != "b 72, c 5" {
		t.Errorf("%q, %v", got, err)
	}
}

// No test is left out: those that do less under the race detector, or with -short, run once more
// without, and what the lists name is there.
func TestNothingIsLeftOut(t *testing.T) {
	less := regexp.MustCompile(`testing\.Short\(\)|testhost\.Race\(\)|"not run: [^"]*race detector`)
	tests := regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
	matches := regexp.MustCompile(long).MatchString
	there := map[string]bool{}
	err := filepath.WalkDir("../..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		pkg := "minissh/" + strings.TrimPrefix(filepath.ToSlash(filepath.Dir(name)), "../../")
		there[pkg] = true
		named := false
		for _, found := range tests.FindAllStringSubmatch(string(text), -1) {
			there[found[1]] = true
			named = named || matches(found[1])
		}
		if raced(pkg) && less.Match(text) && !named && pkg != "minissh/scripts/testrun" {
			t.Errorf("%s: none of its tests runs whole", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(strings.Split(strings.Trim(long, "^()$"), "|"), plainly...) {
		if !there[name] {
			t.Errorf("there is no %s", name)
		}
	}
}
