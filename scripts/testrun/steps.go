package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"minissh/scripts/lifetime"
)

// Tools that are not part of Go, at the versions that this tree is checked with.
const (
	staticcheck = "honnef.co/go/tools/cmd/staticcheck@v0.8.2"
	govulncheck = "golang.org/x/vuln/cmd/govulncheck@v1.8.0"
)

// steps of a run, quick ones first.
func (r *runner) steps(programs bool) []step {
	var all []step
	if programs {
		all = append(all, step{"programs", r.install})
	}
	all = append(all, step{"gofmt", r.gofmt}, step{"go vet", r.goTool(nil, "vet", "./...")})
	for _, system := range []string{"windows", "darwin"} {
		all = append(all,
			step{"go vet, " + system, r.goTool([]string{"GOOS=" + system, "CGO_ENABLED=0"}, "vet",
				"./...")})
	}
	if !programs {
		for _, target := range []string{"linux/amd64", "linux/arm64", "darwin/arm64",
			"windows/amd64"} {
			system, processor, _ := strings.Cut(target, "/")
			all = append(all,
				step{"go build, " + target,
					r.goTool([]string{"GOOS=" + system, "GOARCH=" + processor, "CGO_ENABLED=0"},
						"build", "-trimpath", "./...")})
		}
		return append(all, step{"go test", r.goTest(every)})
	}
	return append(all,
		step{"staticcheck", r.goTool(nil, "run", staticcheck, "./...")},
		step{"govulncheck", r.vulnerabilities},
		step{"scripts/build", r.build}, // all programs, for six targets
		step{"go test -race", r.goTest(raced, "-race", "-short", "-skip", long)},
		step{"go test, the long ones", r.goTest(raced, "-run", long)},
		step{"go test, the others", r.goTest(plain)},
		step{"fuzzing", r.fuzz}, step{"scripts/soak", r.soak})
}

// With the programs each test runs once, under the race detector: but for these packages, whose
// tests wait for other people's programs or count what the detector changes, ...
var plainly = []string{
	"minissh/cmd/minissh-lab/check", "minissh/cmd/minissh-lab/conform",
	"minissh/cmd/minissh-lab/web", "minissh/scripts/attacks", "minissh/scripts/copying",
	"minissh/scripts/engines", "minissh/scripts/model", "minissh/scripts/packaging",
	"minissh/scripts/soaking",
}

func every(string) bool      { return true }
func plain(name string) bool { return slices.Contains(plainly, name) }
func raced(name string) bool { return !plain(name) }

// ... and these tests, which are as long, or do less with -short.
var long = "^(" + strings.Join([]string{
	"TestPromptOfEachShell", "TestCutAtEveryFrame", // cmd/minissh
	"TestClassOfNinetyMinutes", // cmd/minissh-lab
	"TestEveryOptionAgainstEveryService", "TestCutServicesAtEveryByteRead", "TestKeyForAFolder",
	"TestOthersSessionsAreNotFound", "TestResumesInALoop", "TestKilledClient", // daemon
	"TestHostileCertificatesAsSSHDJudges",                 // daemon/access
	"TestScreenAgainstTmux",                               // daemon/keeper
	"TestTerminalTries",                                   // daemon/process
	"TestAllocations",                                     // protocol, protocol/mux
	"TestManyNames",                                       // protocol/files
	"TestStream", "TestManyConnections", "TestRemoteMany", // scripts/forwarding
	"TestRestic", "TestTar", "TestJumpThroughOpenSSH", "TestLftp", "TestSshfs", "TestSftp",
	"TestLentAgent",                                          // scripts/friends
	"TestMemoryOfHoarders",                                   // scripts/hostile
	"TestWholeLines", "TestUnconfirmed", "TestStalledOutput", // scripts/fleet
}, "|") + ")$"

// command prepares a process of the run: no input, no terminal, killed with all it started when ctx
// ends.
func (r *runner) command(ctx context.Context, env []string, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	if runtime.GOOS != "windows" { // where daemons are; an ordinary user's path does not look there
		cmd.Env = append(cmd.Env, "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	}
	lifetime.Group(cmd)
	return cmd
}

// output runs a process and returns all it printed.
func (r *runner) output(ctx context.Context, env []string, name string, args ...string) (string,
	error) {
	out, err := r.command(ctx, env, name, args...).CombinedOutput()
	return string(out), err
}

// goTool makes a step of one go command that prints what it found and exits with a code other than
// 0.
func (r *runner) goTool(env []string, args ...string) func(context.Context) outcome {
	return func(ctx context.Context) outcome {
		if out, err := r.output(ctx, env, "go", args...); err != nil {
			return failed("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return outcome{}
	}
}

// build makes the binaries for people without Go and checks their sums.
func (r *runner) build(ctx context.Context) outcome {
	dir, err := os.MkdirTemp("", "minissh-build-")
	if err != nil {
		return failed("%v", err)
	}
	defer os.RemoveAll(dir)
	if out, err := r.output(ctx, nil, "scripts/build", dir); err != nil {
		return failed("scripts/build: %v\n%s", err, out)
	}
	check := r.command(ctx, nil, "sha256sum", "-c", "--quiet", "SHA256SUMS")
	check.Dir = dir
	if out, err := check.CombinedOutput(); err != nil {
		return failed("sha256sum -c: %v\n%s", err, out)
	}
	return outcome{}
}

// What the links of a session endure in each run.
const (
	soakCuts = "150"
	soakSeed = "15"
)

// soak cuts links, and looks whether anything was lost.
func (r *runner) soak(ctx context.Context) outcome {
	out, err := r.output(ctx, nil, "scripts/soak", "--cuts", soakCuts, "--seed", soakSeed,
		"--minutes", "4")
	if err != nil {
		return failed("scripts/soak: %v\n%s", err, out)
	}
	note := "" // the line with the number of cuts and the seed
	for line := range strings.Lines(out) {
		if strings.Contains(line, " cuts, ") {
			note, _, _ = strings.Cut(strings.TrimSpace(line), ";")
		}
	}
	return outcome{note: note}
}

// gofmt fails when a file is not as gofmt would write it.
func (r *runner) gofmt(ctx context.Context) outcome {
	out, err := r.output(ctx, nil, "gofmt", "-l", ".")
	if err != nil || out != "" {
		return failed("gofmt -w would change:\n%s", out)
	}
	return outcome{}
}

// vulnerabilities runs govulncheck. Where its data cannot be fetched it has found out nothing, and
// that is said.
func (r *runner) vulnerabilities(ctx context.Context) outcome {
	out, err := r.output(ctx, nil, "go", "run", govulncheck, "./...")
	switch {
	case err == nil:
		return outcome{}
	case strings.Contains(out, "fetching vulnerabilities:"):
		return outcome{note: "not run", notRun: "govulncheck's data cannot be had here"}
	}
	return failed("govulncheck: %v\n%s", err, out)
}

// withoutBashrc begins a command line that hides root's own ~/.bashrc, in a mount namespace:
// bash(1) reads it for commands that come over a network, which the tests run as root in hundreds,
// and what a person has in there may take long and say anything. Nil where there is none, or no
// such namespace.
func (r *runner) withoutBashrc(ctx context.Context) []string {
	home, err := os.UserHomeDir()
	file := filepath.Join(home, ".bashrc")
	if err != nil || os.Geteuid() != 0 {
		return nil
	}
	if _, err := os.Stat(file); err != nil {
		return nil
	}
	hide := []string{"unshare", "--mount", "sh", "-c", `mount --bind /dev/null "$0" && exec "$@"`,
		file}
	if _, err := r.output(ctx, nil, hide[0], append(hide[1:], "true")...); err != nil {
		return nil
	}
	return hide
}

// goTest makes a step of the Go tests in the packages that pick takes.
func (r *runner) goTest(pick func(string) bool, flags ...string) func(context.Context) outcome {
	return func(ctx context.Context) outcome {
		packages, err := r.output(ctx, nil, "go", "list", "./...")
		if err != nil {
			return failed("go list: %v\n%s", err, packages)
		}
		args := append(append(r.withoutBashrc(ctx), "go", "test", "-json", "-timeout", "10m"),
			flags...)
		for name := range strings.FieldsSeq(packages) {
			if pick(name) {
				args = append(args, name)
			}
		}
		cmd := r.command(ctx, nil, args[0], args[1:]...)
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			return failed("%v", err)
		}
		var stderr strings.Builder
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			return failed("%v", err)
		}
		_, before, _ := r.tests.counts()
		passed, details, err := r.tests.read(stdout)
		if ended := cmd.Wait(); err == nil {
			err = ended
		}
		_, after, _ := r.tests.counts()
		note := fmt.Sprintf("%d tests; most seconds: %s", passed, r.tests.slowest(6))
		o := outcome{note: note, details: details, failed: err != nil ||
			after > before, counted: after > before}
		if err != nil && !o.counted {
			o.details = append(o.details, err.Error(), stderr.String())
		}
		return o
	}
}
