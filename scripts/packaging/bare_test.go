//go:build linux

package packaging_test

import (
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"minissh/scripts/testhost"
)

// Without systemd the package is installed, upgraded under an open shell, removed and purged too.
// What the administrator has written stays, until the purge.
func TestWithoutSystemd(t *testing.T) {
	p := testhost.New(t)
	nets := p.Network("server", "laptop")
	laptop := nets[1]
	m := begin(t, p, nets[0], "/bin/sleep", "1000")
	before := m.files()
	m.must("dpkg -i minisshd_0.1+test1_*.deb")
	m.must("useradd -m -s /bin/sh alice")
	m.must("adduser --quiet --disabled-password --gecos '' bob")
	for _, name := range []string{"alice", "bob"} {
		key := m.do("mkdir -m 700 /home/" + name + "/.ssh && cat >/home/" + name +
			"/.ssh/authorized_keys && chown -R " + name + ": /home/" + name + "/.ssh")
		key.Stdin = strings.NewReader(p.Read("authorized_keys"))
		p.Must(key.Run())
	}
	const settings = "# mine\nhost-key /etc/minisshd/host_key\nlisten :7422\n"
	m.must("printf '" + settings + "' >/etc/minisshd/minisshd.conf")
	key := m.do("umask 077 && cat >/etc/minisshd/host_key")
	key.Stdin = strings.NewReader(p.Read("host_key"))
	p.Must(key.Run())
	daemon := p.Start(m.do("exec minisshd --supervisor yes"))
	daemon.Out.Await(t, "host key")
	p.Write("home/.ssh/known_hosts", "[192.0.2.1]:7422 "+p.Read("host_key.pub"))
	for _, name := range []string{"alice", "bob"} {
		r := p.RunCmd(laptop.Do("minissh", name+"@192.0.2.1", "id -un"))
		if r.Out != name+"\n" {
			t.Fatalf("%s: %+v\n%s", name, r, daemon.Log)
		}
	}
	shell, fed, in := m.atWork(laptop)
	m.must("dpkg -i minisshd_0.1+test2_*.deb")
	m.inOldDaemon(2)
	stillAtWork(t, shell, fed, in)
	if now := m.must("cat /etc/minisshd/minisshd.conf"); now+"\n" != settings {
		t.Errorf("the settings are %q", now)
	}
	if r := p.RunCmd(laptop.Do("minissh", "bob@192.0.2.1", "id -un")); r.Out != "bob\n" {
		t.Errorf("after the upgrade: %+v\n%s", r, daemon.Log)
	}
	m.must("dpkg --remove minisshd")
	if now := m.must("cat /etc/minisshd/minisshd.conf"); now+"\n" != settings {
		t.Errorf("after the removal the settings are %q", now)
	}
	m.must("dpkg --purge minisshd")
	if left := unlike(before, m.files()); left != "" && !onlyAccounts(left) {
		t.Errorf("after the purge:\n%s", left)
	}
	m.must("dpkg -i minisshd_0.1+test2_*.deb && minisshd --version")
}

// lintian has nothing to say that is not explained, the RPM has the same files, and the same commit
// gives the same bytes.
func TestPackages(t *testing.T) {
	p := testhost.New(t)
	for _, name := range []string{"lintian", "rpm", "dpkg-deb"} {
		testhost.Need(t, name)
	}
	dir := packages(t, p)
	debs, _ := filepath.Glob(dir + "/*+test1_*.deb")
	if len(debs) != 2 {
		t.Fatalf("%q", debs)
	}
	linted(t, p, debs...)
	for _, deb := range debs {
		name := strings.Split(filepath.Base(deb), "_")[0]
		rpm, _ := filepath.Glob(dir + "/" + name + "-0.1+test1-1.*.rpm")
		if len(rpm) != 1 {
			t.Fatalf("%q", rpm)
		}
		theirs := p.Run("rpm", "-qpl", rpm[0]).Out
		for line := range strings.Lines(p.Run("dpkg-deb", "--contents", deb).Out) {
			fields := strings.Fields(line)
			file := strings.TrimPrefix(fields[5], ".")
			if file = strings.TrimPrefix(file, "/usr"); !strings.HasSuffix(file, "/") &&
				!strings.Contains(file, "lintian") && !strings.Contains(file, "changelog") &&
				!strings.Contains(theirs, strings.Replace(file, "vendor-completions",
					"site-functions", 1)+"\n") {
				t.Errorf("%s lacks %s", filepath.Base(rpm[0]), file)
			}
		}
		if name == "minisshd" {
			settings := p.Run("rpm", "-qpc", rpm[0]).Out
			for _, file := range []string{"/etc/minisshd/minisshd.conf", "/etc/pam.d/minisshd"} {
				if !strings.Contains(settings, file+"\n") {
					t.Errorf("%s is not among the RPM's settings: %q", file, settings)
				}
			}
		}
	}
	again := p.Path("again")
	cmd := exec.Command("../package", "--arch", architecture(t), again)
	cmd.Env = append(os.Environ(), "VERSION=0.1+test1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	rpms, _ := filepath.Glob(dir + "/*+test1-1.*.rpm")
	for _, file := range append(debs, rpms...) {
		a, err := os.ReadFile(file)
		p.Must(err)
		b, err := os.ReadFile(filepath.Join(again, filepath.Base(file)))
		p.Must(err)
		if sha256.Sum256(a) != sha256.Sum256(b) {
			t.Errorf("%s is different the second time", filepath.Base(file))
		}
	}
	for _, file := range rpms {
		host := p.Run("rpm", "-qp", "--queryformat", "%{BUILDHOST}", file).Out
		if host != "minissh" {
			t.Errorf("%s tells where it was made: %q", filepath.Base(file), host)
		}
	}
}

// linted runs lintian, which reads English even in a program's machine code: what it says of
// spelling there is chance.
func linted(t *testing.T, p *testhost.Place, debs ...string) {
	t.Helper()
	r := p.Run("lintian", append([]string{"--allow-root", "--display-info", "--pedantic",
		"--fail-on", "error,warning,info,pedantic", "--suppress-tags", "spelling-error-in-binary"},
		debs...)...)
	if r.Code != 0 {
		t.Errorf("lintian: %+v", r)
	}
}

// The packages of another processor are made as well, and --static leaves PAM out.
func TestOtherPackages(t *testing.T) {
	p := testhost.New(t)
	for _, name := range []string{"lintian", "dpkg-deb", "aarch64-linux-gnu-gcc"} {
		testhost.Need(t, name)
	}
	const library = "/usr/lib/aarch64-linux-gnu/libpam.so"
	if _, err := os.Stat(library); err != nil {
		t.Skip("not run: needs " + library)
	}
	for _, options := range [][]string{{"--arch", "arm64"}, {"--static", "--arch", "arm64"}} {
		dir := p.Path(options[0])
		cmd := exec.Command("../package", append(options, dir)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", options, err, out)
		}
		deb, _ := filepath.Glob(dir + "/minisshd_*_arm64.deb")
		if len(deb) != 1 {
			t.Fatalf("%q", deb)
		}
		static := options[0] == "--static"
		all := p.Run("dpkg-deb", "--contents", deb[0]).Out
		depends := p.Run("dpkg-deb", "--field", deb[0], "Depends").Out
		if strings.Contains(all, "/etc/pam.d/") == static ||
			strings.Contains(depends, "libpam0g") == static {
			t.Errorf("%q: depends on %s\n%s", options, depends, all)
		}
		if !static {
			linted(t, p, deb[0])
		}
	}
}
