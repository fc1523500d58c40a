//go:build linux

package packaging_test

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

// checklist are the lines of the README's walk from the package to the first login.
func checklist(p *testhost.Place) (lines []string) {
	text, err := os.ReadFile("../../cmd/minisshd/README.md")
	p.Must(err)
	_, block, _ := strings.Cut(string(text), "<!-- package: begin -->")
	block, _, _ = strings.Cut(block, "<!-- package: end -->")
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "  #")
		if strings.HasPrefix(line, "server# ") || strings.HasPrefix(line, "laptop$ ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// The administrator's checklist, line by line, on a machine made from nothing and from another one:
// from the package to the first login, over an upgrade with a shell open, to the last file.
func TestChecklist(t *testing.T) {
	p := testhost.New(t)
	nets := p.Network("server", "laptop")
	laptop := nets[1]
	m := begin(t, p, nets[0], "/lib/systemd/systemd", "--log-target=null")
	testend.Until(t, "systemd runs", func() bool {
		return strings.Contains(m.run("systemctl is-system-running").Out, "running")
	})
	before := m.files()
	m.must("cp minisshd_0.1+test1_*.deb /srv/minisshd.deb")
	p.Must(os.RemoveAll(p.Path("home/.ssh"))) // a laptop without a key
	var code string
	for _, line := range checklist(p) {
		where, what, _ := strings.Cut(line, " ")
		switch {
		case strings.HasPrefix(what, "minisshd pair"):
			pairing := p.Start(m.do(what))
			pairing.Out.Await(t, "Host key here")
			code = pairCode(t, pairing)
		case strings.HasPrefix(what, "minissh pair"):
			cmd := laptop.Do("sh", "-c", what)
			cmd.Stdin = strings.NewReader(code + "\n")
			if r := p.RunCmd(cmd); r.Code != 0 {
				t.Fatalf("%s: %+v", what, r)
			}
		case where == "laptop$":
			r := p.RunCmd(laptop.Do("sh", "-c", what))
			if r.Code != 0 {
				t.Fatalf("%s: %+v\n%s", what, r, m.run("journalctl --no-pager -o cat -n 40").Out)
			}
			if strings.HasSuffix(what, "hostname") && r.Out != "server\n" {
				t.Errorf("%s: %q", what, r.Out)
			}
		case strings.HasPrefix(what, "minisshd check") && code == "":
			if r := m.run(what); !strings.Contains(r.Err, "nobody could log in") {
				t.Errorf("%s, before anybody could log in: %+v", what, r)
			}
		case strings.Contains(what, "minisshd-new.deb"):
			m.must("cp minisshd_0.1+test2_*.deb /srv/minisshd-new.deb")
			shell, fed, in := m.atWork(laptop)
			m.must(what)
			m.inOldDaemon(2)
			stillAtWork(t, shell, fed, in)
			exe := m.must("readlink /proc/$(systemctl show -P MainPID minisshd)/exe")
			if exe != "/usr/bin/minisshd" {
				t.Errorf("after the upgrade the supervisor is %s", exe)
			}
		case strings.Contains(what, "purge"):
			shell, fed, in := m.atWork(laptop)
			m.must(what)
			stillAtWork(t, shell, fed, in)
		default:
			m.must(what)
		}
	}
	if left := unlike(before, m.files()); left != "" && !onlyAccounts(left) {
		t.Errorf("after the purge:\n%s", left)
	}
	if r := m.run("ls -d /run/minissh /var/lib/systemd/*/*minissh*"); r.Out != "" {
		t.Errorf("after the purge: %+v", r)
	}
}

var codeShape = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{3,}(-[0-9A-HJKMNP-TV-Z*~$=U]+)+$`)

// pairCode is the code that minisshd pair shows.
func pairCode(t *testing.T, pairing *testhost.Daemon) string {
	t.Helper()
	for line := range strings.Lines(pairing.Out.String()) {
		if code := strings.TrimSpace(line); codeShape.MatchString(code) {
			return code
		}
	}
	t.Fatalf("no code in %s", pairing.Out)
	return ""
}

// atWork opens a shell, and begins a transfer.
func (m *machine) atWork(laptop *testhost.Machine) (shell, fed *testhost.Daemon,
	in io.WriteCloser) {
	m.t.Helper()
	open := laptop.Do("minissh", "-tt", "alice@192.0.2.1")
	in, err := open.StdinPipe()
	m.Must(err)
	shell = m.Start(open)
	io.WriteString(in, "echo be\"\"gun; x=kept\n")
	shell.Out.Await(m.t, "begun")
	feeding := laptop.Do("sh", "-c",
		"(head -c 5000000 /dev/zero; cat; head -c 5000000 /dev/zero) | "+
			"minissh alice@192.0.2.1 'wc -c'")
	more, err := feeding.StdinPipe()
	m.Must(err)
	fed = m.Start(feeding)
	m.t.Cleanup(func() { more.Close() })
	testend.Until(m.t, "the transfer is under way", func() bool {
		return strings.Contains(m.must("minisshd who"), "wc -c")
	})
	return shell, fed, writers{in, more}
}

// writers are a shell's input and a transfer's.
type writers struct {
	io.WriteCloser
	more io.WriteCloser
}

// inOldDaemon says that so many sessions go on although another daemon serves now.
func (m *machine) inOldDaemon(want int) {
	m.t.Helper()
	if n := strings.Count(m.must("minisshd who"), "(old daemon)"); n != want {
		m.t.Errorf("%d sessions are in the old daemon, and there are %d", n, want)
	}
}

// stillAtWork says that neither the shell nor the transfer has ended, and ends them.
func stillAtWork(t *testing.T, shell, fed *testhost.Daemon, in io.WriteCloser) {
	t.Helper()
	io.WriteString(in, "echo still $x; exit\n")
	shell.Out.Await(t, "still kept")
	<-shell.Done
	in.(writers).more.Close()
	<-fed.Done
	if out := strings.TrimSpace(fed.Out.String()); out != "10000000" {
		t.Errorf("the transfer: %q %s", out, fed.Log)
	}
}

// onlyAccounts says whether what is left is about accounts: the administrator has made them.
func onlyAccounts(left string) bool {
	for line := range strings.Lines(left) {
		name, _, _ := strings.Cut(line, " ")
		switch strings.TrimSuffix(filepath.Base(name), "-") {
		case "passwd", "shadow", "group", "gshadow", "subuid", "subgid":
			continue
		}
		if !strings.HasPrefix(name, "/home/") && !strings.HasPrefix(name, "/var/mail/") {
			return false
		}
	}
	return true
}
