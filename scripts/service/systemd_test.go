//go:build linux

package service_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"minissh/scripts/testhost"
)

// inSystemd is minisshd as a service of a real systemd, by its two units, with a port of the
// socket unit's and one of its own.
type inSystemd struct {
	*booted
	relay *relay // to the port of its own, which clients know as `far`
}

const ownPort = "7500"

func serve(t *testing.T) *inSystemd {
	t.Helper()
	p := testhost.New(t)
	b := boot(t, p, "--host-key "+p.Path("host_key")+" --authorized-keys "+
		p.Path("authorized_keys")+" --stop-grace 1s --listen 127.0.0.1:"+ownPort)
	s := &inSystemd{booted: b}
	var l net.Listener
	var err error
	p.Must(b.in(func() { l, err = net.Listen("tcp", "127.0.0.1:0") }))
	p.Must(err)
	t.Cleanup(func() { l.Close() })
	s.relay = relayOver(t, l, b.dialer(ownPort))
	p.Knows("box", "7422")
	p.Knows("far", s.relay.port)
	b.must("systemctl", "enable", "--now", "minisshd.socket")
	if out := b.must("minissh", "box", "echo served"); out != "served" { // which starts the service
		t.Errorf("%q", out)
	}
	return s
}

// running starts a command that says again what it is told.
func (s *inSystemd) running(host string, i int) *running {
	s.t.Helper()
	return nowRunning(s.t, s.p, s.command("minissh", host, fmt.Sprintf("cat; exit %d", i)), i)
}

// detach starts the job "kept", which is in a cgroup of its own, and gives the process id of a
// process in it that has left the job's kernel session.
func (s *inSystemd) detach() (escaped string) {
	s.t.Helper()
	s.must("minissh", "--detach", "--name", "kept", "box",
		`trap "" HUP; (setsid sh -c "echo \$\$ >escaped; exec sleep 290" &); exec sleep 291`)
	await(s.t, "a process has left the session", func() bool {
		escaped = s.shell("cat /root/escaped || :")
		return escaped != ""
	})
	if in := s.cgroup(escaped); !strings.HasPrefix(in,
		"/system.slice/minisshd.service/jobs/job-") || !strings.HasSuffix(in, "/command") {
		s.t.Errorf("the job is in %q", in)
	}
	return escaped
}

// healthy checks that systemd finds nothing wrong, and gives the supervisor's process id.
func (s *inSystemd) healthy(after string) string {
	s.t.Helper()
	if is := s.shows("ActiveState") + " " + s.shows("SubState"); is != "active running" {
		s.t.Errorf("after %s: %s\n%s", after, is, s.journal())
	}
	return s.shows("MainPID")
}

// Under a real systemd a reload, an upgrade, a restart, and the death of the supervisor, end no
// session and no job, lose nothing of a copy, and refuse no connection, whoever opened the port.
func TestSystemdReplaces(t *testing.T) {
	s := serve(t)
	p := s.p
	stop := [](func() (int, error)){knockingAt(s.dialer("7422")), knockingAt(s.dialer(ownPort))}
	commands := []*running{s.running("box", 3), s.running("box", 4), s.running("far", 5)}
	editor := nowEditing(t, p, s.command("minissh", "-t", "far", "sh"), testhost.Need(t, "vim"), 0)
	escaped := s.detach()
	hash := makeFile(t, p.Path("source"), 256)
	c := p.StartWith(s.command("minissh", "cp", p.Path("source"), "far:"+p.Path("copy")),
		io.Discard, io.Discard)
	during := 0
	s.healthy("the start")
	for _, step := range []struct {
		name    string
		do      []string
		another bool // supervisor
	}{
		{"a reload", []string{"systemctl", "reload", "minisshd"}, false},
		{"an upgrade", []string{"minisshd", "upgrade"}, false},
		{"a restart", []string{"systemctl", "restart", "minisshd"}, true},
		{"a second restart", []string{"systemctl", "restart", "minisshd"}, true},
		{"another reload", []string{"systemctl", "reload", "minisshd"}, false},
		{"the supervisor's death", []string{"systemctl", "kill", "--kill-whom=main", "-s", "KILL",
			"minisshd"}, true},
	} {
		before := s.shows("MainPID")
		s.must(step.do[0], step.do[1:]...)
		await(t, "the service is there after "+step.name, func() bool {
			now := s.shows("MainPID")
			return s.shows("ActiveState") == "active" && now != "0" &&
				(now != before) == step.another
		})
		s.healthy(step.name)
		select {
		case <-c.Done:
		default:
			during++
		}
		s.relay.cut()
		for _, c := range commands {
			c.say(t)
		}
		editor.write(t)
		if out := s.must("minissh", "box", "echo new"); out != "new" {
			t.Errorf("after %s: %q", step.name, out)
		}
		if out := s.must("minissh", "job", "list", "box"); !strings.Contains(out, "running") {
			t.Errorf("after %s the job is %s", step.name, out)
		}
	}
	for _, c := range commands {
		c.end(t)
	}
	editor.end(t)
	<-c.Done
	if !bytes.Equal(hashOf(t, p.Path("copy")), hash) {
		t.Errorf("the copy is another file: exit code %d", c.Cmd.ProcessState.ExitCode())
	}
	t.Logf("a copy under %d steps", during)
	if during == 0 {
		t.Error("the copy was through too soon")
	}
	for _, stop := range stop {
		if knocks, err := stop(); err != nil || knocks < 20 {
			t.Errorf("%d connections, then %v", knocks, err)
		}
	}
	s.must("minissh", "job", "stop", "box", "kept")
	if r := s.run("kill", "-0", escaped); r.Code == 0 {
		t.Error("a process of the job lives on, that has left its kernel session")
	}
	s.must("minissh", "--detach", "box", "true") // and the daemon looks at what an earlier one left
	await(t, "the jobs' cgroups are removed", func() bool {
		return s.shell("ls -d /sys/fs/cgroup/system.slice/minisshd.service/jobs/job-* || :") == ""
	})
	s.must("systemctl", "stop", "minisshd.socket", "minisshd.service")
	if r := s.run("minissh", "box", "true"); r.Code != 255 {
		t.Errorf("stopped: %+v", r)
	}
}

// Under a real systemd the daemon proper dies, and then everything that is in the service's cgroup:
// the first ends the commands of its sessions, and no job; the second ends jobs too, which are told
// to be lost. systemd, or the supervisor, starts the next one.
func TestSystemdCrash(t *testing.T) {
	s := serve(t)
	s.detach()
	crash := func(name string, do ...string) {
		t.Helper()
		told := new(testhost.Text)
		c := s.p.StartWith(s.command("minissh", "box", "echo there; exec sleep 292"), told, told)
		told.Await(t, "there\n")
		s.must(do[0], do[1:]...)
		<-c.Done
		if code := c.Cmd.ProcessState.ExitCode(); code != 255 ||
			!strings.Contains(told.String(), "its outcome is unknown") {
			t.Errorf("after %s: exit code %d; %s", name, code, told)
		}
		if out := s.must("minissh", "box", "echo new"); out != "new" {
			t.Errorf("after %s: %q", name, out)
		}
		await(t, "what it ran is stopped after "+name, func() bool {
			return s.run("pgrep", "-f", "sleep 29[2]").Code == 1
		})
	}
	crash("the daemon's death", "sh", "-c", "kill -KILL $(pgrep -P "+s.healthy("the start")+
		" -x minisshd)")
	if n := s.shows("NRestarts"); n != "0" {
		t.Errorf("systemd has restarted the service %s times", n)
	}
	if out := s.must("minissh", "job", "list", "box"); !strings.Contains(out, "running") {
		t.Errorf("the job is %s", out)
	}
	crash("everybody's death", "systemctl", "kill", "-s", "KILL", "minisshd")
	if n := s.shows("NRestarts"); n != "1" {
		t.Errorf("systemd has restarted the service %s times", n)
	}
	if out := s.must("minissh", "job", "list", "box"); !strings.Contains(out, "lost") {
		t.Errorf("the job is %s", out)
	}
	s.healthy("that")
}
