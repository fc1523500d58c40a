//go:build linux || darwin

package process

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestEnvironment(t *testing.T) {
	t.Setenv("TZ", "Asia/Shanghai")
	t.Setenv("SECRET", "of the daemon")
	acct := Account{Name: "ann", UID: 1000, GID: 1000, Home: "/home/ann", Shell: "/bin/zsh"}
	got := Environment(acct, "SSH_CONNECTION=1.2.3.4 5 6.7.8.9 7422", "LANG=C", "LANG=C.UTF-8",
		"TZ=UTC", "=x", "novalue", "BAD=a\x00b", "BYTES=\xff=\n")
	want := []string{"HOME=/home/ann", "USER=ann", "LOGNAME=ann", "SHELL=/bin/zsh",
		"PATH=/usr/local/bin:/usr/bin:/bin:/usr/games", "MAIL=/var/mail/ann",
		"TZ=UTC", "SSH_CONNECTION=1.2.3.4 5 6.7.8.9 7422", "LANG=C.UTF-8", "BYTES=\xff=\n"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	os.Unsetenv("TZ")
	acct.UID = 0
	got = Environment(acct)
	if len(got) != 6 ||
		got[4] != "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" {
		t.Errorf("%q", got)
	}
}

func TestScanPasswd(t *testing.T) {
	const file = "# comment:x:1:1::/:/bin/sh\nroot:x:0:0:root:/root:/bin/bash\nshort:x:5\n" +
		"bad:x:-1:0::/:/bin/sh\nbig:x:4294967296:0::/:/bin/sh\n+::::::\n" +
		"ann:x:1000:1001:Ann,,,:/home/ann:\nann2:x:1000:7::/:/bin/false\n"
	for uid, want := range map[uint32]Account{
		0:    {Name: "root", Home: "/root", Shell: "/bin/bash"},
		1000: {Name: "ann", UID: 1000, GID: 1001, Home: "/home/ann", Shell: "/bin/sh"},
	} {
		acct, ok, err := scanPasswd(strings.NewReader(file),
			func(a Account) bool { return a.UID == uid })
		if err != nil || !ok || acct != want {
			t.Errorf("%+v, %v, %v", acct, ok, err)
		}
	}
	if _, ok, err := scanPasswd(strings.NewReader(file),
		func(a Account) bool { return a.UID == 5 }); ok || err != nil {
		t.Error("a malformed line counts")
	}
}

func TestCurrentAccount(t *testing.T) {
	acct, err := CurrentAccount()
	if err != nil || acct.Name == "" || acct.UID != uint32(os.Getuid()) ||
		acct.GID != uint32(os.Getgid()) || !filepath.IsAbs(acct.Home) ||
		!filepath.IsAbs(acct.Shell) {
		t.Errorf("%+v, %v", acct, err)
	}
}

func TestAccountDir(t *testing.T) {
	home := t.TempDir()
	file := filepath.Join(home, "file")
	if err := os.WriteFile(file, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	for given, want := range map[string]string{home: home, home + "/none": "/", file: "/", "": "/",
		".": "/"} {
		if got := (Account{Home: given}).Dir(); got != want {
			t.Errorf("home %q: %q", given, got)
		}
	}
}

func TestLookPath(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"tool": 0o700, "plain": 0o600} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	env := []string{"PATH=/nowhere:" + dir}
	if got, err := LookPath("tool", "/", env); err != nil || got != dir+"/tool" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := LookPath("./tool", dir, env); err != nil || got != dir+"/tool" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := LookPath("tool", dir, []string{"PATH=."}); err != nil || got != dir+"/tool" {
		t.Errorf("%q, %v", got, err)
	}
	for name, want := range map[string]error{"none": fs.ErrNotExist, "": fs.ErrNotExist,
		"plain": fs.ErrPermission, "folder": fs.ErrPermission} {
		_, err := LookPath(name, "/", env)
		var e *StartError
		if !errors.As(err, &e) || e.Op != "exec" || !errors.Is(err, want) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
