package stage

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestParseEnvironment(t *testing.T) {
	pairs, bad := parseEnvironment("A=b\n\n# c=d\n \tE= f=g \nnothing\n=x\nH=\x00\nI=")
	if want := []string{"A=b", "E= f=g ", "I="}; !slices.Equal(pairs, want) {
		t.Errorf("%q", pairs)
	}
	if !slices.Equal(bad, []int{5, 7}) {
		t.Errorf("%v", bad)
	}
	// 1,000 lines and no more
	if pairs, _ := parseEnvironment(strings.Repeat("A=b\n", 1001)); len(pairs) != 1000 {
		t.Errorf("%d lines", len(pairs))
	}
}

// A file adds to the environment, and changes all but what comes after it. One that is too long, or
// not a file, counts for nothing.
func TestOwnEnvironment(t *testing.T) {
	home := t.TempDir()
	file := filepath.Join(home, ".ssh", "environment")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	before := []string{"A=1", "AB=2", "C=3"}
	for text, want := range map[string][]string{
		"A=x\nC=y\nD=z\n":             {"A=x", "AB=2", "C=kept", "D=z", "E=more"},
		strings.Repeat("#", 64<<10):   {"A=1", "AB=2", "C=kept", "E=more"},
		strings.Repeat("#", 64<<10+1): before,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		a := &Arrival{Home: home, EnvFile: true, EnvAfter: []string{"C=kept", "E=more"}}
		got, bad := a.Environment(before)
		if !slices.Equal(got, want) || (bad != "") != (len(text) > 64<<10) {
			t.Errorf("%.20q: %q, %q", text, got, bad)
		}
		a.EnvFile = false
		if got, _ := a.Environment(before); !slices.Equal(got, before) {
			t.Errorf("not asked for: %q", got)
		}
	}
	if !slices.Equal(before, []string{"A=1", "AB=2", "C=3"}) {
		t.Errorf("it changed %q", before)
	}
}

// The account's script is the first choice, the system's the second, and limits of memory hold for
// both: this program does not have them itself.
func TestRC(t *testing.T) {
	home := t.TempDir()
	system := filepath.Join(home, "system")
	a := &Arrival{Home: home, UserRC: true, Shell: "/bin/zsh", RC: system}
	want := func(what string, limits []Limit, words ...string) {
		t.Helper()
		if got := a.rc(limits); !slices.Equal(got, words) {
			t.Errorf("%s: %q", what, got)
		}
	}
	want("no file", nil)
	for _, file := range []string{system, filepath.Join(home, ".ssh", "rc")} {
		os.MkdirAll(filepath.Dir(file), 0o700)
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want("both", nil, "/bin/zsh", "-c", "/bin/sh .ssh/rc")
	want("of files", []Limit{{7, 100, 100}}, "/bin/zsh", "-c", "/bin/sh .ssh/rc")
	limits := []Limit{{9, 1 << 20, 1 << 20}}
	want("of memory", limits, Limited("/proc/self/exe", limits, "/bin/zsh",
		[]string{"/bin/zsh", "-c", "/bin/sh .ssh/rc"})...)
	a.UserRC = false
	want("not the account's", nil, "/bin/sh", system)
	a.RC = ""
	want("neither", nil)
}

// The script has three descriptors, whatever the program will have, and no input. The program has
// what it had.
func TestRunHasThreeDescriptors(t *testing.T) {
	const mark = "MINISSH_TEST_RUN_OF_RC"
	if os.Getenv(mark) != "" { // with a descriptor 3
		a := &Arrival{Home: "/"}
		err := a.run([]string{"/bin/sh", "-c",
			"cat; for n in 0 1 2 3 4 5 6 7; do [ ! -e /proc/$$/fd/$n ] || echo $n; done"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if flags, err := fcntl(3, syscall.F_GETFD, 0); err != nil || flags != 0 {
			t.Fatalf("afterwards %d, %v", flags, err)
		}
		os.Exit(0)
	}
	theirs, ours, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	defer ours.Close()
	cmd := exec.Command(os.Args[0], "-test.run=^TestRunHasThreeDescriptors$")
	cmd.Env, cmd.ExtraFiles, cmd.Stdin = append(os.Environ(), mark+"=1"), []*os.File{ours}, theirs
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "0\n1\n2\n" {
		t.Errorf("%v, %q", err, out)
	}
}
