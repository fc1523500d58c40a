//go:build linux

package service_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"minissh/scripts/testhost"
)

// files are all names below a directory.
func files(t *testing.T, top string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		if err == nil && name != top {
			names = append(names, strings.TrimPrefix(name, top))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// builtPrograms is a directory with the programs that the tests use, as scripts/build would name
// them.
func builtPrograms(p *testhost.Place) string {
	// looked at, so that a cached result does not outlive a change
	for _, dir := range []string{"../install", "../completion", "../man", "."} {
		os.Stat(dir)
		found, _ := filepath.Glob(dir + "/*")
		for _, name := range found {
			os.Stat(name)
		}
	}
	built := p.Path("built")
	if _, err := os.Stat(built); err != nil {
		p.Must(os.Mkdir(built, 0o700))
		for _, machine := range []string{"amd64", "arm64"} {
			for _, program := range []string{"minissh", "minisshd"} {
				p.Must(os.Symlink(filepath.Join(testhost.Bin, program),
					filepath.Join(built, program+"-linux-"+machine)))
			}
		}
	}
	return built
}

// install runs scripts/install with the programs that the tests use.
func install(t *testing.T, p *testhost.Place, env []string, args ...string) testhost.Ran {
	t.Helper()
	built := builtPrograms(p)
	script, err := filepath.Abs("../install")
	p.Must(err)
	if !slices.Contains(args, "--uninstall") && !slices.Contains(args, "--from") {
		args = append(args, "--from", built)
	}
	cmd := p.Command("sh", append([]string{script}, args...)...)
	cmd.Env = append(cmd.Env, env...)
	return p.RunCmd(cmd)
}

func TestInstall(t *testing.T) {
	for _, c := range []struct {
		name, below string
		args        []string
		has         []string
		next        string
	}{
		{"system", "/usr/local", nil, []string{
			"/bin/minissh", "/bin/minisshd", "/share/man/man1/minissh.1",
			"/share/man/man8/minisshd.8",
			"/share/bash-completion/completions/minissh", "/share/zsh/site-functions/_minissh",
			"/share/fish/vendor_completions.d/minissh.fish",
			"/share/minissh/fail2ban-minisshd.conf",
			"/lib/systemd/system/minisshd.service", "/lib/systemd/system/minisshd.socket",
			"/lib/systemd/user/minisshd.service",
		}, "systemctl enable --now minisshd.socket"},
		{"user", "/home/.local", []string{"--user"}, []string{
			"/bin/minissh", "/bin/minisshd", "/share/man/man1/minissh.1",
			"/share/systemd/user/minisshd.service",
		}, "systemctl --user enable --now minisshd"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := testhost.New(t)
			root := p.Path("root")
			p.Must(os.Mkdir(root, 0o755))
			prefix := c.below
			if c.name == "user" {
				prefix = p.Home + "/.local"
			}
			// these two were there before
			p.Must(os.MkdirAll(filepath.Join(root, prefix, "share/man"), 0o755))
			p.Must(os.WriteFile(filepath.Join(root, prefix, "share/man/other"), nil, 0o644))
			before := files(t, root)
			env := []string{"DESTDIR=" + root}
			var after []string
			for run := range 2 {
				r := install(t, p, env, c.args...)
				if r.Code != 0 || r.Err != "" || !strings.Contains(r.Out, c.next) {
					t.Fatalf("run %d: %+v", run, r)
				}
				now := files(t, root)
				if run > 0 && !slices.Equal(now, after) {
					t.Errorf("the second run changes %q to %q", after, now)
				}
				after = now
				for _, name := range c.has {
					if !slices.Contains(now, prefix+name) ||
						!strings.Contains(r.Out, "installed "+root+prefix+name+"\n") {
						t.Errorf("%s is not installed: %s", name, r.Out)
					}
				}
			}
			for _, name := range after {
				info, err := os.Lstat(root + name)
				p.Must(err)
				if mode := info.Mode().Perm(); mode&0o022 != 0 || mode&0o444 != 0o444 {
					t.Errorf("%s has mode %v", name, mode)
				}
			}
			if r := p.Run(root+prefix+"/bin/minissh", "version"); !strings.HasPrefix(r.Out,
				"minissh/") {
				t.Errorf("%+v", r)
			}
			if r := install(t, p, env, append(c.args, "--uninstall")...); r.Code != 0 ||
				r.Err != "" {
				t.Errorf("uninstall: %+v", r)
			}
			if now := files(t, root); !slices.Equal(now, before) {
				t.Errorf("%q stays", now)
			}
			if r := install(t, p, env, append(c.args, "--uninstall")...); r.Code != 1 ||
				!strings.Contains(r.Err, "nothing is installed") {
				t.Errorf("a second time: %+v", r)
			}
		})
	}
}

// A packager's DESTDIR need not be there yet; it stays, empty.
func TestInstallMakesDESTDIR(t *testing.T) {
	t.Parallel()
	p := testhost.New(t)
	env := []string{"DESTDIR=" + p.Path("package/root")}
	if r := install(t, p, env); r.Code != 0 {
		t.Fatalf("%+v", r)
	}
	if r := install(t, p, env, "--uninstall"); r.Code != 0 ||
		len(files(t, p.Path("package/root"))) != 0 {
		t.Errorf("%+v", r)
	}
}

// What others put beside our files stays, and is named; a file of ours that is gone already does
// not matter.
func TestUninstallLeavesOthers(t *testing.T) {
	p := testhost.New(t)
	p.Must(os.Mkdir(p.Path("root"), 0o755))
	env := []string{"DESTDIR=" + p.Path("root"), "PREFIX=/opt/minissh"}
	if r := install(t, p, env); r.Code != 0 {
		t.Fatalf("%+v", r)
	}
	p.Write("root/opt/minissh/bin/other", "x")
	p.Must(os.Remove(p.Path("root/opt/minissh/bin/minissh")))
	r := install(t, p, env, "--uninstall")
	if r.Code != 0 ||
		!strings.Contains(r.Out, "left "+p.Path("root/opt/minissh/bin")+", which is not empty") {
		t.Errorf("%+v", r)
	}
	if got := files(t, p.Path("root")); !slices.Equal(got,
		[]string{"/opt", "/opt/minissh", "/opt/minissh/bin", "/opt/minissh/bin/other"}) {
		t.Errorf("%q", got)
	}
}

func TestInstallRefuses(t *testing.T) {
	p := testhost.New(t)
	for _, c := range []struct {
		env  []string
		args []string
		said string
	}{
		{nil, []string{"--nonsense"}, "--nonsense is not understood"},
		{[]string{"PREFIX=relative"}, nil, "does not begin with /"},
		{[]string{"PREFIX=/with a space"}, nil, "systemd cannot be told"},
		{[]string{"PREFIX=/with%t"}, nil, "systemd cannot be told"},
		{[]string{"DESTDIR=" + p.Path("root")}, []string{"--from", p.Path("nothing")}, "holds no minissh-linux-"},
		{[]string{"DESTDIR=/proc"}, nil, "cannot make /proc/"},
	} {
		if r := install(t, p, c.env, c.args...); r.Code != 1 || !strings.Contains(r.Err, c.said) {
			t.Errorf("%q %q: %+v", c.env, c.args, r)
		}
	}
}

// systemd itself reads the installed units and finds nothing to say. This is its parser and its
// checks of what units refer to; that a running systemd starts them is not shown, since no test is
// PID 1.
func TestUnits(t *testing.T) {
	analyze := testhost.Need(t, "systemd-analyze")
	p := testhost.New(t)
	prefix := p.Path("usr")
	if !regexp.MustCompile(`^[A-Za-z0-9/._+@-]*$`).MatchString(prefix) {
		t.Skip("not run: needs a temporary directory with a plain name")
	}
	if r := install(t, p, []string{"PREFIX=" + prefix}); r.Code != 0 {
		t.Fatalf("%+v", r)
	}
	system, user := prefix+"/lib/systemd/system/", prefix+"/lib/systemd/user/"
	if r := p.Run(analyze, "verify", "--man=no", system+"minisshd.service",
		system+"minisshd.socket"); r.Code != 0 || r.Out+r.Err != "" {
		t.Errorf("verify: %+v", r)
	}
	cmd := p.Command(analyze, "--user", "verify", "--man=no", user+"minisshd.service")
	cmd.Env = append(cmd.Env, "XDG_RUNTIME_DIR="+p.Dir)
	if r := p.RunCmd(cmd); r.Code != 0 || r.Out+r.Err != "" {
		t.Errorf("verify of the user's unit: %+v", r)
	}
	// The units were installed for a place of their own, and name it.
	if text := p.Read("usr/lib/systemd/system/minisshd.service"); !strings.Contains(text,
		"ExecStart="+prefix+"/bin/minisshd ") || strings.Contains(text, "\nExecStart=@") {
		t.Error("ExecStart= does not name the program")
	}
	// The measure of systemd-analyze is how much a service is locked in. One that gives shells to
	// all accounts cannot be (the unit says why): sshd.service of Debian has 9.6 of 10. There is
	// still a bound here, so that nothing that was gained is lost.
	const exposure = 9.6
	r := p.Run(analyze, "security", "--offline=true", "--no-pager",
		"--threshold="+strconv.Itoa(exposure*10), system+"minisshd.service")
	if r.Code != 0 {
		t.Errorf("security: %+v", r)
	}
	t.Log(r.Out[strings.LastIndex(strings.TrimSpace(r.Out), "\n")+1:])
}

// Settings that the users' shells would inherit are not in the units, and those that make a daemon
// with shells safe do.
func TestUnitsLetShellsWork(t *testing.T) {
	forbidden := regexp.MustCompile(
		`(?m)^(NoNewPrivileges|Protect\w+|Private\w+|Restrict\w+|LockPersonality|MemoryDenyWriteExecute|SystemCall\w+|CapabilityBoundingSet|AmbientCapabilities|User|DynamicUser|RootDirectory|ReadOnlyPaths|InaccessiblePaths|IPAddress\w+|SecureBits|UMask|MemoryMax|CPUQuota)=`)
	for _, unit := range []string{"minisshd.service", "minisshd-user.service"} {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		if found := forbidden.FindString(string(text)); found != "" {
			t.Errorf("%s has %s", unit, found)
		}
		for _, want := range []string{"Type=notify", "NotifyAccess=main", "KillMode=process",
			"OOMPolicy=continue"} {
			if !strings.Contains(string(text), "\n"+want+"\n") {
				t.Errorf("%s lacks %s", unit, want)
			}
		}
		if unit == "minisshd.service" &&
			!strings.Contains(string(text),
				"\nRuntimeDirectory=minissh\nRuntimeDirectoryMode=0711\n"+
					"RuntimeDirectoryPreserve=yes\n") {
			t.Errorf("%s lacks the control socket's folder", unit)
		}
	}
}
