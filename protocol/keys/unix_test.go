//go:build unix

package keys

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Opening a named pipe that nobody writes to does not wait.
func TestNamedPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip("not run: needs named pipes: " + err.Error())
	}
	_, loaded := LoadFile(path, nil)
	_, _, public := PublicOf(path)
	_, _, host := HostKey(path)
	for _, err := range []error{loaded, public, host} {
		if err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%v", err)
		}
	}
}

// ssh does not judge the mode of a file that belongs to somebody else; a host key must be private
// whoever owns it.
func TestModesOfOthers(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	path := writeKey(t, generate(t), "", 0o600)
	if err := errors.Join(os.Chmod(path, 0o640), os.Chown(path, 1234, 1234)); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadFile(path, nil); err != nil {
		t.Errorf("another's key: %v", err)
	}
	var open *PermissionError
	if _, _, err := HostKey(path); !errors.As(err, &open) {
		t.Errorf("a host key that others can read: %v", err)
	}
}
