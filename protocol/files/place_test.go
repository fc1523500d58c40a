//go:build unix

package files

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Devices, named pipes and sockets are neither replaced nor written to, whichever way a file comes
// (FI7).
func TestSpecialTargets(t *testing.T) {
	target, untouched := victim(t)
	for i, way := range []string{"small", "large", "link", "synced"} {
		pipe := filepath.Join(target, way)
		must(t, syscall.Mkfifo(pipe, 0o600))
		records, bodies, o := []Record{small(1, way, "x")}, map[int]string{0: "x"},
			Options{Sync: i == 3}
		switch way {
		case "large":
			records, bodies = []Record{{Kind: KindFile, ID: 1, Name: named(way), Size: 1},
				{Kind: KindData}, {Kind: KindEnd, Digest: sum("x")}}, map[int]string{1: "x"}
		case "link":
			records, bodies = []Record{{Kind: KindLink, ID: 1, Name: named(way),
				Target: named("x")}}, nil
		}
		f := feed(t, target, o, append(records, done), bodies, nil)
		if info, err := os.Lstat(pipe); f.err != nil || f.code(1) != CodeExists || err != nil ||
			info.Mode()&os.ModeNamedPipe == 0 {
			t.Errorf("%s: %v, %q, %v", way, f.err, f.code(1), info)
		}
		if _, err := OpenPlace(nil, pipe, false); err == nil ||
			!strings.Contains(err.Error(), "named pipe") {
			t.Errorf("as the target: %v", err)
		}
	}
	if left, _ := filepath.Glob(target + "/.minissh*"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	untouched()
}

// One thing can get the name of a target that is not a folder: others that follow do not replace it
// (FI2).
func TestOneName(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"src/a", "src/b", "src/sub/c"} {
		write(t, filepath.Join(dir, name), []byte(name))
	}
	for _, resume := range []bool{false, true} {
		target := filepath.Join(dir, fmt.Sprint("new", resume))
		c := transfer(t, Options{Recursive: true, Resume: resume}, target, dir+"/src/a",
			dir+"/src/b", dir+"/src/sub", dir+"/src/sub/c")
		content, err := os.ReadFile(target)
		if c.sentErr != nil || c.takenErr != nil || err != nil || string(content) != "src/a" ||
			c.taken.Stored != 1 {
			t.Errorf("%+v, %q, %v", c.taken, content, err)
		}
		if got := failures(c.sentSays); got != "b exists\nsub exists\nsub/c exists\nc exists" {
			t.Errorf("failed: %s", got)
		}
		for _, e := range c.sentSays {
			if e.What == EventFailed && !e.Far {
				t.Errorf("%s: the receiver said so", e.Name)
			}
		}
	}
	for source, want := range map[string]string{"src/a": "a not_found", "src": ""} {
		target := filepath.Join(dir, "slash") + "/"
		if got := failures(transfer(t, Options{Recursive: true}, target,
			filepath.Join(dir, source)).sentSays); got != want {
			t.Errorf("%s to a target with a slash: %q, not %q", source, got, want)
		}
		os.RemoveAll(target)
	}
}

// A folder is made if one is needed, but not two, and not outside.
func TestMakePlace(t *testing.T) {
	dir := t.TempDir()
	root := mustRoot(t, dir)
	write(t, filepath.Join(dir, "file"), []byte("x"))
	for _, c := range []struct{ target, want string }{
		{"new", ""}, {"new/", ""}, {"new/below/", ""}, {"none/new", errNoParent.Message},
		{"file", "it is not a folder"}, {"file/new", "not a directory"},
		{"../new", "leads out of the folder"},
	} {
		place, err := MakePlace(root, c.target)
		if err == nil {
			place.Root.Close()
		}
		if got := fmt.Sprint(err); c.want == "" && err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%s: %v", c.target, err)
		}
	}
	if info, err := os.Stat(dir + "/new/below"); err != nil || !info.IsDir() {
		t.Error(err)
	}
}

// A path without a name for a folder stands for what is in the folder.
func TestMerges(t *testing.T) {
	for path, want := range map[string]bool{"": true, "/": true, ".": true, "./": true, "..": true,
		"../": true, "a/.": true, "a/..//": true, "a": false, "a/": false, ".a": false,
		"a/..b": false} {
		if Merges(path) != want {
			t.Errorf("%q: not %v", path, want)
		}
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "src/sub/a"), []byte("x"))
	t.Chdir(dir + "/src/sub")
	must(t, os.Mkdir(dir+"/dst", 0o755))
	transfer(t, Options{Recursive: true}, dir+"/dst", "../").fine(t)
	if _, err := os.Stat(dir + "/dst/sub/a"); err != nil {
		t.Error(err)
	}
}

// Times that do not fit in 64 bits of nanoseconds are kept, as far as the file system can.
func TestFarTimes(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(dir+"/src", 0o755))
	write(t, dir+"/src/small", []byte("x"))
	write(t, dir+"/src/large", make([]byte, MaxBody+1))
	at := time.Date(2400, 1, 2, 3, 4, 5, 6, time.UTC)
	root := mustRoot(t, dir)
	for _, name := range []string{"src/small", "src/large", "src"} {
		above, err := root.OpenRoot(filepath.Dir(name))
		must(t, err)
		must(t, linkTime(above, filepath.Base(name), at))
		above.Close()
	}
	transfer(t, Options{Recursive: true, Preserve: true}, dir+"/dst", dir+"/src").fine(t)
	for _, name := range []string{"small", "large", ""} {
		want, err := os.Stat(filepath.Join(dir, "src", name))
		must(t, err)
		if got, err := os.Stat(filepath.Join(dir, "dst", name)); err != nil ||
			!got.ModTime().Equal(want.ModTime()) {
			t.Errorf("%q: %v, not %v", name, got.ModTime(), want.ModTime())
		}
	}
}

// What nobody asked for is not accepted, whether it is offered first or not.
func TestNotAsked(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"src/a", "src/.bashrc", "src/.ssh/authorized_keys"} {
		write(t, filepath.Join(dir, name), []byte(name))
	}
	for _, resume := range []bool{false, true} {
		place, err := MakePlace(nil, filepath.Join(dir, fmt.Sprint(resume)))
		must(t, err)
		place.Asked = func(top string, _ bool, _ Kind) bool { return top == "a" }
		c := over(Options{Recursive: true, Resume: resume}, place,
			[]Source{{Path: dir + "/src/a"}, {Path: dir + "/src/.bashrc"},
				{Path: dir + "/src/.ssh"}})
		left, err := os.ReadDir(filepath.Join(dir, fmt.Sprint(resume)))
		must(t, err)
		if got := failures(c.takenSays); len(left) != 1 ||
			got != ".bashrc name_refused\n.ssh name_refused\n.ssh/authorized_keys name_refused" {
			t.Errorf("%v, failed: %s", left, got)
		}
		place.Root.Close()
	}
}
