//go:build unix

package server

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// A socket is its owner's alone as soon as it is there, before its mode is set; the umask is as
// before, when several are made at once, too.
func TestSocketIsItsOwnersFromTheFirstMoment(t *testing.T) {
	dir, err := os.MkdirTemp("", "lab") // t.TempDir is too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	defer syscall.Umask(syscall.Umask(0o022))
	var all sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		all.Go(func() {
			path := filepath.Join(dir, name)
			l, err := bindUnix(path)
			if err != nil {
				t.Error(err)
				return
			}
			defer l.Close()
			if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%v, %v", info, err)
			}
		})
	}
	all.Wait()
	if mask := syscall.Umask(0o022); mask != 0o022 {
		t.Errorf("the umask is %o afterwards", mask)
	}
}
