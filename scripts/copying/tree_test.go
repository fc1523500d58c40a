//go:build linux

package copying_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"minissh/scripts/testhost"
)

// huge is the size of the largest file under test. It is sparse at its source, and two copies of it
// are made.
const huge = 1 << 30

// roomy is a folder on a file system with room for three huge files: in memory if it can be, for
// the time it takes.
func roomy(t *testing.T) string {
	t.Helper()
	for _, base := range []string{"/dev/shm", os.TempDir()} {
		var disk syscall.Statfs_t
		if syscall.Statfs(base, &disk) != nil || disk.Bavail*uint64(disk.Bsize) < 3*huge {
			continue
		}
		if dir, err := os.MkdirTemp(base, "minissh-tree"); err == nil {
			t.Cleanup(func() { os.RemoveAll(dir) })
			return dir
		}
	}
	t.Skip("not run: no file system with 3 GiB of room")
	return ""
}

// odd makes the tree: every kind of name, size, mode, time and link that has tripped up a program
// that copies.
func odd(p *testhost.Place, top string) {
	var names []string
	make := func(name string, content []byte) {
		path := filepath.Join(top, name)
		p.Must(os.MkdirAll(filepath.Dir(path), 0o755))
		p.Must(os.WriteFile(path, content, 0o644))
		names = append(names, name)
	}
	make("no byte", nil)
	make("one byte", []byte{0})
	// about the size of one record
	for i, size := range []int{256<<10 - 1, 256 << 10, 256<<10 + 1, 1 << 20, 3<<20 + 17} {
		make(fmt.Sprintf("sizes/%d", i), noise(size, byte(i)))
	}
	for _, name := range []string{
		"中文/文件 名.txt", "日本語/ﾊﾝｶｸ", "é (one)", "e\u0301 (two)", "🦀/🐚🏳️‍🌈", "a b  c",
		" lead", "trail ", "-rf", "--", "-", "--help", "-p/-q", "new\nline/\n", "tab\t",
		"\x1b[31mred\x07",
		"q'uo\"te\\s", `a\b`, "C:", "host:path", "user@host", "CON", "nul.txt", "* ? [x]",
		"$HOME `id` $(id)", "#x", "~", "...", "..a", ".hidden", "\xff\xfe not UTF-8", "\u202egnp",
		strings.Repeat("n", 255),
		strings.Repeat("文", 85), strings.Repeat("deep/", 200) + "bottom",
	} {
		make(name, []byte(name))
	}
	f, err := os.Create(filepath.Join(top, "huge"))
	p.Must(err)
	for _, at := range []int64{0, huge/2 - 5, huge - 1<<20} { // between them it is sparse
		_, err = f.WriteAt(noise(1<<20, byte(at>>20)), at)
		p.Must(err)
	}
	p.Must(errors.Join(f.Truncate(huge), f.Close()))
	for name, target := range map[string]string{
		"link": "one byte", "dangling": "nowhere", "absolute": "/etc/passwd",
		"absolute dangling": "/no/such", "folder": "中文", "loop": "loop", "sizes/up": "../..",
		"中文/绝对": "/", "new\nlink": "new\nline",
		"long": strings.Repeat("x/", 2000), "not text": "\xff", "-l": "-rf",
	} {
		p.Must(os.Symlink(target, filepath.Join(top, name)))
	}
	p.Must(os.MkdirAll(filepath.Join(top, "empty/folder"), 0o755))
	modes := []fs.FileMode{0o644, 0, 0o777, 0o421, 0o400, 0o200, 0o111, 0o700, 0o755, 0o666}
	for i, name := range names {
		path := filepath.Join(top, name)
		mode := modes[i%len(modes)]
		if os.Getuid() != 0 {
			mode |= 0o400 // only root could read it
		}
		p.Must(os.Chmod(path, mode))
		p.Must(os.Chtimes(path, time.Time{}, time.Unix(int64(i-5)*86_400*365, int64(i)*7_654_321)))
	}
	// a folder's time after what is in it
	for i, name := range []string{"empty/folder", "empty", "sizes", "-p", "中文", "."} {
		path := filepath.Join(top, name)
		p.Must(os.Chmod(path, []fs.FileMode{0o700, 0o555, 0o751, 0o711, 0o777, 0o750}[i]))
		p.Must(os.Chtimes(path, time.Time{}, time.Unix(-1000*int64(i), 999_999_999)))
	}
}

// alike compares two trees name by name: kind, mode, size, time of the last change, content,
// target.
func alike(t *testing.T, a, b string) {
	t.Helper()
	seen := map[string]bool{}
	for _, top := range []string{a, b} {
		other := b
		if top == b {
			other = a
		}
		err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			name := strings.TrimPrefix(path, top)
			if err != nil || seen[name] {
				return err
			}
			seen[name] = true
			x, err1 := os.Lstat(path)
			y, err2 := os.Lstat(other + name)
			if err := errors.Join(err1, err2); err != nil {
				return err
			}
			if x.Mode() != y.Mode() || !x.ModTime().Equal(y.ModTime()) || x.Size() != y.Size() &&
				!x.IsDir() {
				t.Errorf("%q: %v %d %v, and %v %d %v", name, x.Mode(), x.Size(), x.ModTime(),
					y.Mode(), y.Size(), y.ModTime())
			}
			switch {
			case x.Mode()&fs.ModeSymlink != 0:
				p, _ := os.Readlink(path)
				if q, _ := os.Readlink(other + name); p != q {
					t.Errorf("%q leads to %q, and %q", name, p, q)
				}
			case x.Mode().IsRegular():
				return sameBytes(path, other+name)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if len(seen) < 250 {
		t.Errorf("only %d names", len(seen))
	}
}

func sameBytes(a, b string) error {
	f, err1 := os.Open(a)
	g, err2 := os.Open(b)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	defer f.Close()
	defer g.Close()
	p, q := make([]byte, 1<<20), make([]byte, 1<<20)
	for {
		n, err := io.ReadFull(f, p)
		m, _ := io.ReadFull(g, q)
		if !bytes.Equal(p[:n], q[:m]) {
			return fmt.Errorf("%q differs", a)
		}
		if err != nil {
			return nil
		}
	}
}

// A tree goes there and back and is what it was, byte by byte and stat by stat; and nothing of it
// goes again when it is there.
func TestRoundTrip(t *testing.T) {
	p := testhost.New(t)
	p.Daemon()
	dir := roomy(t)
	odd(p, dir+"/src")
	t.Cleanup(func() { p.Run("chmod", "-R", "u+rwx", dir) })
	for _, args := range [][]string{
		{"-r", "-p", dir + "/src", "box:" + dir + "/there"},
		{"-r", "-p", "box:" + dir + "/there", dir + "/back"}, {"-r", "-p", "--resume", "--json", dir + "/src/.", "box:" + dir + "/back"},
	} {
		if ran := p.Run("minissh", append([]string{"cp"}, args...)...); ran.Code != 0 ||
			ran.Err != "" {
			t.Fatalf("%q: %+v", args, ran)
		} else if ran.Out != "" && !strings.Contains(ran.Out, `"failed":0,"bytes":0,`) {
			t.Errorf("something went again: %s", ran.Out)
		}
	}
	alike(t, dir+"/src", dir+"/back")
}

// Bits that would give rights away are never taken, not even with -p (FI7).
func TestRightsAreNotCopied(t *testing.T) {
	p := testhost.New(t)
	p.Daemon()
	p.Write("src/file", "x")
	p.Must(os.Chmod(p.Path("src/file"), 0o755|fs.ModeSetuid|fs.ModeSetgid))
	p.Must(os.Chmod(p.Path("src"), 0o777|fs.ModeSticky|fs.ModeSetgid))
	if ran := p.Run("minissh", "cp", "-r", "-p", p.Path("src"),
		"box:"+p.Path("dst")); ran.Code != 0 {
		t.Fatalf("%+v", ran)
	}
	for name, want := range map[string]fs.FileMode{"dst/file": 0o755, "dst": 0o777 | fs.ModeDir} {
		if info, err := os.Stat(p.Path(name)); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, not %v %v", name, info.Mode(), want, err)
		}
	}
}
