//go:build linux

package sections_test

import (
	"strings"
	"testing"

	"minissh/scripts/testhost"
)

// The settings of a session do for minisshd what they do for sshd.
func TestSettingsBesideSSHD(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"ann-of-test", "bob-of-test"} {
		w.put("/etc/keys/"+name, w.Read("authorized_keys")+
			`command="echo key $X $SSH_ORIGINAL_COMMAND",environment="X=key" `+w.Read("second.pub"))
	}
	w.start(`SetEnv X=set Y=set
AcceptEnv LANG Y Z?
PermitUserEnvironment yes
Match User bob-of-test
ForceCommand echo "forced  $X" $SSH_ORIGINAL_COMMAND
PermitTTY no
SetEnv X=bob
AcceptEnv A
`, "")
	env := "echo X=$X Y=$Y Z1=$Z1 A=$A LANG=$LANG LC_ALL=$LC_ALL"
	sends := []string{"-o", "SendEnv=X Y Z1 A LANG LC_ALL"}
	for _, c := range []struct {
		login
		words []string
		want  string
	}{
		{login{user: "ann-of-test"}, append(sends[:2:2], "HOST", env),
			"X=set Y=set Z1=z A= LANG=C LC_ALL=\n"},
		{login{user: "bob-of-test"}, []string{"HOST", "some thing"}, "forced  bob some thing\n"},
		{login{user: "ann-of-test", key: w.second}, []string{"HOST", "x"}, "key set x\n"},
		{login{user: "bob-of-test", key: w.second}, []string{"HOST", "x"}, "forced  bob x\n"},
		{login{user: "bob-of-test"}, []string{"-s", "HOST", "sftp"}, "forced  bob internal-sftp\n"},
		{login{user: "bob-of-test"}, []string{"-tt", "HOST", "x"}, "forced  bob x\n"},
	} {
		for _, daemon := range []string{"sshd", "minisshd"} {
			cmd := w.client(daemon, c.login, c.words...)
			cmd.Env = append(cmd.Env, "X=x", "Y=y", "Z1=z", "A=a", "LANG=C", "LC_ALL=C")
			ran := w.RunCmd(cmd)
			// ssh gives up where it gets no terminal
			if c.words[0] == "-tt" && daemon == "sshd" {
				if !strings.Contains(ran.Err, "PTY allocation request failed") {
					t.Errorf("sshd gives a terminal: %s", ran.Err)
				}
				continue
			}
			if ran.Out != c.want {
				t.Errorf("%s: %+v: %q %s", daemon, c, ran.Out, ran.Err)
			}
		}
	}
}

// permit-open, permit-listen and disable-forwarding hold for minisshd as for sshd.
func TestForwardingBesideSSHD(t *testing.T) {
	w := newWorld(t)
	allowed, refused := freePort(t), freePort(t)
	w.start("PermitOpen 127.0.0.1:"+allowed+"\nPermitListen 127.0.0.1:"+allowed+
		"\nMatch User bob-of-test\nDisableForwarding yes\n", "")
	for _, c := range []struct {
		login
		port   string
		closed bool
	}{
		{login{user: "ann-of-test"}, allowed, false}, {login{user: "ann-of-test"}, refused, true},
		{login{user: "bob-of-test"}, allowed, true},
	} {
		for _, daemon := range []string{"sshd", "minisshd"} {
			// nobody listens there: what is allowed fails otherwise
			ran := w.RunCmd(w.client(daemon, c.login, "-W", "127.0.0.1:"+c.port, "HOST"))
			closed := !strings.Contains(strings.ToLower(ran.Err), "connection refused")
			if closed != c.closed {
				t.Errorf("%s -W: %+v: %s", daemon, c, ran.Err)
			}
			ran = w.RunCmd(w.client(daemon, c.login, "-o", "ExitOnForwardFailure=yes", "-R",
				"127.0.0.1:"+c.port+":127.0.0.1:1", "HOST", "echo open"))
			if closed := ran.Out != "open\n"; closed != c.closed {
				t.Errorf("%s -R: %+v: %s%s", daemon, c, ran.Out, ran.Err)
			}
		}
	}
}

const closedBy = "force-command in the daemon's settings"

// force-command closes what command= before a key closes, and what is allowed by name stays.
func TestForceCommandCloses(t *testing.T) {
	w := newWorld(t)
	port := freePort(t)
	w.startOurs("Match User bob-of-test\nForceCommand echo forced\nMatch User ann-of-test\n" +
		"ForceCommand internal-sftp\nAllowTcpForwarding yes\n")
	bob, ann := login{user: "bob-of-test"}, login{user: "ann-of-test"}
	file := w.Write("file", "text")
	verb := func(words ...string) testhost.Ran {
		at := len(words) - 1 // options go before the last word
		return w.RunCmd(w.Command("minissh", append(words[:at:at], "-F", "none", "-o",
			"Port="+w.port["minisshd"], "-o", "UserKnownHostsFile="+w.Path("known_minisshd"),
			words[at])...))
	}
	for _, c := range []struct {
		login
		what  string
		words []string
		open  bool
	}{
		{bob, "forward", []string{"-W", "127.0.0.1:" + port, "HOST"}, false},
		{ann, "forward", []string{"-W", "127.0.0.1:" + port, "HOST"}, true},
	} {
		ran := w.RunCmd(w.client("minisshd", c.login, c.words...))
		if strings.Contains(ran.Err, closedBy) == c.open {
			t.Errorf("%s: %s: %d %s%s", c.user, c.what, ran.Code, ran.Out, ran.Err)
		}
	}
	for _, how := range []login{bob, ann} {
		ran := verb("job", "list", how.user+"@127.0.0.1")
		if !strings.Contains(ran.Err, closedBy) {
			t.Errorf("jobs as %s: %d %s%s", how.user, ran.Code, ran.Out, ran.Err)
		}
		ran = verb("cp", file, how.user+"@127.0.0.1:there")
		if (ran.Code == 0) != (how == ann) {
			t.Errorf("cp as %s: %d %s%s", how.user, ran.Code, ran.Out, ran.Err)
		}
	}
	if ran := w.run("minisshd", ann, "echo x"); ran.Out != "" || ran.Code != 255 {
		t.Errorf("%d %q %s", ran.Code, ran.Out, ran.Err)
	}
	cmd := w.client("minisshd", ann, "-s", "HOST", "sftp")
	cmd.Stdin = strings.NewReader("\x00\x00\x00\x05\x01\x00\x00\x00\x03")
	if ran := w.RunCmd(cmd); !strings.Contains(ran.Out, "\x02\x00\x00\x00\x03") {
		t.Errorf("%d %q %s", ran.Code, ran.Out, ran.Err)
	}
}
