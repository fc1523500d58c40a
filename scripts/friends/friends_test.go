//go:build linux

// Package friends_test drives the programs that people run over ssh, over minissh: as they are
// installed, with the settings that their manuals name for another ssh.
package friends_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"

	"minissh/protocol/testend"
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

// gone waits until the process whose id is in a file is gone.
func gone(t *testing.T, p *testhost.Place, file string) {
	t.Helper()
	testend.Gone(t, id(t, p, file))
}

// id waits until a file holds the id of a process.
func id(t *testing.T, p *testhost.Place, file string) (pid int) {
	t.Helper()
	testend.Until(t, "a process id is in "+file, func() bool {
		_, err := fmt.Sscan(p.Read(file), &pid)
		return err == nil
	})
	return pid
}

// signalTo sends a signal to the process whose id is in a file.
func signalTo(t *testing.T, p *testhost.Place, file string, sig syscall.Signal) {
	t.Helper()
	p.Must(syscall.Kill(id(t, p, file), sig))
}
