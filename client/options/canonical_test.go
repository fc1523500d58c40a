package options

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestCanonicalize: which name is dialled, and what was asked on the way (ssh_config(5)).
func TestCanonicalize(t *testing.T) {
	// name → what it is an alias of
	dns := map[string]string{"web.a.example.": "", "web.b.example.": "front.b.example.",
		"full.example.": "", "bare": "other.b.example", "x.y.a.example.": ""}
	for _, test := range []struct{ args, want string }{
		{"web", "web"},
		{"-oCanonicalizeHostname=no ⟨-oCanonicalDomains=a.example⟩ web", "web"},
		{"-oCanonicalizeHostname=yes web", "web"},
		{"-oCanonicalizeHostname=yes -oCanonicalDomains=a.example WEB",
			"web.a.example ? web.a.example."},
		{"-oCanonicalizeHostname=yes ⟨-oCanonicalDomains=z.example a.example b.example⟩ web",
			"web.a.example ? web.z.example. web.a.example."},
		{"-oCanonicalizeHostname=yes -oCanonicalDomains=z.example web", "web ? web.z.example."},
		{"-oCanonicalizeHostname=yes -oCanonicalDomains=z.example " +
			"-oCanonicalizeFallbackLocal=no web",
			"Could not resolve host web in any of CanonicalDomains"},
		{"-oCanonicalizeHostname=yes -oCanonicalDomains=none -oCanonicalizeFallbackLocal=no web",
			"Could not resolve host web in any of CanonicalDomains"},
		{"-oCanonicalizeHostname=yes -oCanonicalDomains=a.example x.y", "x.y.a.example ? x.y.a.example."},
		{"-oCanonicalizeHostname=yes -oCanonicalDomains=a.example -oCanonicalizeMaxDots=0 x.y", "x.y"},
		{"-oCanonicalizeHostname=yes full.example.", "full.example ? full.example."},
		{"-oCanonicalizeHostname=yes -oCanonicalDomains=a.example 192.0.2.1", "192.0.2.1"},
		{"-oCanonicalizeHostname=yes -oCanonicalDomains=a.example fe80::1%eth0", "fe80::1%eth0"},
		{"-oCanonicalizeHostname=yes -oCanonicalDomains=a.example -J gate web", "web"},
		{"-oCanonicalizeHostname=always -oCanonicalDomains=a.example -J gate web",
			"web.a.example ? web.a.example."},
		{"-oCanonicalizeHostname=yes -oCanonicalDomains=a.example ⟨-oProxyCommand=nc %h⟩ web", "web"},
		{"-oCanonicalizeHostname=yes -oCanonicalDomains=a.example -oProxyCommand=none web",
			"web.a.example ? web.a.example."},
		{"-oCanonicalizeHostname=yes -oCanonicalDomains=a.example -oHostName=web other",
			"web.a.example ? web.a.example."},
		{"-oCanonicalizeHostname=yes -oCanonicalDomains=b.example " +
			"-oCanonicalizePermittedCNAMEs=*.b.example:*.b.example web",
			"front.b.example ? web.b.example."},
		{"-oCanonicalizeHostname=yes -oCanonicalDomains=b.example " +
			"-oCanonicalizePermittedCNAMEs=*.b.example:*.c.example web",
			"web.b.example ? web.b.example."},
		{"-oCanonicalizeHostname=yes -oCanonicalizePermittedCNAMEs=* bare",
			"other.b.example ? bare"},
		{"-oCanonicalizeHostname=yes -oCanonicalDomains=a.example unix:/s", "unix:/s"},
	} {
		env := testEnv(t)
		var asked []string
		env.Lookup = func(_, name string, wantAlias bool) (string, bool) {
			asked = append(asked, name)
			alias, found := dns[name]
			if !wantAlias {
				alias = ""
			}
			return alias, found
		}
		o, err := env.Parse(append([]string{"-F", "none"}, words(test.args)...))
		got := fmt.Sprint(err)
		if err == nil {
			if got = o.HostName; o.Socket != "" {
				got = "unix:" + o.Socket
			}
			if len(asked) > 0 {
				got += " ? " + strings.Join(asked, " ")
			}
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.args, got, test.want)
		}
	}
}

// TestCanonicalBlocks: the files are read again, and Host and Match see the name that was found.
func TestCanonicalBlocks(t *testing.T) {
	env := testEnv(t)
	env.Lookup = func(_, name string, _ bool) (string, bool) { return "", name == "web.a.example." }
	file := write(t, filepath.Join(env.Home, "f"), `
CanonicalizeHostname yes
CanonicalDomains a.example
Host web.a.example
  Port 9
Match host web.a.example originalhost web canonical
  User found
Match !canonical host web
  ConnectionAttempts 4
`, 0o600)
	o := mustParse(t, env, "-F", file, "web")
	if o.HostName != "web.a.example" || o.Port != 9 || o.User != "found" ||
		o.ConnectionAttempts != 4 {
		t.Errorf("%+v", o)
	}
}
