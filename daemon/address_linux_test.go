package daemon

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"minissh/daemon/control"
)

// A socket whose owner is too busy to take a connection is not abandoned: it stays where it is.
func TestBusySocketIsNotTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	owner, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(owner)
	if err := unix.Bind(owner, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(owner, 0); err != nil {
		t.Fatal(err)
	}
	for full := false; !full; {
		conn, err := net.Dial("unix", path)
		if full = err != nil; !full {
			defer conn.Close()
		}
	}
	if l, err := control.ListenUnix(path, 0o600); err == nil {
		l.Close()
		t.Error("it was taken over")
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
	unix.Close(owner)
	l, err := control.ListenUnix(path, 0o600) // nobody's now
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}
