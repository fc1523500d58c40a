package testhost

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// NewCgroup makes a cgroup of v2 for everything in a world. Where that cannot be had the test is
// skipped.
func NewCgroup(t *testing.T) (dir string, f *os.File) {
	t.Helper()
	mounts, _ := os.ReadFile("/proc/self/mounts")
	for line := range strings.Lines(string(mounts)) {
		if words := strings.Fields(line); len(words) > 2 && words[2] == "cgroup2" {
			dir = filepath.Join(words[1], fmt.Sprintf("minissh-boot-%d", os.Getpid()))
			break
		}
	}
	err := os.Mkdir(dir, 0o755)
	if err == nil {
		_, err = os.Stat(filepath.Join(dir, "cgroup.kill"))
	}
	if err == nil {
		f, err = os.Open(dir)
	}
	if err != nil {
		t.Skipf("not run: needs cgroup v2: %v", err)
	}
	t.Cleanup(func() { f.Close() })
	return dir, f
}

// RemoveCgroups removes a cgroup and those below it, if nothing lives in them.
func RemoveCgroups(dir string) bool {
	filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && name != dir {
			RemoveCgroups(name)
			return fs.SkipDir
		}
		return nil
	})
	err := os.Remove(dir)
	return err == nil || os.IsNotExist(err)
}
