//go:build unix

package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/access"
	"minissh/protocol"
	"minissh/protocol/keys"
)

// authorizedLab is a daemon whose guest is listed in an authorized_keys file, after options.
func authorizedLab(t *testing.T, options string, environment bool) (*lab, string) {
	t.Helper()
	var file string
	l := newLab(t, func(o *Options) {
		file = filepath.Join(o.Account.Home, "authorized_keys")
		o.Access = access.NewFileAccess(o.Account,
			[]string{filepath.Join(o.Account.Home, "not-there"), file},
			access.Trust{Environment: environment}, o.Log)
	})
	line := strings.TrimSpace(options + " " + string(ssh.MarshalAuthorizedKey(l.guest.Public)))
	if err := os.WriteFile(file, []byte("# a comment\nnonsense\n"+line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return l, file
}

// A key with command= runs that and nothing else (EX9); what was asked is in SSH_ORIGINAL_COMMAND,
// in bytes.
func TestForcedCommand(t *testing.T) {
	l, file := authorizedLab(t, `command="echo forced \"$SSH_ORIGINAL_COMMAND\"; pwd -P",restrict`,
		false)
	s := l.session(nil)
	defer s.Close(nil)
	home := real(t, l.home)
	for _, c := range []struct {
		open protocol.Open
		out  string
	}{
		{protocol.Open{Command: protocol.Bytes("rm -rf / \xff; touch pwned")}, "forced rm -rf / \xff; touch pwned\n" + home + "\n"},
		{protocol.Open{Argv: bytesOf("touch", "pwned")}, "forced touch pwned\n" + home + "\n"},
		{protocol.Open{Command: protocol.Bytes("x"), Dir: protocol.Bytes("/"), ReportDir: true}, "forced x\n" + home + "\n"},
	} {
		r := collect(t, start(t, s, c.open))
		if r.out != c.out || r.exit == nil || r.exit.Dir != nil {
			t.Errorf("%q, %+v, refused %+v", r.out, r.exit, r.refused)
		}
	}
	if _, err := os.Stat(filepath.Join(l.home, "pwned")); err == nil {
		t.Error("what was asked was run")
	}
	ch, err := s.Open(&protocol.Open{Service: "files"})
	if err != nil {
		t.Fatal(err)
	}
	if r := collect(t, ch); r.exit != nil || r.refused.Code == "" {
		t.Errorf("another service: %+v", r)
	}
	l.log.want(t, "Accepted publickey", "listed="+file+":3")
	l.log.want(t, "Starting command", "forced=true", `rm -rf`)
	l.log.want(t, "A line of authorized_keys is not used")
}

func TestAccessFromFiles(t *testing.T) {
	for _, c := range []struct {
		options string
		in      bool
	}{
		{"", true},
		{`from="127.0.0.0/8"`, true},
		{`from="192.0.2.1,!127.0.0.1,*"`, false},
		{`from="192.0.2.0/24"`, false},
		{`expiry-time="20200101"`, false},
		{`expiry-time="29991231"`, true},
		{`no-port-forwarding,no-X11-forwarding,no-agent-forwarding,no-pty`, true},
		{`cert-authority`, false},
		{`no-such-option`, false},
	} {
		l, _ := authorizedLab(t, c.options, false)
		p := l.knock(l.guest)
		p.send(hello(nil))
		if c.in {
			p.want(protocol.TypeWelcome)
			p.conn.Close()
		} else if code := p.wantError().Code; code != protocol.CodeKeyNotAuthorized {
			t.Errorf("%s: %s", c.options, code)
		}
	}
}

// A file that others can write admits nobody; the file is read anew at each login.
func TestWritableFileIsRefused(t *testing.T) {
	l, file := authorizedLab(t, "", false)
	l.run("true")
	if err := os.Chmod(file, 0o666); err != nil {
		t.Fatal(err)
	}
	p := l.knock(l.guest)
	p.send(hello(func(h *protocol.Hello) { h.Keys = []string{keys.Fingerprint(l.guest.Public)} }))
	if r := p.wantError(); r.Code != protocol.CodeKeyNotAuthorized || r.Key != "" {
		t.Errorf("%+v", r)
	}
	l.log.want(t, "Authentication refused: bad ownership or modes", "file="+file)
	os.Chmod(file, 0o600)
	l.run("true")
}

// A refusal does not name a key that may not log in from here.
func TestWouldDoObeysRestrictions(t *testing.T) {
	for options, named := range map[string]bool{"": true, `from="192.0.2.1"`: false,
		`expiry-time="20200101"`: false} {
		l, _ := authorizedLab(t, options, false)
		fingerprint := keys.Fingerprint(l.guest.Public)
		p := l.knock(l.stranger)
		p.send(hello(func(h *protocol.Hello) { h.Keys = []string{fingerprint} }))
		if r := p.wantError(); (r.Key == fingerprint) != named {
			t.Errorf("%s: the refusal names %q", options, r.Key)
		}
		p = l.knock(l.stranger)
		p.send(hello(func(h *protocol.Hello) { h.User, h.Keys = "root", []string{fingerprint} }))
		if r := p.wantError(); r.Key != "" {
			t.Errorf("%s: for another user the refusal names %q", options, r.Key)
		}
	}
}

// environment= counts with its flag only.
func TestEnvironmentOption(t *testing.T) {
	for flag, want := range map[bool]string{true: "set\n", false: "\n"} {
		l, _ := authorizedLab(t, `environment="FROM_KEY=set"`, flag)
		if out, _ := l.run("echo $FROM_KEY"); out != want {
			t.Errorf("with the flag %v: %q", flag, out)
		}
	}
}
