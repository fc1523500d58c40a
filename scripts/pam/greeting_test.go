//go:build linux

package pam_test

import (
	"strings"
	"testing"

	"minissh/scripts/testhost"
)

// A login shell is told once what modules say, such as the message of the day, and a command is
// not: as with sshd.
func TestModulesGreet(t *testing.T) {
	w := newWorld(t)
	w.account("useradd", "-m", "-s", "/bin/sh", "pamela")
	w.put("/etc/motd", "the message of the day\n")
	w.put("/etc/greeting", "a module's own words\n")
	w.rules(debianRules + "session optional pam_echo.so file=/etc/greeting\n")
	w.start()
	for _, daemon := range []string{"sshd", "minisshd"} {
		shell := w.client(daemon, "pamela", "-tt", "127.0.0.1")
		shell.Stdin = strings.NewReader("exit\n")
		out := w.RunCmd(shell).Out
		for _, text := range []string{"the message of the day", "a module's own words"} {
			if n := strings.Count(out, text); n != 1 {
				t.Errorf("%s: %q is there %d times in %q", daemon, text, n, out)
			}
		}
		for _, r := range []testhost.Ran{w.run(daemon, "pamela", "true"),
			w.RunCmd(w.client(daemon, "pamela", "-tt", "127.0.0.1", "true"))} {
			if strings.Contains(r.Out+r.Err, "message of") {
				t.Errorf("%s, a command: %+v", daemon, r)
			}
		}
	}
}

// Who sets a variable last: an account's own file, then modules, then the settings, as with sshd.
func TestLastOfEnvironment(t *testing.T) {
	w := newWorld(t)
	w.account("useradd", "-m", "-s", "/bin/sh", "pamela")
	w.put("/home/pamela/.ssh/environment", "ONE=file\nTWO=file\nTHREE=file\n")
	w.put("/etc/environment", "TWO=modules\nTHREE=modules\n")
	w.rules(debianRules)
	w.more = "PermitUserEnvironment yes\nSetEnv THREE=settings\n"
	w.start("--permit-user-environment", "--set-env", "THREE=settings")
	for _, daemon := range []string{"sshd", "minisshd"} {
		r := w.run(daemon, "pamela", "echo $ONE $TWO $THREE")
		if r.Out != "file modules settings\n" {
			t.Errorf("%s: %+v", daemon, r)
		}
	}
}
