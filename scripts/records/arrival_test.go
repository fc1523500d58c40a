//go:build linux

package records_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/creack/pty"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

// clock is in what sshd says of a last login, and differs between two logins.
var clock = regexp.MustCompile(`\d\d:\d\d:\d\d`)

// greeted is what is shown up to the shell's first answer, with the times left out.
func (w *world) greeted(daemon, user string) string {
	w.t.Helper()
	s := w.screen(daemon, user)
	// the shell says that it is there before anything is typed, which would be shown too
	s.Out.Await(w.t, "$ ")
	text, _, _ := strings.Cut(s.Out.String(), "$ ")
	s.leave()
	return clock.ReplaceAllString(text, "…")
}

// alike runs something with both daemons, and says what sshd's gave, after comparing.
func (w *world) alike(what string, run func(daemon string) string) string {
	w.t.Helper()
	theirs, ours := run("sshd"), run("minisshd")
	if theirs != ours {
		w.t.Errorf("%s: sshd\n%q\nminisshd\n%q", what, short(theirs), short(ours))
	}
	return theirs
}

func short(text string) string { return text[:min(len(text), 1000)] }

// A login shell is greeted as by sshd, and nothing else is.
func TestGreeting(t *testing.T) {
	w := newWorld(t)
	w.account("rosa")
	w.put("/etc/motd", "Welcome\nto this \x1b[1mmachine\x1b[m\n")
	w.start()
	greeted := func(daemon string) string { return w.greeted(daemon, "rosa") }
	first := w.alike("the first login", func(daemon string) string {
		w.must("sh", "-c", ": >/var/log/lastlog")
		return greeted(daemon)
	})
	second := w.alike("the second login", greeted)
	if strings.Contains(first, "Last login") || !strings.Contains(first, "Welcome") ||
		!strings.Contains(second, "Last login: ") || !strings.Contains(second, "from 127.0.0.1") {
		t.Errorf("sshd says %q, then %q", first, second)
	}
	on := func(words ...string) func(string) string {
		return func(daemon string) string {
			return w.run(daemon, "rosa", append([]string{"-tt"}, words...)...).Out
		}
	}
	w.alike("a command on a terminal", on("echo here"))
	w.alike("a shell without a terminal", func(daemon string) string {
		cmd := w.client(daemon, "rosa", "-T", "127.0.0.1")
		cmd.Stdin = strings.NewReader("echo here\n")
		return w.RunCmd(cmd).Out
	})
	w.key("rosa", `command="echo forced"`)
	w.alike("a command that is forced", on())
	w.key("rosa", "")
	w.must("sh", "-c", "seq 40000 >/etc/motd") // more than a terminal holds
	if text := w.alike("much to read", greeted); !strings.Contains(text, "\n39999\r\n") {
		t.Errorf("sshd shows %q", short(text))
	}
	w.put("/home/rosa/.hushlogin", "")
	if text := w.alike("hushed", greeted); text != "" {
		t.Errorf("sshd says %q", text)
	}
	w.must("rm", "/home/rosa/.hushlogin", "/etc/motd")
	w.alike("no motd", greeted)
	w.put("/etc/motd", "Welcome\n")
	w.start("PrintMotd no")
	w.alike("PrintMotd no", greeted)
	w.start("PrintLastLog no")
	w.alike("PrintLastLog no", greeted)
}

// A host that others have written into lastlog is shown without what a terminal would obey.
func TestLastLoginIsClean(t *testing.T) {
	w := newWorld(t)
	w.account("rosa")
	w.startOurs("")
	w.greeted("minisshd", "rosa")
	w.must("sh", "-c", `sed -i 's/127\.0/\x1b[2J./g' /var/log/lastlog`)
	text := w.greeted("minisshd", "rosa")
	if strings.Contains(text, "\x1b") || !strings.Contains(text, "from ?[2J..0") {
		t.Errorf("%q", text)
	}
}

// ~/.ssh/rc is run when sshd runs it, and as sshd runs it.
func TestRC(t *testing.T) {
	w := newWorld(t)
	w.account("rosa")
	w.start()
	command := func(daemon string) string {
		r := w.run(daemon, "rosa", "echo the command")
		return r.Out + r.Err
	}
	script := "echo rc of $USER in $PWD; echo error >&2; cat; ls /proc/self/fd | tr '\\n' ' '\n" +
		"(sleep 1; echo late >late) </dev/null >/dev/null 2>&1 & exit 3\n"
	w.put("/home/rosa/.ssh/rc", script)
	if text := w.alike("a command", command); !strings.Contains(text, "rc of rosa") {
		t.Errorf("sshd says %q", text)
	}
	w.alike("a command on a terminal", func(daemon string) string {
		return w.run(daemon, "rosa", "-tt", "echo the command").Out
	})
	w.alike("a login shell", func(daemon string) string {
		w.must("sh", "-c", ": >/var/log/lastlog")
		return w.greeted(daemon, "rosa")
	})
	subsystem := func(daemon string) string {
		r := w.run(daemon, "rosa", "-s", "ours")
		return strings.Join(strings.Fields(r.Err), " ") + " " + first(r.Out, "rc of")
	}
	if text := w.alike("a subsystem", subsystem); strings.Contains(text, "rc of") {
		t.Errorf("sshd says %q", text)
	}
	for options, runs := range map[string]bool{"restrict": false, "no-user-rc": false,
		"restrict,user-rc": true, `command="echo forced"`: true} {
		w.key("rosa", options)
		if text := w.alike(options, command); strings.Contains(text, "rc of") != runs {
			t.Errorf("%s: sshd says %q", options, text)
		}
	}
	w.key("rosa", "")
	// in place of it, what is for everybody: minisshd has a file of its own for that
	w.put("/etc/ssh/sshrc", "echo for everybody $USER $PWD\n")
	w.put("/etc/minisshd/rc", "echo for everybody $USER $PWD\n")
	w.alike("both", command)
	w.key("rosa", "no-user-rc")
	if text := w.alike("everybody's", command); !strings.Contains(text, "everybody rosa /home") {
		t.Errorf("sshd says %q", text)
	}
	w.alike("a subsystem with everybody's", func(daemon string) string {
		return first(w.run(daemon, "rosa", "-s", "ours").Out, "for everybody")
	})
	w.key("rosa", "")
	w.must("rm", "/etc/ssh/sshrc", "/etc/minisshd/rc")
	// more than a pipe holds
	w.put("/home/rosa/.ssh/rc", "seq 40000\n")
	if text := w.alike("much to say", command); !strings.Contains(text, "40000\nthe command") {
		t.Errorf("sshd says %q", short(text))
	}
	// and then the program is not there
	w.put("/home/rosa/.ssh/rc", "rm -f new-shell\n")
	w.must("sh", "-c", "cp /bin/sh /home/rosa/new-shell; chmod 755 /home/rosa/new-shell; "+
		"chown rosa: /home/rosa /home/rosa/new-shell; usermod -s /home/rosa/new-shell rosa")
	if r := w.run("minisshd", "rosa", "true"); r.Code != 127 ||
		!strings.Contains(r.Err, "new-shell: no such file") {
		t.Errorf("%+v", r)
	}
	w.must("usermod", "-s", "/bin/sh", "rosa")
	w.put("/home/rosa/.ssh/rc", script)
	w.start("ForceCommand echo forced by the settings")
	if text := w.alike("ForceCommand", command); strings.Contains(text, "rc of") {
		t.Errorf("sshd says %q", text)
	}
	w.start("PermitUserRC no")
	if text := w.alike("PermitUserRC no", command); strings.Contains(text, "rc of") {
		t.Errorf("sshd says %q", text)
	}
}

// A certificate runs the script if it permits that, as with sshd.
func TestRCOfCertificate(t *testing.T) {
	keygen := testhost.Need(t, "ssh-keygen")
	w := newWorld(t)
	w.account("rosa")
	w.put("/home/rosa/.ssh/rc", "echo rc of $USER\n")
	w.put("/etc/keys/rosa", "")
	w.Key(w.Path("ca"))
	w.put("/etc/ca.pub", w.Read("ca.pub"))
	w.start("TrustedUserCAKeys /etc/ca.pub")
	for option, runs := range map[string]bool{"permit-user-rc": true, "no-user-rc": false} {
		if r := w.Run(keygen, "-q", "-s", w.Path("ca"), "-I", "test", "-n", "rosa", "-O", option,
			w.Path("home/.ssh/id_ed25519.pub")); r.Code != 0 {
			t.Fatalf("%+v", r)
		}
		text := w.alike(option, func(daemon string) string {
			return w.run(daemon, "rosa", "echo the command").Out
		})
		if strings.Contains(text, "rc of rosa") != runs ||
			!strings.Contains(text, "the command") {
			t.Errorf("%s: sshd says %q", option, text)
		}
	}
}

// first is the first line of a text that has some words.
func first(text, words string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, words) {
			return line
		}
	}
	return ""
}

// A script that never ends holds up its own command alone, which can be interrupted and is stopped
// with its client.
func TestRCThatHangs(t *testing.T) {
	w := newWorld(t)
	w.account("rosa")
	w.account("otto")
	w.startOurs("hold 0\n")
	w.put("/home/otto/.ssh/rc", "echo $PPID hangs; exec cat /home/otto/never\n")
	w.must("mkfifo", "-m", "666", "/home/otto/never")
	hangs := w.screen("minisshd", "otto")
	hangs.Out.Await(t, "hangs")
	for range 5 {
		if r := w.run("minisshd", "rosa", "echo in"); r.Out != "in\n" {
			t.Errorf("beside a script that hangs: %+v", r)
		}
	}
	pid := atoi(strings.Fields(first(hangs.Out.String(), "hangs"))[0])
	if !testend.Alive(pid) {
		t.Errorf("%d does not live: %s", pid, hangs.Out)
	}
	w.Must(hangs.Cmd.Process.Kill())
	testend.Until(t, "the script is stopped with its client", func() bool {
		return !testend.Alive(pid)
	})
}

// The environment is sshd's, and what an account adds to it is added where that is permitted.
func TestEnvironment(t *testing.T) {
	w := newWorld(t)
	w.account("rosa")
	w.put("/home/rosa/.ssh/environment", "# mine\n\n  MINE=a b=c\nLANG=C.UTF-8\nnothing\n=x\n"+
		"SSH_CONNECTION=forged\nSSH_CLIENT=forged\nSSH_TTY=forged\nSSH_ORIGINAL_COMMAND=forged\n"+
		"PATH=/home/rosa/bin:/usr/bin:/bin\nHOME=/tmp\nMAIL=none\n")
	w.put("/home/rosa/bin/mine", "#!/bin/sh\nenv | sort\n")
	w.must("chmod", "-R", "755", "/home/rosa/bin")
	ports := regexp.MustCompile(`(SSH_C[A-Z]*=)127.*`)
	environment := func(words ...string) func(string) string {
		return func(daemon string) string {
			r := w.RunCmd(w.client(daemon, "rosa", append([]string{"-o", "SendEnv=LANG"},
				words...)...))
			_, noise, _ := strings.Cut(r.Err, "Connection to 127.0.0.1 closed.")
			return ports.ReplaceAllString(r.Out+strings.TrimSuffix(r.Err,
				"Connection to 127.0.0.1 closed."+noise), "$1…")
		}
	}
	for _, how := range []string{"no", "yes"} {
		w.key("rosa", `environment="KEYS=own",environment="SSH_CLIENT=forged",`+
			`environment="MINE=keys"`)
		w.start("PermitUserEnvironment " + how)
		text := w.alike(how, environment("127.0.0.1", "env | sort"))
		if strings.Contains(text, "MINE=a b=c") != (how == "yes") ||
			!strings.Contains(text, "MAIL=") {
			t.Errorf("%s: %s", how, text)
		}
		w.alike(how+", on a terminal", environment("-tt", "127.0.0.1", "env | sort"))
		job := w.RunCmd(w.client("minisshd", "rosa", "--detach", "127.0.0.1", "env"))
		_, rest, _ := strings.Cut(job.Out, "job ")
		id, _, _ := strings.Cut(rest, " ")
		collected := w.RunCmd(w.Command("minissh", append([]string{"job", "attach"},
			w.client("minisshd", "rosa", "127.0.0.1", id).Args[1:]...)...))
		if strings.Contains(collected.Out, "MINE=a b=c") != (how == "yes") ||
			strings.Contains(collected.Out, "CLIENT=forged") {
			t.Errorf("%s, a job: %+v %+v", how, job, collected)
		}
		if how == "yes" {
			// a program without a shell is found in that path too
			if text := w.alike("the path", environment("127.0.0.1", "mine")); !strings.Contains(
				text, "MINE=a b=c") {
				t.Errorf("%s", text)
			}
		}
		w.key("rosa", `command="env | sort"`)
		w.alike(how+", forced", environment("127.0.0.1", "what was asked"))
	}
}

// What a login starts is audited as the account's, whatever way it is started in.
func TestLoginUID(t *testing.T) {
	w := newWorld(t)
	if text := w.must("sh", "-c", "echo 12345 >/proc/self/loginuid && cat /proc/self/loginuid "+
		"|| true"); text != "12345" {
		t.Skip("not run: needs a kernel that audits, and lets us")
	}
	w.account("rosa")
	w.startOurs("")
	uid := strings.TrimSpace(w.must("id", "-u", "rosa"))
	if r := w.run("minisshd", "rosa", "cat /proc/self/loginuid"); r.Out != uid {
		t.Errorf("a command: %+v", r)
	}
	job := w.RunCmd(w.client("minisshd", "rosa", "--detach", "127.0.0.1",
		"cat /proc/self/loginuid"))
	_, rest, _ := strings.Cut(job.Out, "job ")
	id, _, _ := strings.Cut(rest, " ")
	collected := w.RunCmd(w.Command("minissh", append([]string{"job", "attach"},
		w.client("minisshd", "rosa", "127.0.0.1", id).Args[1:]...)...))
	if collected.Out != uid {
		t.Errorf("a job: %+v %+v", job, collected)
	}
	copied := w.Run("minissh", "cp", "-F", "none", "-i", w.Path("home/.ssh/id_ed25519"), "-P",
		w.port["minisshd"], "-o", "UserKnownHostsFile="+w.Path("known_minisshd"),
		"rosa@127.0.0.1:/proc/self/loginuid", w.Path("copied"))
	if got := w.Read("copied"); got != uid {
		t.Errorf("a copy: %q, %+v", got, copied)
	}
	if text, _ := os.ReadFile("/proc/self/loginuid"); string(text) == uid {
		t.Error("the daemon's own is not told from the account's")
	}
}

// A terminal whose session becomes a job is nobody's any more.
func TestJobLeavesBooks(t *testing.T) {
	w := newWorld(t)
	w.account("rosa")
	w.startOurs("")
	cmd := w.client("minisshd", "rosa", "-t", "127.0.0.1", "echo here; exec cat")
	cmd.Env = append(cmd.Env, "TERM=xterm")
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	w.Must(err)
	defer master.Close()
	shown := new(testhost.Text)
	go shown.ReadFrom(master)
	shown.Await(t, "here")
	if text := w.dump("/run/utmp"); text != "7 pts/0 rosa" && !strings.HasPrefix(text, "7 ") {
		t.Errorf("%q", text)
	}
	master.WriteString("\r~d")
	cmd.Wait()
	testend.Until(t, "the session is over in the books", func() bool {
		return strings.HasPrefix(w.dump("/run/utmp"), "8 ")
	})
	list := w.Command("minissh", append([]string{"job", "list"},
		w.client("minisshd", "rosa", "127.0.0.1").Args[1:]...)...)
	if r := w.RunCmd(list); !strings.Contains(r.Out, "running") {
		t.Errorf("%+v", r)
	}
	_, rest, _ := strings.Cut(shown.String(), "job ")
	id, _, _ := strings.Cut(rest, " ")
	stop := w.Command("minissh", append([]string{"job", "stop"},
		w.client("minisshd", "rosa", "127.0.0.1", id).Args[1:]...)...)
	if r := w.RunCmd(stop); r.Code != 0 {
		t.Errorf("%s: %+v", shown, r)
	}
}
