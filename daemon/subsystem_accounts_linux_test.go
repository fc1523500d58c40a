package daemon

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"minissh/daemon/access"
)

// The server of a subsystem has the account's rights, and the account's home is where it starts.
func TestAccountSubsystem(t *testing.T) {
	l := accountsLab(t, access.Policy{})
	acct := newAccount(t, l.guest.Public)
	secret := filepath.Join(acct.Home, "secret")
	if err := os.WriteFile(secret, []byte("root's own words"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := l.as(acct, l.guest)
	c := sftpTo(t, s)
	if where, err := c.Getwd(); err != nil || where != acct.Home {
		t.Errorf("it starts in %s, %v", where, err)
	}
	if second(c.Open("secret")) == nil || c.Mkdir("/root/new") == nil ||
		c.Chown("secret", 1, 1) == nil {
		t.Error("it has more rights than the account")
	}
	if err := c.Mkdir("made"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(acct.Home, "made"))
	if err != nil || info.Sys().(*syscall.Stat_t).Uid != uint32(acct.UID) {
		t.Errorf("%+v, %v", info, err)
	}
	s.Close(nil)
}
