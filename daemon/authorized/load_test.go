//go:build unix

package authorized

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Only files that nobody else could have written are read (sshd's StrictModes).
func TestStrictModes(t *testing.T) {
	_, key := newKey(t)
	us := uint32(os.Getuid())
	for _, c := range []struct {
		name            string
		home, ssh, file fs.FileMode
		bad             string // what is named in the error
	}{
		{"private", 0o700, 0o700, 0o600, ""},
		{"readable", 0o755, 0o755, 0o644, ""},
		{"group writes the file", 0o755, 0o755, 0o664, "file "},
		{"others write the file", 0o755, 0o755, 0o646, "file "},
		{"group writes the directory", 0o755, 0o775, 0o644, "directory "},
		{"others write the directory", 0o755, 0o757, 0o644, "directory "},
		{"group writes the home", 0o775, 0o755, 0o644, "directory "},
		{"sticky", 0o755, 0o777 | fs.ModeSticky, 0o644, "directory "},
		{"a sticky home", 0o777 | fs.ModeSticky, 0o755, 0o644, "directory "},
		{"sticky, and nobody else's", 0o755 | fs.ModeSticky, 0o755 | fs.ModeSticky, 0o644, ""},
	} {
		root := t.TempDir()
		home := filepath.Join(root, "home")
		path := filepath.Join(home, ".ssh", "authorized_keys")
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700),
			os.WriteFile(path, []byte(key), 0o600), os.Chmod(path, c.file),
			os.Chmod(filepath.Dir(path), c.ssh), os.Chmod(home, c.home), os.Chmod(root,
				0o777)); err != nil {
			t.Fatal(err)
		}
		// Through a link too: the directories that count are those of the file that it leads to.
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(path, link); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{path, link} {
			file, _, err := Load(name, Owner{UID: us, Home: home})
			var mode *ModeError
			switch {
			case c.bad == "" && (err != nil || len(file.Entries) != 1):
				t.Errorf("%s: %v", c.name, err)
			case c.bad != "" &&
				(!errors.As(err, &mode) ||
					!strings.Contains(err.Error(), "bad ownership or modes for "+c.bad) ||
					!strings.HasPrefix(mode.Hint(), "chmod go-w ")):
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if _, _, err := Load(path, Owner{UID: us, Home: home, Lax: true}); err != nil {
			t.Errorf("%s, lax: %v", c.name, err)
		}
		// Without the home as its end, the check finds the directory above, which everyone can
		// write to.
		if _, _, err := Load(path, Owner{UID: us}); err == nil {
			t.Errorf("%s: a directory above the home was not looked at", c.name)
		}
		if os.Getuid() != 0 {
			continue // needs root: files of others
		}
		for _, who := range []string{path, filepath.Dir(path), home} {
			for uid, ok := range map[int]bool{0: c.bad == "", 1234: c.bad == "", 1235: false} {
				if err := os.Chown(who, uid, -1); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(path, c.file); err != nil {
					t.Fatal(err)
				}
				if _, _, err := Load(path, Owner{UID: 1234, Home: home}); (err == nil) != ok {
					t.Errorf("%s: %s belongs to %d: %v", c.name, who, uid, err)
				}
			}
			os.Chown(who, 0, -1)
		}
	}
}

// What is not a small regular file is refused without waiting.
func TestNotAFile(t *testing.T) {
	_, key := newKey(t)
	dir := t.TempDir()
	lax := Owner{Lax: true}
	if _, _, err := Load(filepath.Join(dir, "none"), lax); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skip("not run: needs named pipes: " + err.Error())
	}
	for _, path := range []string{dir, fifo, os.DevNull} {
		if _, _, err := Load(path, lax); err == nil ||
			!strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: %v", path, err)
		}
	}
	large := filepath.Join(dir, "large")
	for size, ok := range map[int]bool{MaxFile: true, MaxFile + 1: false} {
		text := key + "\n#" + strings.Repeat("x", size-len(key)-2)
		if err := os.WriteFile(large, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Load(large, lax); (err == nil) != ok {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}
