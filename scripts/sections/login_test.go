//go:build linux

package sections_test

import (
	"strings"
	"testing"

	"minissh/scripts/testhost"
)

// Sections by user, group, address and local address decide who may log in, for both daemons alike:
// two users, two addresses at either end.
func TestLoginSections(t *testing.T) {
	w := newWorld(t)
	w.start(`DenyUsers root
Match User bob-of-test Address 127.0.0.2
DenyUsers bob-of-test
Match Group staff-of-test LocalAddress 127.0.0.2
AllowUsers nobody
Match LocalAddress 127.0.0.2 Address 127.0.0.3
AllowUsers ann-of-test
`, "")
	for _, c := range []struct {
		login
		in bool
	}{
		{login{user: "ann-of-test"}, true},
		{login{user: "bob-of-test"}, true},
		{login{user: "bob-of-test", from: "127.0.0.2"}, false},
		{login{user: "ann-of-test", from: "127.0.0.2"}, true},
		{login{user: "ann-of-test", to: "127.0.0.2"}, false},
		{login{user: "bob-of-test", to: "127.0.0.2"}, true},
		{login{user: "ann-of-test", from: "127.0.0.3", to: "127.0.0.2"}, true},
		{login{user: "bob-of-test", from: "127.0.0.3", to: "127.0.0.2"}, false},
	} {
		for _, daemon := range []string{"sshd", "minisshd"} {
			ran := w.run(daemon, c.login, "echo in")
			if in := ran.Out == "in\n"; in != c.in {
				t.Errorf("%s: %+v: %v, %s%s", daemon, c.login, in, ran.Out, ran.Err)
			}
		}
	}
}

// What a key may do depends on its section; a session that is there asks for each channel, also
// after SIGHUP; settings that are wrong change nothing.
func TestKeySectionsAndReload(t *testing.T) {
	w := newWorld(t)
	second := strings.Fields(w.must("ssh-keygen", "-lf", w.second+".pub"))[1]
	by := func(second, forwarding string) string {
		return "Match Key " + second + "\nallow-forwarding " + forwarding + "\n"
	}
	w.startOurs(by(second, "no"))
	first, other := login{user: "ann-of-test"}, login{user: "ann-of-test", key: w.second}
	forwards := func(how login) string {
		return w.RunCmd(w.client("minisshd", how, "-W", "127.0.0.1:"+w.port["minisshd"],
			"HOST")).Err
	}
	if said := forwards(other); !strings.Contains(said, "forwarding") {
		t.Errorf("the key in a section may forward: %s", said)
	}
	if said := forwards(first); strings.Contains(said, "forwarding") {
		t.Errorf("the other key may not forward: %s", said)
	}
	w.reload(by("SHA256:x", "no"), "Changed settings hold from now on")
	if said := forwards(other); strings.Contains(said, "forwarding") {
		t.Errorf("the key may not forward after SIGHUP: %s", said)
	}
	w.reload(by(second, "perhaps"), "The settings stay what they were")
	if !strings.Contains(w.daemon.Log.String(), conf+":2: --allow-forwarding is yes") {
		t.Errorf("the log does not say where: %s", w.daemon.Log)
	}
	if said := forwards(other); strings.Contains(said, "forwarding") {
		t.Errorf("settings that are wrong hold: %s", said)
	}
}

// check tells what the daemon would do.
func TestCheckFor(t *testing.T) {
	w := newWorld(t)
	w.put(conf, "hold 1h\nMatch Group staff-of-test Address 127.0.0.2\nhold 2h\n"+
		"DenyUsers ann-of-test\n")
	check := func(list string) testhost.Ran {
		return w.RunCmd(w.do("minisshd", "check", "--config", conf, "--authorized-keys",
			"/etc/keys/%u", "--for", list))
	}
	key := strings.Fields(w.must("ssh-keygen", "-lf", w.second+".pub"))[1]
	for list, want := range map[string]string{
		"user=ann-of-test,addr=127.0.0.1,key=" + key: "hold 1h0m0s  # " + conf + ":1",
		"user=ann-of-test,addr=127.0.0.2":            "hold 2h0m0s  # " + conf + ":3",
		"user=bob-of-test,addr=127.0.0.2,key=" + key: "hold 1h0m0s  # " + conf + ":1",
	} {
		ran := check(list)
		if !strings.Contains(ran.Out, want) {
			t.Errorf("%s: %s%s", list, ran.Out, ran.Err)
		}
		if strings.Contains(list, "key=") != strings.Contains(ran.Out, "the key may log in") {
			t.Errorf("%s: %s%s", list, ran.Out, ran.Err)
		}
	}
	if ran := check("user=ann-of-test,addr=127.0.0.2,key=" + key); ran.Code != 0 ||
		!strings.Contains(ran.Out, "may not log in: it is in --deny-users") {
		t.Errorf("%d: %s%s", ran.Code, ran.Out, ran.Err)
	}
	if ran := check("user=ann-of-test,addr=127.0.0.1,key=SHA256:x"); ran.Code != 1 ||
		!strings.Contains(ran.Out, "the key may not log in from there") {
		t.Errorf("%d: %s%s", ran.Code, ran.Out, ran.Err)
	}
	for command, want := range map[string]string{
		"/bin/true %u": "the key may not log in from there",
		"/bin/true %u %f": "whether --authorized-keys-command (/bin/true) does, only a login " +
			"with the key can tell",
		"/bin/false %u": "nobody can tell whether the key may log in from there: no file " +
			"admits it, and --authorized-keys-command (/bin/false) cannot tell: it " +
			"ended with code 1\n",
	} {
		w.put(conf, "AuthorizedKeysCommandUser nobody\nAuthorizedKeysCommand "+command+"\n")
		ran := check("user=ann-of-test,addr=127.0.0.1,key=SHA256:x")
		if !strings.Contains(ran.Out, want) ||
			strings.Contains(ran.Out, "may not") != (command == "/bin/true %u") ||
			(ran.Code == 0) != strings.Contains(command, "%f") {
			t.Errorf("%s: %d: %s%s", command, ran.Code, ran.Out, ran.Err)
		}
	}
	// those count whom a section lets in from somewhere
	rest := "Match Address 127.0.0.2\nDenyUsers bob-of-test\nMatch User bob-of-test\nhold 2h\n"
	for settings, want := range map[string]string{"DenyUsers *\n" + rest: "ann-of-test",
		"DenyUsers *\n" + strings.Replace(rest, "Match Address", "Match User x Address", 1): ""} {
		w.put(conf, settings)
		ran := w.RunCmd(w.do("minisshd", "check", "--config", conf, "--authorized-keys",
			"/etc/keys/%u"))
		_, could, _ := strings.Cut(ran.Out, "could log in: ")
		if strings.Contains(could, "ann-of-test") != (want != "") ||
			strings.Contains(could, "bob-of-test") || (ran.Code == 0) != (want != "") {
			t.Errorf("%s%d: %s%s", settings, ran.Code, ran.Out, ran.Err)
		}
	}
}
