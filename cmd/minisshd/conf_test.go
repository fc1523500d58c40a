package main

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"minissh/daemon/process"
)

// Lines are split as sshd_config(5) says.
func TestSplitConf(t *testing.T) {
	for line, want := range map[string][]string{
		"":                            nil,
		"  # all of it":               nil,
		"hold 1h\r\n":                 {"hold", "1h"},
		"\thold=1h":                   {"hold", "1h"},
		"hold = 1h # and so on":       {"hold", "1h"},
		"allow-users a  b#c\t#d":      {"allow-users", "a", "b#c"},
		`host-key "/a b/c" '/d "e'`:   {"host-key", "/a b/c", `/d "e`},
		`host-key /a\ b "/c\"d" /e\f`: {"host-key", "/a b", `/c"d`, `/e\f`},
		`host-key ""`:                 {"host-key", ""},
		"subsystem x=y":               {"subsystem", "x=y"},
	} {
		if got, err := splitConf(line); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v", line, got, err)
		}
	}
	for _, line := range []string{`hold "1h`, "hold '1h", "hold 1\x00h"} {
		if got, err := splitConf(line); err == nil {
			t.Errorf("%q: %q", line, got)
		}
	}
}

// confOf is a configuration read from files of these texts, in this order.
func confOf(t *testing.T, command map[string][]string, texts ...string) (*configuration, error) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("not run: needs file modes")
	}
	acct, err := process.CurrentAccount()
	if err != nil {
		t.Fatal(err)
	}
	acct.Home = "/home/me"
	conf, dir := &configuration{command: command}, t.TempDir()
	for i, text := range texts {
		file := filepath.Join(dir, string(rune('a'+i))+".conf")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		lines, err := readConf(file, acct)
		if err != nil {
			t.Fatal(err)
		}
		if err := conf.addAll(lines, daemonFlags(), acct); err != nil {
			return conf, err
		}
	}
	return conf, nil
}

// counts are a configuration's values that count, by flag.
func counts(conf *configuration) map[string]string {
	all := map[string]string{}
	for _, v := range conf.settings {
		if v.unused == "" && v.section == 0 {
			all[v.flag] = strings.TrimSpace(all[v.flag] + " " + strings.Join(v.values, "|"))
		}
	}
	return all
}

// Lists add up, a later file wins otherwise, and the command line wins over all. sshd's words mean
// what they mean there.
func TestConfiguration(t *testing.T) {
	conf, err := confOf(t, map[string][]string{"deny-users": {"eve"}},
		"AllowUsers ann bob\nDenyUsers mallory\nhold 1h\nLoginGraceTime 2m\nannounce YES\n",
		"allow-users carol\nHOLD 2h\nlisten :7422 unix:~/s\nAllowTcpForwarding all\n"+
			"Subsystem sftp /usr/lib/sftp-server -f \"a b\"\nsubsystem x=none\n"+
			"AuthorizedKeysFile .ssh/authorized_keys %h/k /etc/keys/%u\nHostKey ~/key\n")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"allow-users": "ann|bob carol", "hold": "2h", "login-grace": "2m",
		"announce": "true", "allow-forwarding": "yes",
		"subsystem":       "sftp=/usr/lib/sftp-server -f 'a b' x=none",
		"authorized-keys": "%h/.ssh/authorized_keys|%h/k|/etc/keys/%u",
		"host-key":        "/home/me/key", "listen": ":7422|unix:/home/me/s"}
	got := counts(conf)
	for name := range daemonFlagsByName() {
		if got[name] != want[name] {
			t.Errorf("%s: %q, not %q", name, got[name], want[name])
		}
	}
	for text, want := range map[string]string{
		"holds 1h":                 "a.conf:1: \"holds\" is not a setting",
		"\n--hold 1h":              "a.conf:2: \"--hold\" is not the name of a setting",
		"hold 1h 2h":               "a.conf:1: hold takes one value, not 2",
		"hold":                     "a.conf:1: hold needs a value after it",
		"hold 60":                  "a.conf:1: hold is a time such as 90s or 5m, not \"60\"",
		"max-sessions many":        "a.conf:1: max-sessions is a number, not \"many\"",
		"announce perhaps":         "a.conf:1: announce is yes or no, not \"perhaps\"",
		"hold 1h\nhold 1h":         "a.conf:2: hold is set in line 1 already",
		"config /etc/other":        "a.conf:1: config cannot be set in a file",
		"listen unix:s":            "a.conf:1: listen: \"s\" is not an absolute path",
		"host-key key":             "a.conf:1: host-key: \"key\" is not an absolute path",
		"authorized-keys none":     "a.conf:1: authorized-keys: \"none\" is not an absolute path",
		"match host ann":           "a.conf:1: Match: there is no criterion Host",
		"Match all\nlisten :1":     "a.conf:2: listen cannot be in a Match section",
		"Match all\npermit-open ,": "a.conf:2: permit-open needs a value after it",
		"hold \x1b[31m":            `a.conf:1: hold is a time such as 90s or 5m, not "\x1b[31m"`,
		"max-sessions 1\nUseDNS x": "a.conf:2: \"UseDNS\" is a word of sshd_config",
	} {
		_, err := confOf(t, nil, text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func daemonFlagsByName() map[string]bool {
	all := map[string]bool{}
	for _, f := range daemonFlags() {
		all[f.Names()[0]] = true
	}
	return all
}

// No word of sshd_config is told in two ways, and what it is called here exists.
func TestSshdsWords(t *testing.T) {
	ours := daemonFlagsByName()
	for word, name := range ofSshd {
		if otherwise[word] != "" || !ours[name] {
			t.Errorf("%s: %s", word, name)
		}
	}
	for word := range otherwise {
		if ours[word] || word != strings.ToLower(word) {
			t.Errorf("%s is a setting", word)
		}
	}
}

// The sample names each setting once, with a value that the daemon accepts.
func TestSample(t *testing.T) {
	text, err := os.ReadFile("../../scripts/service/minisshd.conf")
	if err != nil {
		t.Fatal(err)
	}
	if conf, err := confOf(t, nil, string(text)); err != nil || len(conf.settings) > 0 {
		t.Errorf("the sample sets %v, %v", conf.settings, err)
	}
	set := regexp.MustCompile(`(?m)^#([a-z]|Match)`).ReplaceAllString(string(text), "$1")
	conf, err := confOf(t, nil, set)
	if err != nil {
		t.Fatal(err)
	}
	for name := range daemonFlagsByName() {
		if counts(conf)[name] == "" && name != "config" {
			t.Errorf("the sample lacks %s", name)
		}
	}
}

// The parts are read in the order of their names, and nothing else is.
func TestConfParts(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"20-b.conf", "10-a.conf", ".hidden.conf", "30.conf~"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := confParts(dir)
	if want := []string{filepath.Join(dir, "10-a.conf"),
		filepath.Join(dir, "20-b.conf")}; err != nil || !slices.Equal(files, want) {
		t.Errorf("%q, %v", files, err)
	}
	if files, err := confParts(filepath.Join(dir, "none")); err != nil || files != nil {
		t.Errorf("%q, %v", files, err)
	}
	if files, err := confParts(filepath.Join(dir, "10-a.conf")); err == nil {
		t.Errorf("a file is taken for a directory: %q", files)
	}
}

// A path may hold a comma, on the command line and in a file, also when the files are read again
// and where a section holds.
func TestCommas(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.conf")
	if err := os.WriteFile(file, []byte("deny-users a b\nMatch User bob\n"+
		"authorized-keys /etc/k,2/%u /etc/k3/%u\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	conf := &configuration{named: file, command: map[string][]string{"config": {file}}}
	for _, held := range []struct {
		command []string
		want    []string
		holding []int
	}{
		{[]string{"/etc/k,1/%u"}, []string{"/etc/k,1/%u"}, nil},
		{nil, []string{"/etc/k,2/%u", "/etc/k3/%u"}, []int{0}},
	} {
		if conf.command["authorized-keys"] = held.command; held.command == nil {
			delete(conf.command, "authorized-keys")
		}
		c, now, err := conf.again(newApp())
		if err == nil {
			c, err = now.with(newApp(), held.holding)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := c.StringSlice("authorized-keys"); !slices.Equal(got, held.want) {
			t.Errorf("%q, not %q", got, held.want)
		}
		if got := c.StringSlice("deny-users"); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("deny-users %q", got)
		}
	}
}
