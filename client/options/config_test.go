package options

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"minissh/protocol"
)

func TestConfigFiles(t *testing.T) {
	env := testEnv(t)
	write(t, filepath.Join(env.Home, ".config", "minissh", "config"), `
# ours
Host lab
    HostName lab.example
    Port 7000
    IdentityFile "~/keys/%n key"  # a comment
Host *.example !secret.example
	User = ours
`, 0o600)
	write(t, filepath.Join(env.Home, ".ssh", "config"), "Host lab *.example\r\n"+`
  Port 22
  User theirs
  HostKeyAlias sshd
  ProxyJump none
  ProxyCommand nc %h %p
  RequestTTY force
  IdentityFile ~/.ssh/lab
  UserKnownHostsFile ~/.ssh/%h
  UseKeychain yes
  IgnoreUnknown Other*
  OtherKey 1
Match host nowhere
  User matched
  StrictHostKeyChecking no
`, 0o644)
	ssh := filepath.Join(env.Home, ".ssh", "config")

	o := mustParse(t, env, "lab")
	if o.HostName != "lab.example" || o.Port != 7000 || o.User != "theirs" ||
		o.HostKeyAlias != "" || o.RequestTTY != TTYForce ||
		o.StrictHostKeyChecking != StrictAsk || o.Refuse() != nil {
		t.Errorf("lab: %+v", o)
	}
	keys := []string{filepath.Join(env.Home, "keys", "lab key"),
		filepath.Join(env.Home, ".ssh", "lab")}
	if !slices.Equal(o.IdentityFiles, keys) {
		t.Errorf("keys %q, want %q", o.IdentityFiles, keys)
	}
	if known := filepath.Join(env.Home, ".ssh", "lab.example"); !slices.Equal(o.UserKnownHostsFiles,
		[]string{known}) {
		t.Errorf("known hosts %q", o.UserKnownHostsFiles)
	}
	notes := strings.Join(o.Notes, "\n")
	for _, want := range []string{
		ssh + ":5: HostKeyAlias does not count",
		ssh + ":11: UseKeychain has no effect (it is about what is shown or kept here)",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("no note says %q", want)
		}
	}
	if len(o.Notes) != 2 || !slices.Equal(o.Skipped, []string{ssh + ":5: HostKeyAlias"}) {
		t.Errorf("too many notes:\n%s\nskipped %q", notes, o.Skipped)
	}

	// sshd's port never becomes minissh's.
	o = mustParse(t, env, "a.example")
	if o.Port != protocol.DefaultPort || o.User != "ours" ||
		!strings.Contains(strings.Join(o.Notes, "\n"), ssh+":3: Port does not count") {
		t.Errorf("a.example: %+v", o)
	}
	if o = mustParse(t, env, "secret.example"); o.User != "theirs" {
		t.Errorf("a negated pattern matched: %s", o)
	}
	if o = mustParse(t, env, "-l", "cmd", "-p", "5", "lab"); o.User != "cmd" || o.Port != 5 {
		t.Errorf("the command line does not win: %s", o)
	}

	// -F replaces both and counts in full, sshd's keys and refusals included.
	file := write(t, filepath.Join(env.Home, "file"),
		"Port 9\nHostKeyAlias alias\nTunnel yes\n", 0o666)
	o = mustParse(t, env, "-F", "~/file", "lab")
	name, port := o.KnownHostsName()
	if o.Port != 9 || o.HostName != "lab" || name != "alias" || port != 22 || o.User != "me" {
		t.Errorf("-F: %+v", o)
	}
	if err := o.Refuse(); err == nil ||
		err.Error() != file+":3: Tunnel is not in this version (a tunnel device)" {
		t.Errorf("-F: Refuse is %v", err)
	}
	if o = mustParse(t, env, "-F", "none", "lab"); o.HostName != "lab" || len(o.Notes) != 0 {
		t.Errorf("-F none: %+v", o)
	}
}

func TestConfigErrors(t *testing.T) {
	tests := []struct{ text, want string }{
		{"Port", ":1: no value after Port"},
		{"\n\nPort x", ":3: Port: bad port x (1 to 65535)"},
		{"Host other\nPort x", ":2: Port: bad port x (1 to 65535)"},
		{"Host", ":1: no value after Host"},
		{"User \"x", ":1: a quote is not closed"},
		{"\"User x", ":1: a quote is not closed"},
		{"User a b", ":1: User takes one value, and b is left over"},
		{"User a\x00", ":1: there is a NUL byte in it"},
		{"Ciphers", ":1: no value after Ciphers"},
		{"Prot 1", ":1: there is no option Prot"},
		{"Host other\nProxyJmp x", ":2: there is no option ProxyJmp"},
		{"Ciphers bogus", ":1: Ciphers: bogus is not the name of one of ssh's algorithms"},
		{"Match", ":1: no value after Match"},
		{"Match bogus x", ":1: in Match: there is no criterion bogus"},
		{"Match host", ":1: in Match: nothing comes after host"},
		{"Match all host x", ":1: in Match: all cannot be combined with other criteria"},
	}
	env := testEnv(t)
	for _, test := range tests {
		file := write(t, filepath.Join(env.Home, "f"), test.text, 0o600)
		_, err := env.Parse([]string{"-F", file, "h"})
		if e, ok := err.(*ConfigError); !ok || e.Error() != file+test.want {
			t.Errorf("%q: %v, want %s", test.text, err, test.want)
		}
		if test.text == "Prot 1" &&
			err.(*ConfigError).Hint() != "is it spelt Port? Else IgnoreUnknown Prot in a line "+
				"above lets it be" {
			t.Errorf("%q: %s", test.text, err.(*ConfigError).Hint())
		}
	}
}

// TestConfigOthersCanWrite: a file that someone else could have written must not choose keys and
// hosts (ssh: Bad owner or permissions).
func TestConfigOthersCanWrite(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("not run: needs Unix permissions")
	}
	for _, name := range []string{".ssh/config", ".config/minissh/config"} {
		env := testEnv(t)
		file := write(t, filepath.Join(env.Home, name), "", 0o620)
		_, err := env.Parse([]string{"h"})
		if e, ok := err.(*ConfigError); !ok || e.File != file ||
			!strings.Contains(e.Msg, "others can write it") {
			t.Errorf("%s with mode 0620: %v", name, err)
		}
		write(t, file, "", 0o644)
		if _, err := env.Parse([]string{"h"}); err != nil {
			t.Errorf("%s with mode 0644: %v", name, err)
		}
		env.UID++
		if env.UID != 1 { // everyone may read root's files
			if _, err := env.Parse([]string{"h"}); err == nil {
				t.Errorf("%s of another user is read", name)
			}
		}
	}
}

// The machine's own file comes last; what is about sshd does not count there either, and neither it
// nor what it includes needs to be the user's.
func TestSystemConfig(t *testing.T) {
	env := testEnv(t)
	folder := t.TempDir()
	env.SystemConfig = write(t, filepath.Join(folder, "ssh_config"),
		"Include ssh_config.d/*.conf\nHost *\nSendEnv LANG LC_*\nUser last\nPort 2222\n", 0o666)
	included := write(t, filepath.Join(folder, "ssh_config.d", "site.conf"),
		"Host db\nHostName db.site.example\nHostKeyAlias db\nPort 22\n", 0o666)
	o := mustParse(t, env, "db")
	if name, port := o.KnownHostsName(); o.HostName != "db.site.example" || o.User != "last" ||
		name != "db.site.example" || port != protocol.DefaultPort || len(o.SendEnv) != 2 ||
		!slices.Contains(o.Skipped, included+":3: HostKeyAlias") {
		t.Errorf("%+v", o)
	}
	write(t, filepath.Join(env.Home, ".ssh", "config"), "Host db\nUser first\n", 0o600)
	if o = mustParse(t, env, "db"); o.User != "first" || o.HostName != "db.site.example" {
		t.Errorf("%+v", o)
	}
	for _, args := range []string{"-F none db", "-F " + included + " db"} {
		if o = mustParse(t, env, words(args)...); o.User != "me" || len(o.SendEnv) > 0 {
			t.Errorf("%s: %+v", args, o)
		}
	}
	write(t, env.SystemConfig, "Tunnel yes\n", 0o666)
	if o = mustParse(t, env, "db"); o.Refuse() == nil {
		t.Error("what the machine's file asks for is dropped")
	}
	env.SystemConfig = filepath.Join(folder, "none")
	mustParse(t, env, "db")
}
