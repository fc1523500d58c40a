//go:build linux

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"minissh/scripts/testhost"
)

// TestAttacks is the short form: under each attack no honest user's operation may fail, and memory,
// log and stop keep to their bounds. How long things take is told by scripts/attack alone: it
// depends on what else the machine does.
//
// The attacks on paths are the test of RULES D1: with a hung FUSE mount, a lease and a named pipe
// of one user, eight at a time on a daemon that has two processors, two other users log in, type
// and stream.
func TestAttacks(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not run: needs root")
	}
	if testing.Short() {
		t.Skip("not run: takes minutes, and -short was asked for")
	}
	testhost.Need(t, "taskset")
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", bin, ".", "minissh/cmd/minissh",
		"minissh/cmd/minisshd")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) { attackWith(t, bin, a.name) })
	}
}

// attackWith carries out one attack in a world of its own.
func attackWith(t *testing.T, bin, name string) {
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "attacks"), "--short", "--bin", bin,
		name)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == notRunCode {
		_, why, _ := strings.Cut(string(out), "not run: ")
		why, _, _ = strings.Cut(why, "\n")
		t.Skip("not run: " + why)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// Each thing that a trial finds is a fault of its own, and finding nothing is not.
func TestFaults(t *testing.T) {
	good := func() *outcome {
		return &outcome{quiet: samples{[]float64{1, 2, 3}, []float64{20}, []float64{300}},
			harmed: samples{[]float64{2, 4, 6}, []float64{40}, []float64{600}},
			memory: 255, log: 1<<20 - 1, stopped: time.Second}
	}
	if faults := good().faults(false); len(faults) > 0 {
		t.Errorf("an attack that harms nobody: %q", faults)
	}
	for name, change := range map[string]func(*outcome){
		"a failure":       func(o *outcome) { o.failures = []string{"a key"} },
		"slow keys":       func(o *outcome) { o.harmed.keys = []float64{4.1} },
		"slow logins":     func(o *outcome) { o.harmed.logins = []float64{41} },
		"slow streams":    func(o *outcome) { o.harmed.streams = []float64{601} },
		"memory":          func(o *outcome) { o.memory = 256 },
		"log":             func(o *outcome) { o.log = 1 << 20 },
		"a stop too late": func(o *outcome) { o.stopErr = errors.New("too late") },
		"leftovers":       func(o *outcome) { o.left = "1 process" },
	} {
		o := good()
		change(o)
		if faults := o.faults(false); len(faults) != 1 {
			t.Errorf("%s: %q", name, faults)
		}
	}
}

// Each attack can be named, and tells in a line what it is.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range attacks {
		if a.name == "" || seen[a.name] || a.about == "" || a.run == nil {
			t.Errorf("%q, %q: a name of its own, a line about it and something to do", a.name,
				a.about)
		}
		seen[a.name] = true
	}
	if chosen, err := choose(nil); err != nil || len(chosen) != len(attacks) {
		t.Errorf("without a name: %d attacks, %v", len(chosen), err)
	}
	if _, err := choose([]string{"hung-dir", "nonsense"}); err == nil {
		t.Error("nonsense was chosen")
	}
}
