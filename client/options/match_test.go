package options

import (
	"bytes"
	"context"
	"net/netip"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"minissh/protocol"
)

// matchConfigs are files whose meaning depends on Match and Include; INC is a folder of files to
// include.
var matchConfigs = []string{
	"Match all\nUser a",
	"Match host h\nUser a\nMatch host *,!h\nUser b",
	"Match !host h\nUser a\nMatch all\nUser b",
	"Match host H user u exec true\nPort 1",
	"HostName real.%h\nMatch host real.*\nUser a\nMatch originalhost h\nPort 7",
	"User x\nMatch user x,y !user z\nPort 2",
	"Match user x\nPort 2\nUser x\nMatch user x\nPort 3",
	"Match exec \"test %h = h\"\nPort 4\nMatch exec \"test %n-%r = h-u\"\nUser u",
	"Match exec false\nPort 4\nMatch !exec false\nPort 5",
	"Match exec \"exit 3\" exec \"nosuchprogram\"\nPort 4\nMatch exec \"test '%%' = '%%'\"\nPort 6",
	"Match final host real\nUser late\nMatch all\nHostName real\nMatch final\nPort 5\nSendEnv X",
	"Match canonical\nUser c\nMatch final all\nPort 9",
	"Match !final\nUser first\nMatch final\nUser second\nPort 3",
	"Host real\nUser late\nMatch all\nHostName real\nMatch final\nPort 5",
	"Host h\nHostName %h.x\nMatch final host h.x originalhost h\nPort 5\nHost h\nUser typed",
	"Match localuser nobody-here\nUser a\nMatch localuser *\nPort 8",
	"Match localuser ME\nUser a",
	"Host h\nUser a\nMatch host other\nPort 2\nHost h\nPort 3",
	"Match host h # comment\nUser a",
	"Match all all\nUser a", "Match host\nUser a", "Match all host h\nUser a",
	"Match host h all\nUser a", "Match nonsense x\nUser a", "Match !all\nUser a",
	"Include INC/one\nPort 5", "Include INC/*\nPort 5",
	"Host other\nInclude INC/one\nHost h\nPort 6", "Include INC/none\nPort 5",
	"Include INC/none INC/two",
	"Match host other\nInclude INC/host\nHost h\nUser me", "Include INC/host\nUser after",
	"Host h\nInclude INC/host\nPort 77", "Include INC/loop", "Include INC/bad",
	"Host other\nInclude INC/bad", "Include INC/match\nUser x", "Include \"INC/one\" INC/two",
}

// TestMatchLikeSSH: Match and Include lead to the same host and user as in ssh, or are an error in
// both.
func TestMatchLikeSSH(t *testing.T) {
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		t.Skip("not run: needs ssh")
	}
	env := testEnv(t)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	env.User = func() string { return me.Username }
	env.Getenv = func(string) (string, bool) { return "", false }
	dir := t.TempDir()
	for name, text := range map[string]string{
		"one": "User one", "two": "Port 22", "host": "Host other\nUser o\nHost h\nPort 44",
		"bad": "NoSuchKey 1", "loop": "Include " + dir + "/inc/loop",
		"match": "Match host h\nPort 10\nMatch host z\nUser zed",
	} {
		write(t, filepath.Join(dir, "inc", name), text+"\n", 0o600)
	}
	write(t, filepath.Join(dir, "all", "a"), "User a\n", 0o600)
	write(t, filepath.Join(dir, "all", "b"), "User b\nPort 12\n", 0o600)
	for _, text := range matchConfigs {
		text = strings.NewReplacer("INC/*", dir+"/all/*", "INC", dir+"/inc", "ME",
			me.Username).Replace(text)
		file := write(t, filepath.Join(dir, "config"), text+"\n", 0o600)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		theirs, sshErr := exec.CommandContext(ctx, ssh, "-G", "-F", file, "h").Output()
		cancel()
		o, err := env.Parse([]string{"-F", file, "h"})
		if (sshErr == nil) != (err == nil) {
			t.Errorf("%q: ssh says %v, minissh %v", text, sshErr, err)
			continue
		}
		if err != nil {
			continue
		}
		var ours bytes.Buffer
		if err := o.WriteEffective(&ours); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"user", "hostname", "port"} {
			us, them := effective(ours.String(), key), effective(string(theirs), key)
			if us != them && !(key == "port" && them == "22" && us == "7422") {
				t.Errorf("%q: %s is %q in minissh, %q in ssh", text, key, us, them)
			}
		}
	}
}

// TestNewerCriteria: what Match judges in versions of ssh after 9.2.
func TestNewerCriteria(t *testing.T) {
	for line, holds := range map[string]bool{
		"tagged x | h": true, "tagged y,x | h": true, "tagged y | h": false,
		"tagged \"\" | h": false, "!tagged y | h": true, "tagged=x | h": true,
		"localnetwork 192.0.2.0/24 | h": true, "localnetwork 192.0.3.0/24,192.0.2.7 | h": true,
		"!localnetwork 192.0.2.0/24 | h": false, "localnetwork 2001:db8::/32 | h": false,
		"command uptime | h uptime": true, "command up* | h uptime now": true,
		"command \"\" | h": true, "command \"\" | h uptime": false,
		"sessiontype exec | h uptime": true, "sessiontype shell | h": true,
		"sessiontype none,subsystem | -N h": true, "sessiontype subsystem | -s h sftp": true,
		"version OpenSSH_9.* | h": true, "version=OpenSSH_10* | h": false, "host=h | h": true,
	} {
		env := testEnv(t)
		env.Addresses = func() []netip.Addr {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.7")}
		}
		criteria, args, _ := strings.Cut(line, " | ")
		file := write(t, filepath.Join(env.Home, "f"), "Match "+criteria+"\nPort 9\n", 0o600)
		o := mustParse(t, env, append([]string{"-F", file, "-P", "x"}, strings.Fields(args)...)...)
		if (o.Port == 9) != holds {
			t.Errorf("%s: port %d", line, o.Port)
		}
	}
	env := testEnv(t)
	for text, want := range map[string]string{
		"Match localnetwork 192.0.2.1/24": "192.0.2.1/24 is not a network (like 192.0.2.0/24)",
		"Match localnetwork x":            "x is not a network (like 192.0.2.0/24)",
		"Match tagged":                    "nothing comes after tagged",
		"Match version \"\"":              "nothing comes after version",
	} {
		file := write(t, filepath.Join(env.Home, "f"), text+"\n", 0o600)
		if _, err := env.Parse([]string{"-F", file, "h"}); err == nil ||
			!strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	file := write(t, filepath.Join(env.Home, "f"), "Tag one\nTag two\nMatch tagged one\nPort 9\n",
		0o600)
	if o := mustParse(t, env, "-F", file, "h"); o.Port != 9 || o.Tag != "one" {
		t.Errorf("%+v", o)
	}
	if o := mustParse(t, env, "-P", "two", "-F", file, "h"); o.Port == 9 || o.Tag != "two" {
		t.Errorf("%+v", o)
	}
}

// TestIncludePlaces: a relative name starts in the folder of the user's file that includes it, and
// an included file that others can write is refused.
func TestIncludePlaces(t *testing.T) {
	env := testEnv(t)
	write(t, filepath.Join(env.Home, ".config", "minissh", "config"), "Include more\n", 0o600)
	write(t, filepath.Join(env.Home, ".config", "minissh", "more"), "User own\nPort 5\n", 0o600)
	write(t, filepath.Join(env.Home, ".ssh", "config"), "Include d/*.conf ~/tilde\n", 0o600)
	write(t, filepath.Join(env.Home, ".ssh", "d", "x.conf"), "User sshs\nBatchMode yes\nPort 22\n",
		0o600)
	tilde := write(t, filepath.Join(env.Home, "tilde"), "ConnectTimeout 3\n", 0o600)
	o := mustParse(t, env, "h")
	if o.User != "own" || o.Port != 5 || !o.BatchMode || o.ConnectTimeout != 3*time.Second {
		t.Errorf("%+v", o)
	}
	write(t, filepath.Join(env.Home, ".config", "minissh", "more"), "User own\n", 0o600)
	if o = mustParse(t, env, "h"); o.Port != protocol.DefaultPort || len(o.Skipped) != 1 {
		t.Errorf("sshd's port of an included file: %+v", o)
	}
	write(t, tilde, "", 0o666)
	if _, err := env.Parse([]string{"h"}); err == nil ||
		!strings.Contains(err.Error(), "others can write it") {
		t.Errorf("an included file that others can write: %v", err)
	}
}
