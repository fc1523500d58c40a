//go:build linux

package pam_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// debianRules are what Debian's sshd has for account and session, in an order that lets a Go
// program call the modules.
const debianRules = `account required pam_nologin.so
@include common-account
session required pam_loginuid.so
session optional pam_keyinit.so force revoke
@include common-session
session optional pam_motd.so motd=/run/motd.dynamic
session optional pam_motd.so noupdate
session required pam_env.so
session required pam_env.so envfile=/etc/default/locale
session required pam_limits.so
`

// ruleSets are the configurations under which both daemons must do the same.
var ruleSets = map[string]string{
	"Debian's": debianRules,
	// what sites add: homes that are made, groups, masks, and what systemd's machines have
	"a site's": `account required pam_unix.so
account required pam_access.so accessfile=/etc/security/access.conf
session required pam_unix.so
session required pam_mkhomedir.so umask=0077 skel=/etc/skel
session required pam_umask.so umask=027
auth optional pam_group.so
-session optional pam_systemd.so
session required pam_env.so conffile=/etc/security/pam_env.conf
session required pam_limits.so conf=/etc/security/limits.conf
`,
	// nearly nothing: accounts are let in by a list, and only some limits are set
	"a list": `account required pam_listfile.so item=user sense=allow file=/etc/served onerr=fail
session required pam_limits.so conf=/etc/security/few.conf
`,
}

// people are the accounts, by what made them.
var people = map[string][]string{
	"locked":   {"useradd", "-m", "-s", "/bin/sh"},
	"disabled": {"adduser", "--quiet", "--disabled-password", "--gecos", ""},
	"expired":  {"useradd", "-m", "-s", "/bin/sh", "-e", "2020-01-01"},
	"changing": {"useradd", "-m", "-s", "/bin/sh", "-p", "*"}, // see below
	"homeless": {"useradd", "-M", "-s", "/bin/sh"},
	"denied":   {"useradd", "-m", "-s", "/bin/sh"},
	"grouped":  {"useradd", "-m", "-s", "/bin/sh", "-G", "users,games"},
}

// populate makes the accounts, and what the modules read.
func (w *world) populate() {
	w.t.Helper()
	for name, argv := range people {
		w.account(append(slices.Clone(argv), name)...)
	}
	w.key("root")
	w.must("chage", "-d", "0", "changing") // its password has to be changed
	w.put("/etc/security/limits.conf", `* soft nofile 200
* hard nofile 300
* soft core 0
* - nproc 400
* hard stack 4096
* soft as 3000000
locked soft as 150000
locked soft data 90000
locked soft cpu 7
grouped soft fsize 1000
grouped - nice -2
grouped - priority 5
root soft nofile 250
`)
	w.put("/etc/security/few.conf", "* soft memlock 32\n* soft sigpending 77\n* - rtprio 3\n")
	w.put("/etc/security/access.conf", "- : denied : ALL\n+ : ALL : 127.0.0.0/8\n- : ALL : ALL\n")
	w.put("/etc/security/pam_env.conf", "FROM_PAM DEFAULT=site\nLANG OVERRIDE=C.UTF-8\n"+
		"WHENCE DEFAULT=@{PAM_RHOST}\n")
	w.put("/etc/environment", "PATH=/usr/bin:/bin\nEVERYWHERE=yes\n")
	w.put("/etc/default/locale", "LANG=C.UTF-8\nLC_TIME=C\n")
	w.put("/etc/security/group.conf", "*;*;grouped;Al0000-2400;audio,video\n")
	w.put("/etc/served", "locked\nexpired\nroot\nhomeless\nchanging\n")
}

// probe is what a command says of what it has from PAM.
const probe = `ulimit -aS; echo; ulimit -aH; echo; umask; id; nice; cat /proc/self/loginuid; echo
pwd; ls -ld . | cut -c1-10; ls -a; awk '{print $1, $2, $3}' /proc/self/limits
awk '$8 == "keyring" && $2 !~ /R/ {print $6, $8, $9, $10}' /proc/keys | sort
env | sort`

// common is what of a probe the two daemons must give alike: all but what is different at each
// login, and the empty keyring that minisshd gives where no module does: sshd gives its own.
func common(out string) string {
	out = strings.NewReplacer("\r", "", ": No such file", ": no such file").Replace(out)
	lines := slices.DeleteFunc(strings.Split(out, "\n"),
		func(line string) bool {
			name, _, _ := strings.Cut(line, "=")
			return strings.HasSuffix(line, " keyring _ses: empty") || name == "SSH_CLIENT" ||
				name == "SSH_CONNECTION" || name == "SSH_TTY"
		})
	return strings.Join(lines, "\n")
}

// unlike says which lines only one of two probes has.
func unlike(theirs, ours string) string {
	var text strings.Builder
	a, b := strings.Split(common(theirs), "\n"), strings.Split(common(ours), "\n")
	for who, lines := range map[string][2][]string{"sshd": {a, b}, "minisshd": {b, a}} {
		for _, line := range lines[0] {
			if !slices.Contains(lines[1], line) {
				fmt.Fprintf(&text, "only %s: %q\n", who, line)
			}
		}
	}
	return text.String()
}

// Under three configurations, the same accounts are refused, and those that are not get the same
// limits, environment, groups, mask, home and login uid as from sshd.
func TestBesideSSHD(t *testing.T) {
	for name, rules := range ruleSets {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.populate()
			w.rules(rules)
			w.start()
			served := 0
			for _, user := range append([]string{"root"}, slices.Sorted(maps.Keys(people))...) {
				theirs, ours := w.run("sshd", user, probe), w.run("minisshd", user, probe)
				switch {
				case user == "changing" && theirs.Code == 1 && ours.Code == 255 &&
					strings.Contains(ours.Err, "has expired"): // sshd runs nothing, and says so
				case theirs.Code != ours.Code:
					t.Errorf("%s: sshd %d, minisshd %d\n%s\n%s", user, theirs.Code, ours.Code,
						theirs.Err, ours.Err)
				case common(theirs.Out) != common(ours.Out):
					t.Errorf("%s: %s\n%s", user, unlike(theirs.Out, ours.Out), ours.Err)
				case theirs.Code == 0:
					served++
					w.otherWays(user, common(ours.Out))
				}
			}
			if served < 4 {
				t.Errorf("only %d accounts were served", served)
			}
			if t.Failed() {
				t.Logf("%s", w.daemon.Log)
			}
		})
	}
}

// otherWays does what a probe has shown of a command by other ways to start something.
func (w *world) otherWays(user, probed string) {
	w.t.Helper()
	theirs := w.RunCmd(w.client("sshd", user, "-o", "SendEnv=LANG", "-tt", "127.0.0.1", probe))
	ours := w.RunCmd(w.client("minisshd", user, "-tt", "127.0.0.1", probe))
	if common(theirs.Out) != common(ours.Out) || ours.Code != 0 {
		w.t.Errorf("%s, on a terminal: %d, %s", user, ours.Code, unlike(theirs.Out, ours.Out))
	}
	if strings.Contains(probed, "\n/\n") { // it has no home, where jobs and copies go
		return
	}
	// the job's own files are in the home, and it begins with a umask of its own
	job := w.RunCmd(w.client("minisshd", user, "--detach", "127.0.0.1", "ulimit -aS; ulimit -aH"))
	_, rest, _ := strings.Cut(job.Out, "job ")
	id, _, _ := strings.Cut(rest, " ")
	collected := w.RunCmd(w.Command("minissh", append([]string{"job", "attach"},
		w.client("minisshd", user, "127.0.0.1", id).Args[1:]...)...))
	for line := range strings.Lines(collected.Out) {
		if !strings.Contains(probed, line) {
			w.t.Errorf("%s, as a job: %s is not in\n%s", user, line, probed)
		}
	}
	if collected.Out == "" {
		w.t.Errorf("%s, as a job: %+v %+v", user, job, collected)
	}
	modes := map[string]string{}
	for daemon, program := range map[string]string{"sshd": "ssh", "minisshd": "minissh"} {
		known := w.Path("known_" + daemon)
		copied := w.Run("scp", "-S", program, "-F", "none", "-i", w.Path("home/.ssh/id_ed25519"),
			"-P", w.port[daemon], "-o", "UserKnownHostsFile="+known, w.Path("host_key.pub"),
			user+"@127.0.0.1:by-"+daemon)
		modes[daemon] = w.run(daemon, user, "ls -l by-"+daemon+" | cut -c1-10; rm by-"+daemon).Out
		if copied.Code != 0 {
			w.t.Errorf("%s, scp: %+v", user, copied)
		}
	}
	if modes["sshd"] != modes["minisshd"] || modes["sshd"] == "" {
		w.t.Errorf("%s, scp: modes %q", user, modes)
	}
}
