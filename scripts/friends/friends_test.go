//go:build linux

// Package friends_test drives the programs that people run over ssh, over minissh: as they are
// installed, with the settings that their manuals name for another ssh.
package friends_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"minissh/scripts/testhost"
)

func TestMain(m *testing.M) { testhost.Main(m) }

// place has a daemon named box, and a directory tree "src" with what trips up copying: an empty
// file, a name with a space and one that is not UTF-8, a link, a mode, and `size` random bytes in
// "big".
func place(t *testing.T, size int) *testhost.Place {
	t.Helper()
	p := testhost.New(t)
	p.Daemon()
	p.Write("src/a", "a\n")
	p.Write("src/sub dir/b'c", "b\n")
	p.Write("src/empty", "")
	p.Write("src/\xd6\xd0", "gbk\n")
	big := make([]byte, size)
	random := rand.NewChaCha8([32]byte{1})
	random.Read(big)
	p.Write("src/big", string(big))
	p.Must(os.Symlink("a", p.Path("src/link")))
	p.Must(os.Chmod(p.Path("src/a"), 0o750))
	return p
}

// same compares two trees: names, kinds, modes, contents and the targets of links.
func same(t *testing.T, p *testhost.Place, a, b string) {
	t.Helper()
	if x, y := tree(t, p.Path(a)), tree(t, p.Path(b)); x != y {
		t.Errorf("%s holds\n%s%s holds\n%s", a, x, b, y)
	}
}

func tree(t *testing.T, top string) string {
	t.Helper()
	var out strings.Builder
	err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		what := ""
		switch {
		case info.Mode().IsRegular():
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			what = fmt.Sprintf("%d bytes, %x", len(text), sum(text))
		case info.Mode()&fs.ModeSymlink != 0:
			what, _ = os.Readlink(name)
		}
		fmt.Fprintf(&out, "%q %v %s\n", strings.TrimPrefix(name, top), info.Mode(), what)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// sum is FNV-1a: enough to tell what is not made to deceive.
func sum(text []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range text {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

// gone waits until the process whose id is in a file is gone, or a zombie: a foreign process gives
// no event to wait for.
func gone(t *testing.T, p *testhost.Place, file string) {
	t.Helper()
	pid := strings.TrimSpace(p.Read(file))
	if pid == "" {
		t.Fatalf("%s holds no process id", file)
	}
	until := time.Now().Add(testhost.Patience)
	for {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		_, state, _ := strings.Cut(string(stat), ") ")
		if err != nil || strings.HasPrefix(state, "Z") {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("process %s lives: %s", pid, stat)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// appears waits until a file holds something.
func appears(t *testing.T, p *testhost.Place, file string) string {
	t.Helper()
	until := time.Now().Add(testhost.Patience)
	for {
		if text := p.Read(file); text != "" {
			return text
		}
		if time.Now().After(until) {
			t.Fatalf("%s does not appear", file)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// signalTo sends a signal to the process whose id is in a file.
func signalTo(t *testing.T, p *testhost.Place, file string, sig syscall.Signal) {
	t.Helper()
	var pid int
	if _, err := fmt.Sscan(appears(t, p, file), &pid); err != nil {
		t.Fatal(err)
	}
	p.Must(syscall.Kill(pid, sig))
}
