//go:build linux

package packaging_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"minissh/scripts/testhost"
)

// rpm installs, upgrades and erases its packages, and runs their scripts, in the files of a machine
// made from nothing. That machine is a Debian, so its rpm is told not to look for what Fedora calls
// its packages. Settings that were edited stay, as rpm does it.
func TestRPM(t *testing.T) {
	p := testhost.New(t)
	testhost.Need(t, "rpm")
	dir := packages(t, p)
	root := p.Path("root")
	before := p.Path("before")
	for _, place := range []string{root, before} {
		unpack := exec.Command("sh", "-c", `mkdir "$1" && tar -xf "$2" -C "$1" --exclude "./dev/*"`,
			"sh", place, archive(t))
		if out, err := unpack.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	rpm := func(args ...string) string {
		t.Helper()
		r := p.Run("rpm", append([]string{"--root", root, "--dbpath", "/var/lib/rpm"}, args...)...)
		if r.Code != 0 {
			t.Fatalf("rpm %q: %+v", args, r)
		}
		return r.Out
	}
	files := func(version string) []string {
		found, _ := filepath.Glob(dir + "/*-0.1+test" + version + "-1.*.rpm")
		if len(found) != 2 {
			t.Fatalf("version %s: %q", version, found)
		}
		return found
	}
	rpm(append([]string{"-i", "--nodeps"}, files("1")...)...)
	if out := rpm("-V", "--nodeps", "minissh", "minisshd"); out != "" {
		t.Errorf("after the installation: %s", out)
	}
	const edit = `echo "# mine" >>"$1/etc/minisshd/minisshd.conf"`
	p.Must(exec.Command("sh", "-c", edit, "sh", root).Run())
	rpm(append([]string{"-U", "--nodeps"}, files("2")...)...)
	if out := rpm("-qa"); strings.Count(out, "+test2") != 2 || strings.Contains(out, "+test1") {
		t.Errorf("after the upgrade: %s", out)
	}
	if text := p.Read("root/etc/minisshd/minisshd.conf"); !strings.HasSuffix(text, "# mine\n") {
		t.Errorf("after the upgrade the settings end with %q", text[max(0, len(text)-80):])
	}
	rpm("-e", "minissh", "minisshd")
	left, err := testhost.Differences(before, root)
	p.Must(err)
	for line := range strings.Lines(left) {
		name, _, _ := strings.Cut(line[2:], " ")
		switch name = strings.Trim(name, `"`); {
		case name == "/etc/minisshd" || name == "/etc/minisshd/minisshd.conf.rpmsave":
		case strings.HasPrefix(name, "/var/lib/rpm"), strings.HasPrefix(name, "/etc/fail2ban"),
			strings.HasPrefix(name, "/usr/share/zsh"), strings.HasPrefix(name, "/usr/share/fish"):
			// directories of others, which are on a machine that has these programs
			if strings.Contains(name, "minissh") {
				t.Errorf("left: %s", line)
			}
		default:
			t.Errorf("left: %s", line)
		}
	}
}
