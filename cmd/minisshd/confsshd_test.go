package main

import (
	"bytes"
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"minissh/daemon/process"
)

// sshd is a real sshd's program.
func sshd(t *testing.T) string {
	t.Helper()
	for _, path := range []string{"sshd", "/usr/sbin/sshd"} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	t.Skip("not run: needs sshd")
	return ""
}

// sshdSays are the settings that hold for a login, as sshd -T -C tells them: by its words, lists
// joined by commas.
func sshdSays(t *testing.T, program, text, login string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	key, file := filepath.Join(dir, "key"), filepath.Join(dir, "config")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
		key).CombinedOutput(); err != nil {
		t.Skipf("not run: needs ssh-keygen: %s", out)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, "-T", "-f", file, "-h", key, "-C",
		"host=h,"+login).CombinedOutput()
	if err != nil {
		return map[string]string{"": string(out)}
	}
	says := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if says[name] != "" {
			value = says[name] + " " + value
		}
		says[name] = value
	}
	return says
}

// weSay are ours, by our words.
func weSay(t *testing.T, text, login string) map[string]string {
	t.Helper()
	conf, err := confOf(t, nil, text)
	if err != nil {
		return map[string]string{"": err.Error()}
	}
	account, err := process.CurrentAccount()
	if err != nil {
		t.Fatal(err)
	}
	app := newApp()
	app.Setup()
	if _, err := conf.book(app, account); err != nil {
		return map[string]string{"": err.Error()}
	}
	who, err := asked(login)
	if err != nil {
		t.Fatal(err)
	}
	holding, err := conf.holding(context.Background(), who)
	if err != nil {
		t.Fatal(err)
	}
	c, err := conf.with(app, holding)
	if err != nil {
		t.Fatal(err)
	}
	says := map[string]string{}
	for _, f := range daemonFlags() {
		values := valuesOf(c, f)
		if _, is := f.(*cli.BoolFlag); is {
			values = []string{map[string]string{"true": "yes", "false": "no"}[values[0]]}
		}
		says[f.Names()[0]] = strings.Join(values, " ")
	}
	return says
}

// sameWords are what both say differently and mean alike.
var sameWords = strings.NewReplacer("without-password", "yes", "%h/", "")

// unset are our defaults where the value is empty.
var unset = map[string]string{"force-command": "none", "permit-open": "any",
	"permit-listen": "any"}

// A real sshd says what our sections say, for the same login in the same file. What it does not
// say must be a mistake to both.
func TestAsSSHDMatches(t *testing.T) {
	program := sshd(t)
	if os.Getuid() != 0 {
		t.Skip("not run: needs root, whose settings these are")
	}
	logins := []string{"user=root,addr=127.0.0.1,laddr=127.0.0.2,lport=22",
		"user=nobody,addr=192.0.2.7,laddr=192.0.2.1,lport=7422",
		"user=alice,addr=2001:db8::1,laddr=::1,lport=22"}
	for _, c := range matchTable {
		for _, login := range logins {
			if strings.Contains(strings.ToLower(c.text), "group") &&
				strings.HasPrefix(login, "user=alice") {
				continue // sshd -T does not know who is in no group
			}
			theirs, ours := sshdSays(t, program, c.text, login), weSay(t, c.text, login)
			if (theirs[""] != "") != (ours[""] != "") {
				t.Errorf("%s\n%s: sshd: %s ours: %s", c.text, login, theirs[""], ours[""])
				continue
			}
			for word, name := range ofSshd {
				told, there := theirs[word]
				if !strings.Contains(strings.ToLower(c.text), word) || theirs[""] != "" || !there {
					continue
				}
				got, told := cmp.Or(ours[name], unset[name]), sameWords.Replace(told)
				if got = sameWords.Replace(got); got != told {
					t.Errorf("%s\n%s: %s is %q, and to sshd %q", c.text, login, word, got, told)
				}
			}
		}
	}
}

// matchTable are files that sshd and minisshd both read.
var matchTable = []struct{ text string }{
	{"PermitRootLogin no\nMatch User root\nPermitRootLogin yes\n"},
	{"PermitRootLogin no\nMatch User=root Address=127.0.0.0/8\nPermitRootLogin yes\n"},
	{"PermitRootLogin no\nMatch User root Address 10.0.0.0/8\nPermitRootLogin yes\n"},
	{"AllowTcpForwarding no\nMatch User root,nobody\nAllowTcpForwarding local\n" +
		"Match User nobody\nAllowTcpForwarding remote\n"},
	{"GatewayPorts no\nMatch User *,!root\nGatewayPorts yes\nMatch All\n" +
		"GatewayPorts clientspecified\n"},
	{"AllowUsers a b\nMatch User root\nAllowUsers c\nMatch Address 127.*\nAllowUsers d\n" +
		"DenyUsers e\n"},
	{"DenyGroups x\nAllowGroups y\nMatch Group root\nAllowGroups z\nMatch All\nAllowGroups w\n"},
	{"Match Group nogroup,root\nAllowAgentForwarding no\n"},
	{"AllowAgentForwarding yes\nMatch Group *,!root\nAllowAgentForwarding no\n"},
	{"Match Group !root\nAllowAgentForwarding no\n"},
	{"Match User !root\nAllowAgentForwarding no\n"},
	{"Match Address 192.0.2.0/24,!192.0.2.7\nAllowAgentForwarding no\n"},
	{"Match Address !192.0.2.8,192.0.2.0/24\nAllowAgentForwarding no\n"},
	{"Match Address 2001:db8::/32\nGatewayPorts yes\n"},
	{"Match Address 2001:DB8::1\nGatewayPorts yes\n"},
	{"Match LocalPort 7422\nGatewayPorts yes\n"},
	{"Match LocalAddress 127.0.0.0/8,::1\nGatewayPorts yes\n"},
	{"Match LocalPort 22 LocalAddress ::1 User alice\nGatewayPorts yes\n"},
	{"AuthorizedKeysFile %h/a\nMatch User root\nAuthorizedKeysFile %h/b %h/c\n" +
		"Match all\nAuthorizedKeysFile %h/d\n"},
	{"RevokedKeys none\nMatch User root\n"},
	{"Match user ROOT\nGatewayPorts yes\n"},
	{"MATCH USER \"root\"\nGatewayPorts yes\n"},
	{"Match user root # and nobody else\nGatewayPorts yes\n"},
	{"Match all\nGatewayPorts yes\nMatch user root\nGatewayPorts no\n"},
	{"ForceCommand /bin/echo  \"a  b\" # c\nMatch User root\nForceCommand none\nMatch all\n" +
		"ForceCommand internal-sftp -R\n"},
	{"ChrootDirectory /srv\nMatch User root\nChrootDirectory none\nMatch all\n" +
		"ChrootDirectory %h/%%x\n"},
	{"PermitTTY no\nMatch User root\nPermitTTY yes\n"},
	{"PermitOpen any\nMatch User root\nPermitOpen none\nMatch User nobody\n" +
		"PermitOpen lab:80 [::1]:* *:443\nMatch all\nPermitOpen last:1\n"},
	{"PermitListen none\nMatch User root\nPermitListen any\nMatch User nobody\n" +
		"PermitListen localhost:80 *:8080\n"},
	{"PermitOpen nothing\n"},
	{"PermitOpen any lab:80\n"},
	{"PermitListen any 80\n"},
	{"DisableForwarding no\nMatch User root\nDisableForwarding yes\n"},
	{"AcceptEnv A\nMatch User root\nAcceptEnv B C*\nMatch Address 127.*\nAcceptEnv D?\n"},
	{"AcceptEnv A=B\n"},
	{"SetEnv A=1 B=2\nMatch User root\nSetEnv C=\"3  4\" D=5\nMatch all\nSetEnv E=6\n"},
	{"SetEnv A\n"},
	{"Match\nGatewayPorts yes\n"},
	{"Match user\nGatewayPorts yes\n"},
	{"Match all user root\nGatewayPorts yes\n"},
	{"Match exec true\nGatewayPorts yes\n"},
	{"Match address 10.0.0.1/8\nGatewayPorts yes\n"},
	{"Match user root\nLoginGraceTime 10\n"},
	{"Match user root\nHostKey /etc/key\n"},
}

// A match names what it cannot have.
func TestMatchSections(t *testing.T) {
	conf, err := confOf(t, map[string][]string{"hold": {"1m"}},
		"hold 1h\nmax-channels 20\nMatch user ann\nhold 2h\nmax-channels 30\nallow-users x\n"+
			"allow-users y\nsubsystem b=c\nMatch all\nmax-channels 40\nallow-users z\n",
		"subsystem a=b b=d\nMatch all\nsubsystem a=none x=y\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		holding []int
		want    string
	}{
		{nil, "a.conf:2 b.conf:1"},
		{[]int{0}, "a.conf:5 a.conf:6 a.conf:7 a.conf:8 b.conf:1"},
		{[]int{1}, "a.conf:10 a.conf:11 b.conf:1"},
		{[]int{0, 1}, "a.conf:5 a.conf:6 a.conf:7 a.conf:8 a.conf:11 b.conf:1"},
		{[]int{2}, "a.conf:2 b.conf:1 b.conf:3"},
	} {
		var got []string
		for _, v := range conf.counting(c.holding) {
			got = append(got, filepath.Base(v.file)+strings.TrimPrefix(v.where(), v.file))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%v: %v", c.holding, got)
		}
	}
	with, err := conf.with(newApp(), []int{0, 1, 2})
	if err != nil {
		t.Fatal(err)
	}
	if got := with.StringSlice("subsystem"); !slices.Equal(got, []string{"b=c", "a=none", "x=y"}) {
		t.Error(got)
	}
	if with.Duration("hold").String() != "1m0s" {
		t.Error("the command line does not win")
	}
	for _, v := range conf.settings {
		if !slices.Contains(conf.files, v.file) {
			conf.files = append(conf.files, v.file)
		}
	}
	var out bytes.Buffer
	(&check{w: &out}).configuration(conf)
	if !strings.Contains(out.String(),
		"line 4: hold 2h - not used: the command line's --hold counts") {
		t.Error(out.String())
	}
	account, err := process.CurrentAccount()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"match all\nhold 1h\nhold 2h":             "a.conf:3: hold is set in line 2 already",
		"match all\nlisten :1":                    "listen cannot be in a Match section",
		"\nmatch user ann\ngateway-ports perhaps": "a.conf:3: --gateway-ports is",
		"match all\nhold 1ms":                     "a.conf:2: --hold is at least 1s",
		"match all\nrevoked-keys /nonexistent/x":  "a.conf:1: no key is accepted",
		"match all\nmatch host x":                 "a.conf:2: Match: there is no criterion Host",
	} {
		conf, err := confOf(t, nil, text)
		if err == nil {
			_, err = conf.book(newApp(), account)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
