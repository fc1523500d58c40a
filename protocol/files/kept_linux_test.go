package files

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// putOver copies a file in one of the ways in which one can come.
func putOver(t *testing.T, way, source, target string) copied {
	t.Helper()
	o := Options{Preserve: strings.Contains(way, "-p"), Sync: strings.Contains(way, "synced")}
	return transfer(t, o, target, source)
}

func owned(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Lstat(path)
	must(t, err)
	st := info.Sys().(*syscall.Stat_t)
	return fmt.Sprintf("%04o %d:%d", info.Mode().Perm(), st.Uid, st.Gid)
}

// A file that is replaced keeps its mode and its owner, in whatever way the new one comes; with -p
// the mode is the source's. A link is not what it leads to, and is replaced by a file of ours
// (FI7).
func TestReplacedKeeps(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o755))
	small, large := dir+"/small", dir+"/large"
	write(t, small, []byte("new"))
	write(t, large, noise(700_000, 3))
	must(t, os.Chmod(small, 0o664))
	must(t, os.Chmod(large, 0o664))
	for _, source := range []string{small, large} {
		for _, way := range []string{"plain", "-p", "synced"} {
			target := filepath.Join(t.TempDir(), "target")
			write(t, target, []byte("old"))
			must(t, os.Chmod(target, 0o600))
			must(t, os.Chown(target, 4711, 4712))
			must(t, os.Link(target, target+".other"))
			putOver(t, way, source, target).fine(t)
			want := "0600 4711:4712"
			if way == "-p" {
				want = "0664 4711:4712"
			}
			if got := owned(t, target); got != want {
				t.Errorf("%s, %s: %s, not %s", way, filepath.Base(source), got, want)
			}
			if text, _ := os.ReadFile(target + ".other"); string(text) != "old" {
				t.Errorf("%s, %s: another name of it has %d bytes", way, filepath.Base(source),
					len(text))
			}
			must(t, os.Remove(target))
			must(t, os.Symlink("target.other", target))
			putOver(t, way, source, target).fine(t)
			if info, err := os.Lstat(target); err != nil || !info.Mode().IsRegular() ||
				!strings.HasSuffix(owned(t, target), " 0:0") {
				t.Errorf("%s: over a link: %s, %v", way, owned(t, target), err)
			}
			if got := owned(t, target+".other"); got != "0600 4711:4712" {
				t.Errorf("%s: what the link led to is %s", way, got)
			}
		}
	}
}

// scp, which writes into the file, and root's rsync -a keep a file's owner: so do we. rsync and scp
// are the judges of mode and owner without -p.
func TestReplacedAsOthersDo(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	rsync, err := exec.LookPath("rsync")
	if err != nil {
		t.Skip("not run: needs rsync")
	}
	dir := t.TempDir()
	write(t, dir+"/new", []byte("new"))
	fresh := func(name string) string {
		write(t, dir+"/"+name, []byte("older"))
		must(t, os.Chmod(dir+"/"+name, 0o640))
		must(t, os.Chown(dir+"/"+name, 4711, 4712))
		return dir + "/" + name
	}
	theirs, ours := fresh("theirs"), fresh("ours")
	if out, err := exec.Command(rsync, "--inplace", "--ignore-times", dir+"/new",
		theirs).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	transfer(t, Options{}, ours, dir+"/new").fine(t)
	if a, b := owned(t, theirs), owned(t, ours); a != b {
		t.Errorf("rsync: %s; ours: %s", a, b)
	}
}

// Root gives nothing to whoever put a file into a folder that everybody may write into
// (protected_regular): neither a small nor a large one, and nothing of it is left. In its owner's
// own folder, and in one that is not sticky, it is replaced.
func TestReplacedInStickyFolder(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	top := t.TempDir()
	write(t, top+"/small", []byte("secret"))
	write(t, top+"/large", noise(700_000, 3))
	for i, c := range []struct {
		mode     os.FileMode
		folder   int
		file     int
		replaced bool
	}{
		{os.ModeSticky | 0o777, 0, 4711, false},
		{os.ModeSticky | 0o775, 0, 4711, false},
		{os.ModeSticky | 0o777, 4711, 4711, true},
		{os.ModeSticky | 0o777, 0, 0, true},
		{os.ModeSticky | 0o755, 0, 4711, true},
		{0o777, 0, 4711, true},
	} {
		for _, name := range []string{"small", "large"} {
			dir := fmt.Sprintf("%s/%d%s", top, i, name)
			write(t, dir+"/x", []byte("old"))
			must(t, os.Chown(dir, c.folder, 0))
			must(t, os.Chmod(dir, c.mode))
			must(t, os.Chown(dir+"/x", c.file, 0))
			r := transfer(t, Options{}, dir+"/x", top+"/"+name)
			text, _ := os.ReadFile(dir + "/x")
			if (string(text) != "old") != c.replaced || c.replaced != (r.taken.Failed == 0) {
				t.Errorf("%+v: %d bytes, %s", c, len(text), failures(r.takenSays))
			}
			if !c.replaced && (!strings.Contains(failures(r.takenSays), CodeNoPermission) ||
				!strings.Contains(says(r.takenSays), "another user's file")) {
				t.Errorf("%+v: %+v", c, r.takenSays)
			}
			if left, _ := filepath.Glob(dir + "/.minissh*"); len(left) > 0 {
				t.Errorf("%+v: left: %v", c, left)
			}
		}
	}
}

// What a process has open is not a target for a copy, by whatever links its name leads there; a
// link to an ordinary file is.
func TestOpenFilesAreNoTargets(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/file", []byte("x"))
	f, err := os.OpenFile(dir+"/file", os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	defer w.Close()
	must(t, os.Symlink(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), dir+"/stdout"))
	must(t, os.Symlink("stdout", dir+"/again"))
	must(t, os.Symlink("file", dir+"/plain"))
	for _, target := range []string{
		dir + "/stdout", dir + "/again", fmt.Sprintf("/dev/fd/%d", f.Fd()),
		fmt.Sprintf("/proc/self/fd/%d", f.Fd()), fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(),
			w.Fd()),
		fmt.Sprintf("/dev/fd/%d", w.Fd()), "/dev/null", "/dev/stdin",
	} {
		place, err := OpenPlace(nil, target, false)
		var special *SpecialError
		if err == nil {
			place.Root.Close()
			t.Errorf("%s is a place", target)
		} else if target != "/dev/stdin" && !asSpecial(err, &special) {
			t.Errorf("%s: %v", target, err)
		}
	}
	place, err := OpenPlace(nil, dir+"/plain", false)
	must(t, err)
	place.Root.Close()
}

// says are the messages about what failed.
func says(events []Event) (all string) {
	for _, e := range events {
		if e.What == EventFailed {
			all += e.Err.Message + "\n"
		}
	}
	return all
}

func asSpecial(err error, to **SpecialError) bool { return errors.As(err, to) }
