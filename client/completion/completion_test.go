package completion

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"minissh/client/options"
)

var verbs = []Verb{
	{Name: "try", Usage: "try it", Flags: []Flag{{Name: "--trace", Usage: "frames"}}},
	{Name: "trace", Host: true},
	{Name: "job", Host: true, Does: []Flag{{Name: "attach"}, {Name: "list"}},
		Flags: []Flag{{Name: "--new"}}},
	{Name: "cp", Copy: true, Flags: []Flag{{Name: "-r"}, {Name: "--resume"}, {Name: "-P", Argument: true}}},
	{Name: "on", Host: true, Many: true, Flags: []Flag{{Name: "--json"}, {Name: "-x",
		Argument: true, Value: "HOSTS"}, {Name: "--fanout", Argument: true, Value: "N"}}},
	{Name: "prompt", Host: true, On: true, Flags: []Flag{{Name: "--stop"}}},
	{Name: "identity", Flags: []Flag{{Name: "--pem", Argument: true}, {Name: "-i", Argument: true}}},
}

func TestCandidates(t *testing.T) {
	hosts := func() []string { return []string{"box", "trunk", "@web"} }
	for _, c := range []struct{ words, want, not string }{
		{"", "try trace identity box trunk", "-p"},
		{"tr", "try trace trunk", "box job"},
		{"try ", "", ""},
		{"try --", "--trace", "-p"},
		{"identity --pem ", "", ""},
		{"identity --pem x -", "--pem -i", "-p"},
		{"job ", "attach list", "box -p --new"},
		{"job attach b", "box", "attach"},
		{"job attach box -", "--new -p", ""},
		{"job attach box ", "", ""},
		{"job list attach", "", "attach"},
		{"trace b", "box", "trace"},
		{"trace try", "", ""}, // there is no host of that name
		{"user@", "user@box user@trunk", "user@try"},
		{"-", "-p -o -v -L -D -R -A --exec --timeout", "-w -x try box"},
		{"-o ", "StrictHostKeyChecking= User=", "Compression= Tunnel= Host="},
		{"-oUser", "-oUser= -oUserKnownHostsFile=", "User="},
		{"-p ", "", ""},
		{"-p 22 t", "trunk", "try trace"},
		{"-vTp 22 b", "box", ""},
		{"-vTp22 b", "box", ""},
		{"--timeout 5 b", "box", ""},
		{"--timeout=5 b", "box", ""},
		{"box -", "-p", ""},
		{"box -p 22 ", "", ""},
		{"box ls -", "", ""},
		{"cp ", "box: trunk:", "box --resume"},
		{"cp box:a user@b", "user@box:", ""},
		{"cp box:a ./x", "", ""},
		{"cp -", "-r --resume", "-N box:"},
		{"cp -P ", "", ""},
		{"cp --on box,t", "box,trunk", "box:"},
		{"cp --on box ", "box:", ""},
		{"cp -P 5 b", "box:", ""},
		{"cp -o Us", "User=", "box:"},
		{"cp -oUs", "-oUser=", "box:"},
		{"- b", "", ""}, // "-" was the host
		{"on ", "box trunk @web", "on"},
		{"on @", "@web", "@box"},
		{"on box,t", "box,trunk", "trunk"},
		{"on @web!b", "@web!box", ""},
		{"on root@", "root@box", "root@@web"},
		{"on --fanout ", "", ""},
		{"on --fanout 3 -x b", "box", ""},
		{"on -p 22 --json b", "box", ""},
		{"on box -", "--json --fanout -p", ""},
		{"on box ls ", "", ""},
		{"prompt o", "on", ""},
		{"prompt b", "box", ""},
		{"prompt on @", "@web", "@box"},
	} {
		words := strings.Split(c.words, " ")
		var got []string
		for _, candidate := range Candidates(verbs, words, hosts) {
			got = append(got, candidate.Word)
			if !strings.HasPrefix(candidate.Word, words[len(words)-1]) {
				t.Errorf("%q: %q does not begin with it", c.words, candidate.Word)
			}
		}
		for _, want := range strings.Fields(c.want) {
			if !slices.Contains(got, want) {
				t.Errorf("%q: %q is missing in %q", c.words, want, got)
			}
		}
		for _, not := range strings.Fields(c.not) {
			if slices.Contains(got, not) {
				t.Errorf("%q: %q is offered", c.words, not)
			}
		}
		if c.want == "" && got != nil {
			t.Errorf("%q: %q are offered", c.words, got)
		}
	}
	if got := Candidates(verbs, nil, hosts); len(got) < 5 {
		t.Errorf("nothing typed: %q", got)
	}
}

func TestHosts(t *testing.T) {
	home := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		name = filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const key = " ssh-ed25519 " +
		"AAAAC3NzaC1lZDI1NTE5AAAAIHtl78kQnSdKC0SWPtvuWWhK0pbz/tYbe1DS4Tvgm1UY\n"
	write(".ssh/config", "Host one two *.pattern !not\n  User x\nHOST=three\n\"Host\" 'fo'ur\n"+
		"Include config.d/* config\nHost open\"quote\nbroken \" line\n")
	write(".ssh/config.d/a", "host from-include $(evil) `evil` a;b \x1b[31m -oProxyCommand=x\n")
	write(".config/minissh/config", "Host own\n")
	write(".ssh/known_hosts", "known,[port.example]:7422,10.0.0.1,[::1]:7422"+key+
		"|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAAAAAAAAAAAAAAAAAAAAAAAAA="+key+
		"*.wild"+key+"@revoked revoked"+key+"$(evil)`x`"+key+"malformed\none"+key)
	env := options.CurrentEnvironment()
	env.Home = home
	got := Hosts(env)
	for _, want := range strings.Fields("10.0.0.1 ::1 four from-include known one own " +
		"port.example three two") {
		if !slices.Contains(got, want) {
			// the machine's own /etc/ssh/ssh_known_hosts may add to it
			t.Errorf("%s is missing in %q", want, got)
		}
	}
	for _, name := range got {
		if strings.ContainsAny(name, "$`;\x1b*?! |") || name == "revoked" || name[0] == '-' ||
			slices.Contains(got[:slices.Index(got, name)], name) {
			t.Errorf("%q is offered", name)
		}
	}
	env.Home = ""
	if got := env.ConfiguredHosts(); got != nil {
		t.Errorf("without a home: %q", got)
	}
}
