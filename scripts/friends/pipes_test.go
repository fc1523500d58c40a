//go:build linux

package friends_test

import (
	"os"
	"strings"
	"testing"

	"minissh/scripts/testhost"
)

// sh runs a script of the shell in the place; DIR is its directory.
func sh(t *testing.T, p *testhost.Place, script string) testhost.Ran {
	t.Helper()
	cmd := p.Command("sh", "-c", script)
	cmd.Env = append(cmd.Env, "DIR="+p.Dir)
	return p.RunCmd(cmd)
}

func TestTar(t *testing.T) {
	testhost.Need(t, "tar")
	p := place(t, 20<<20)
	if r := sh(t, p,
		`mkdir there back && tar cf - -C src . | minissh box "tar xpf - -C '$DIR/there'"`); r.Code != 0 || r.Err != "" {
		t.Errorf("there: %+v", r)
	}
	p.Same("src", "there")
	if r := sh(t, p,
		`minissh box "tar czf - -C '$DIR/there' ." | tar xzpf - -C back`); r.Code != 0 ||
		r.Err != "" {
		t.Errorf("and back: %+v", r)
	}
	p.Same("src", "back")
	// A tar that finds nothing says so with its own code.
	if r := sh(t, p,
		`minissh box "tar cf - -C '$DIR/nothing' ." | tar tf -; minissh -n box "tar cf - -C '$DIR/nothing' ." >none; exit $?`); r.Code != 2 {
		t.Errorf("nothing: %+v", r)
	}
	// A reader that has enough: minissh ends, and so does what ran there.
	if r := sh(t, p,
		`minissh box 'echo $$ >"'"$DIR"'/there.pid"; exec yes' | head -n 1`); r.Out != "y\n" {
		t.Errorf("%+v", r)
	}
	gone(t, p, "there.pid")
}

// Installing a key as ssh-copy-id does, by hand: after it the key lets its holder in.
func TestKeyInstalling(t *testing.T) {
	p := testhost.New(t)
	p.Daemon()
	p.Key(p.Path("new"))
	login := func() testhost.Ran {
		return p.Run("minissh", "-o", "IdentitiesOnly=yes", "-i", "new", "box", "echo in")
	}
	if r := login(); r.Code != 255 || !strings.Contains(r.Err, "Permission denied (publickey)") {
		t.Errorf("before: %+v", r)
	}
	if r := sh(t, p,
		`minissh box "umask 077; cat >>'$DIR/authorized_keys'" <new.pub`); r.Code != 0 {
		t.Errorf("installing: %+v", r)
	}
	if r := login(); r.Out != "in\n" {
		t.Errorf("after: %+v", r)
	}
	if info, err := os.Stat(p.Path("authorized_keys")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}
