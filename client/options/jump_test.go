package options

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The program that makes the connection through hops gets words, never a line for a shell; each hop
// has its own user, port and configuration, and what is shared with it is what ssh shares.
func TestJumpCommand(t *testing.T) {
	for args, want := range map[string]string{
		"-J gate h":                        "self -W [h]:7422 gate",
		"-J u@gate:33 -p 5 h":              "self -l u -p 33 -W [h]:5 gate",
		"-J a,u@b:3,c ::1":                 "self -J a,u@b:3 -W [::1]:7422 c",
		"-J [fe80::1]:9 -oHostName=%h.x h": "self -p 9 -W [h.x]:7422 fe80::1",
		"-J %r@gate -l you h":              "self -l you -W [h]:7422 gate",
		"-J minissh://u@gate:2/ h":         "self -l u -p 2 -W [h]:7422 gate",
		"-J ssh://u@gate:22 h":             "ssh -l u -p 22 -W [h]:7422 gate",
		"-J ssh://a,ssh://b h":             "ssh -J ssh://a -W [h]:7422 b",
		"-J ssh://a,b h":                   "self -J ssh://a -W [h]:7422 b",
		"-F none -v -J gate h":             "self -F none -v -W [h]:7422 gate",
		"-vv -vv -J gate h":                "self -vvv -W [h]:7422 gate",
		"-q -oBatchMode=yes -J gate h":     "self -q -oBatchMode=yes -W [h]:7422 gate",
		"-i /key -4 -C -J gate h date":     "self -W [h]:7422 gate",
	} {
		o := mustParse(t, testEnv(t), words(args)...)
		if got := strings.Join(o.JumpCommand("self"), " "); got != want || !o.Proxied() {
			t.Errorf("%s: %s, want %s", args, got, want)
		}
	}
	env := testEnv(t)
	file := write(t, filepath.Join(env.Home, "a file; date"), "", 0o600)
	o := mustParse(t, env, "-F", file, "-J", "gate", "h")
	if argv := o.JumpCommand("self"); !slices.Contains(argv, file) {
		t.Errorf("%q", argv)
	}
}

// The tokens of ssh's, and no other; and what cannot be is refused with a hint.
func TestProxyCommand(t *testing.T) {
	env := testEnv(t)
	o := mustParse(t, env, "-p", "5", "-oHostName=real", "-oHostKeyAlias=key",
		"-oProxyCommand=a '%h' \"%n\" %p %r %k %% # x", "me@h")
	if o.ProxyCommand != `a 'real' "h" 5 me key % # x` {
		t.Errorf("%q", o.ProxyCommand)
	}
	for _, args := range []string{"-oProxyCommand=none h", "-J none h", "-oProxyJump=NONE h"} {
		if o := mustParse(t, env, words(args)...); o.Proxied() {
			t.Errorf("%s: %q, %v", args, o.ProxyCommand, o.Jumps)
		}
	}
	for args, want := range map[string]string{
		"⟨-oProxyCommand=nc %u⟩ h": "ProxyCommand: %u is not known here",
		"-J %d@gate h":             "ProxyJump: %d is not known here",
		"-J a,ssh://b h":           "-J ssh://b cannot come after a",
		"-J a -J b h":              "there is more than one -J",
		"-oProxyCommand=x -J b h":  "-J and ProxyCommand do not go together",
		"-J ⟨a;date⟩ h":            "-J a;date is not a host to go through",
		"-J -oProxyCommand=x h":    "-J -oProxyCommand=x is not a host to go through",
		"-J h h":                   "the way to h goes through itself: jumphost loop",
		"-J me@H:7422 h":           "the way to h goes through itself: jumphost loop",
		"-J gate unix:/socket":     "unix:/socket is a socket of this machine",
		"-oProxyCommand=x unix:/s": "unix:/s is a socket of this machine",
	} {
		_, err := env.Parse(words(args))
		hinter, _ := err.(Hinter)
		if err == nil || !strings.HasPrefix(err.Error(), want) ||
			!strings.Contains(args, "%") && hinter.Hint() == "" {
			t.Errorf("%s: %v", args, err)
		}
	}
	// through a host's sshd to its own minisshd
	if o := mustParse(t, env, "-J", "ssh://h", "h"); !o.Proxied() {
		t.Error("-J ssh://h h")
	}
}
