package process

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestClosedByShadow(t *testing.T) {
	const today = 20_000
	for line, want := range map[string]string{
		"":                                "",
		"ann:*:19000:0:99999:7:::":        "",
		"ann:$y$j9T$x:19000:0:99999:7:::": "",
		"ann:x":                           "",
		"ann::19000:0:99999:7:::":         "",
		"ann:!:19000:0:99999:7:::":        "it is locked",
		"ann:!!:19000:0:99999:7:::":       "it is locked",
		"ann:!*:19000:0:99999:7:::":       "it is locked",
		"ann:!$y$j9T$x:19000:::::1:":      "it is locked",
		"ann:*:19000:0:99999:7::20000:":   "",
		"ann:*:19000:0:99999:7::19999:":   "it expired on 2024-10-03",
		"ann:*:19000:0:99999:7::1:":       "it expired on 1970-01-02",
		"ann:*:19000:0:99999:7::0:":       "", // as sshd takes it: none
		"ann:*:19000:0:99999:7::-1:":      "",
		"ann:*:19000:0:99999:7::x:":       "the day on which it expires cannot be read in shadow",
		// a password that must be changed: there is none here
		"ann:*:0:0:99999:7:::": "",
	} {
		got := ""
		if err := closedByShadow(Account{Name: "ann"}, line, today); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %q, not %q", line, got, want)
		}
	}
	if closedByShadow(Account{Name: "ann", locked: true}, "", today) == nil {
		t.Error("an account that is locked in passwd is open")
	}
}

// What is to be typed depends on whether there is a password below the lock: usermod -U refuses to
// make an empty one.
func TestUnlockHint(t *testing.T) {
	for line, want := range map[string]string{
		"ann:!:19000:0:99999:7:::": "usermod -p '*' ann opens it for keys, without a " +
			"password",
		"ann:!!:19000:0:99999:7:::": "usermod -p '*' ann opens it for keys, without a " +
			"password",
		"ann:!*:19000:0:99999:7:::": "usermod -p '*' ann opens it for keys, without a " +
			"password",
		"ann:!$y$j9T$x:19000:0:99999:7::": "usermod -U ann",
	} {
		var closed *ClosedError
		if err := closedByShadow(Account{Name: "ann"}, line, 20_000); !errors.As(err, &closed) ||
			closed.Hint() != want {
			t.Errorf("%q: %+v", line, closed)
		}
	}
}

func TestClosedByShell(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"sh": 0o755, "plain": 0o644, "nologin": 0o755,
		"false": 0o755} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	for shell, open := range map[string]bool{dir + "/sh": true, dir + "/plain": false,
		dir + "/nologin": false, dir + "/false": false, dir + "/none": false, dir: false,
		"sh": false, "": false} {
		err := closedByShell(t.Context(), Account{Name: "ann", Shell: shell})
		if (err == nil) != open {
			t.Errorf("%s: %v", shell, err)
		}
	}
}

// Only root may log in while /etc/nologin is there. What this machine itself says of its accounts
// is taken along.
func TestNologinFile(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	before := nologinFiles
	defer func() { nologinFiles = before }()
	file := filepath.Join(t.TempDir(), "nologin")
	nologinFiles = []string{file}
	ann, root := Account{Name: "no-such-account", UID: 1000, Shell: "/bin/sh"},
		Account{Name: "no-such-root", Shell: "/bin/sh"}
	for _, there := range []bool{false, true} {
		if there {
			if err := os.WriteFile(file, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := Closed(t.Context(), ann, false); (err != nil) != there {
			t.Errorf("%v: %v", there, err)
		}
		if err := Closed(t.Context(), root, false); err != nil {
			t.Error(err)
		}
	}
}
