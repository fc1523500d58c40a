//go:build linux

package service_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

// With pam_systemd, a client's session is one of logind's: loginctl shows it, its processes are in
// the cgroup that logind gives them, and XDG_RUNTIME_DIR is there as long as the session.
func TestLogind(t *testing.T) {
	p := testhost.New(t)
	for _, name := range []string{"loginctl", "dbus-daemon", "useradd"} {
		testhost.Need(t, name)
	}
	if _, err := os.Stat("/usr/share/pam-configs/systemd"); err != nil {
		t.Skip("not run: needs /usr/share/pam-configs/systemd")
	}
	built := p.Path("built")
	p.Must(os.Mkdir(built, 0o700))
	for _, machine := range []string{"amd64", "arm64"} {
		p.Must(os.Symlink(p.WithPAM(), filepath.Join(built, "minisshd-linux-"+machine)))
		p.Must(os.Symlink(filepath.Join(testhost.Bin, "minissh"),
			filepath.Join(built, "minissh-linux-"+machine)))
	}
	b := boot(t, p, "--host-key "+p.Path("host_key")+" --authorized-keys /etc/keys/%u "+
		"--stop-grace 1s")
	b.shell("systemctl start dbus.socket && systemctl start systemd-logind.service")
	b.shell("useradd -m -s /bin/sh pamela && mkdir /etc/keys && cp " + p.Path("authorized_keys") +
		" /etc/keys/pamela && chmod 644 /etc/keys/pamela")
	rules, err := os.ReadFile("minisshd.pam")
	p.Must(err)
	b.shell("cp " + p.Write("rules", string(rules)) + " /etc/pam.d/minisshd")
	p.Knows("box", "7422")
	b.must("systemctl", "enable", "--now", "minisshd.socket")

	open := b.command("minissh", "-l", "pamela", "box", "echo begun; exec cat")
	in, err := open.StdinPipe()
	p.Must(err)
	client := p.Start(open)
	client.Out.Await(t, "begun")
	shown := strings.Fields(b.must("loginctl", "list-sessions", "--no-legend"))
	if len(shown) < 3 || shown[2] != "pamela" {
		t.Fatalf("loginctl lists %q\n%s", shown, b.journal())
	}
	show := func(property string) string {
		return b.must("loginctl", "show-session", shown[0], "--value", "-p", property)
	}
	for property, want := range map[string]string{"Remote": "yes", "RemoteHost": "127.0.0.1",
		"Service": "minisshd", "Type": "tty", "Class": "user", "State": "active"} {
		if is := show(property); is != want {
			t.Errorf("%s is %q, not %q", property, is, want)
		}
	}
	uid := b.must("id", "-u", "pamela")
	lines := strings.Split(b.must("minissh", "-l", "pamela", "box", `cat /proc/self/cgroup
		echo $XDG_SESSION_ID; stat -c "%U %a" $XDG_RUNTIME_DIR; echo $XDG_RUNTIME_DIR`), "\n")
	n := len(lines)
	slice := "/user.slice/user-" + uid + ".slice/session-"
	if n < 4 || lines[n-3] == shown[0] || lines[n-2] != "pamela 700" ||
		lines[n-1] != "/run/user/"+uid || lines[n-4] != "0::"+slice+lines[n-3]+".scope" {
		t.Errorf("a second session has %q", lines)
	}
	b.must("loginctl", "terminate-session", shown[0])
	<-client.Done
	in.Close()
	if client.Cmd.ProcessState.ExitCode() == 0 {
		t.Error("loginctl terminate-session went unnoticed")
	}
	over := func() bool { return b.must("loginctl", "list-sessions", "--no-legend") == "" }
	testend.Until(t, "logind's sessions are over", over)

	// a job's session is there as long as the job
	b.must("minissh", "-l", "pamela", "--detach", "--name", "kept", "box", "exec sleep 290")
	testend.Until(t, "the client's session is over", func() bool {
		return !strings.Contains(b.must("minisshd", "who"), "pamela")
	})
	if over() {
		t.Error("a job has no session of logind's")
	}
	b.must("minissh", "job", "stop", "-l", "pamela", "box", "kept")
	testend.Until(t, "the job's session is over", over)
}
