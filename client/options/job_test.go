package options

import (
	"slices"
	"strings"
	"testing"
)

// What makes no sense for a job is refused by its name, wherever it is on the command line, with
// --detach and with each verb about jobs; what the configuration says is not.
func TestUnfitForJobs(t *testing.T) {
	env := testEnv(t)
	for args, name := range map[string]string{
		"-L 1:a:2": "-L", "-R 1:a:2": "-R", "-D 1": "-D", "-W a:1": "-W", "-N": "-N", "-f": "-f",
		"-A": "-A", "-M": "-M", "-S /s": "-S", "-o ControlPath=/s": "-S", "-O check": "-O",
		"-s": "-s", "-o LocalForward=/a /b": "-L",
	} {
		words := strings.SplitN(args, " ", 2)
		for _, line := range [][]string{
			slices.Concat([]string{"--detach"}, words, []string{"h", "x"}),
			slices.Concat([]string{"h", "--detach"}, words, []string{"x"}),
		} {
			_, err := env.Parse(line)
			if err == nil || !strings.HasPrefix(err.Error(), name+" does not go together with "+
				"--detach") || err.(Hinter).Hint() == "" {
				t.Errorf("%q: %v", line, err)
			}
		}
		o, err := env.Parse(slices.Concat(JobVerbOptions, words, []string{"h", "x"}))
		if err == nil {
			err = o.RefuseForVerb("attach", true)
		}
		if err == nil || !strings.Contains(err.Error(), name+" ") {
			t.Errorf("job attach %q: %v", args, err)
		}
	}
	for args, name := range map[string]string{"--detach": "--detach", "--name a": "--name",
		"--spool-wait": "--spool-wait", "--timeout 5": "--timeout", "--exec": "--exec",
		"--outcome f": "--outcome"} {
		o, err := env.Parse(slices.Concat(JobVerbOptions, strings.Fields(args),
			[]string{"h", "x"}))
		if err == nil {
			err = o.RefuseForVerb("list", false)
		}
		if err == nil || !strings.HasPrefix(err.Error(), name+" ") {
			t.Errorf("job list %s: %v", args, err)
		}
	}
	for _, args := range []string{"-a -n -S none -o ControlMaster=no h", "--outcome f h x",
		"-p 1 -v h x"} {
		o, err := env.Parse(slices.Concat(JobVerbOptions, strings.Fields(args)))
		if err == nil {
			err = o.RefuseForVerb("collect", true)
		}
		if err != nil {
			t.Errorf("job collect %s: %v", args, err)
		}
	}
}

// The configuration's company of a command is told and not set up; a verb does not hear of it.
func TestConfigurationForJobs(t *testing.T) {
	env := testEnv(t)
	file := t.TempDir() + "/config"
	write(t, file, "LocalForward 1 a:2\nForwardAgent /agent\nControlMaster yes\nControlPath /s\n"+
		"RemoteCommand x\nForkAfterAuthentication yes\n", 0o600)
	o, err := env.Parse([]string{"-F", file, "--detach", "h"})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(o.Notes, "without effect for a job: LocalForward, ForwardAgent, "+
		"ControlMaster of the configuration") {
		t.Errorf("%q", o.Notes)
	}
	if o.LocalForwards != nil || o.LentAgent != "" || o.IsMaster() || o.ForkAfterAuthentication {
		t.Errorf("%+v", o)
	}
	o, err = env.Parse(slices.Concat(JobVerbOptions, []string{"-F", file, "h", "job"}))
	if err == nil {
		err = o.RefuseForVerb("attach", true)
	}
	if err != nil || len(o.Warnings) > 0 || o.LocalForwards != nil || o.LentAgent != "" ||
		o.IsMaster() || o.ForkAfterAuthentication {
		t.Errorf("%v, %+v", err, o)
	}
	write(t, file, "SessionType none\n", 0o600)
	if _, err = env.Parse([]string{"-F", file, "--detach", "h", "x"}); err == nil ||
		!strings.HasPrefix(err.Error(), "SessionType none, in the configuration, does not go") {
		t.Error(err)
	}
}

// What --detach, --name, --spool-wait and --outcome need.
func TestJobOptions(t *testing.T) {
	env := testEnv(t)
	for args, want := range map[string]string{
		"--name a h x":                   "--name is for a job: it needs --detach",
		"--spool-wait h x":               "--spool-wait is for a job: it needs --detach",
		"--detach h":                     "--detach needs a command, or -t",
		"--detach -t h":                  "",
		"--detach -o RequestTTY=force h": "",
		"--detach -o RemoteCommand=x h":  "",
		"--detach --name a.b-c_9 --timeout 5 --spool-wait --exec h x": "",
		"--detach --name -a h x":   "--name: -a is not 1 to 64 letters",
		"--detach --name a/b h x":  "--name: a/b is not 1 to 64 letters",
		"--detach --outcome f h x": "--outcome does not go together with --detach",
		"--outcome f -N h":         "--outcome tells of a command",
		"--outcome f -W a:1 h":     "--outcome tells of a command",
		"--outcome f -O check h":   "--outcome tells of a command",
		"--outcome f h x":          "",
		"--outcome f h":            "",
		"--outcome= h":             "--outcome needs the name of a file",
	} {
		_, err := env.Parse(strings.Fields(args))
		if want == "" && err != nil || want != "" && (err == nil ||
			!strings.HasPrefix(err.Error(), want) || err.(Hinter).Hint() == "") {
			t.Errorf("%s: %v", args, err)
		}
	}
	// a command line that cannot be read has an outcome, too; words of the command are not options
	var wrong *UsageError
	_, err := env.Parse([]string{"--outcome", "f", "--nonsense", "h"})
	if wrong, _ = err.(*UsageError); wrong == nil || wrong.Outcome != "f" {
		t.Errorf("%+v", err)
	}
	_, err = env.Parse([]string{"-y", "-E", "log", "h", "prog", "--outcome", "precious"})
	if wrong, _ = err.(*UsageError); wrong == nil || wrong.Outcome != "" {
		t.Errorf("%+v", err)
	}
}

// --spool takes sizes, and no nonsense.
func TestSpool(t *testing.T) {
	for arg, want := range map[string]int64{
		"1": 1, "500M": 500 << 20, "10g": 10 << 30, "8T": 8 << 40, "0": 0, "-1": 0, "": 0, "x": 0,
		"1KM": 0, "1E": 0, "9999999999T": 0, "1.5G": 0, "G": 0,
	} {
		o, err := Parse([]string{"-F", "none", "--detach", "--spool=" + arg, "host", "true"})
		if (err == nil) != (want > 0) || err == nil && o.Spool != want {
			t.Errorf("%q: %v", arg, err)
		}
	}
	if _, err := Parse([]string{"-F", "none", "--spool", "1G", "host", "true"}); err == nil {
		t.Error("--spool without --detach is taken")
	}
}
