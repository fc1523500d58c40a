//go:build unix

package knownhosts

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Named pipes are neither read nor written, and opening them does not wait.
func TestNamedPipe(t *testing.T) {
	key, _ := newKey(t)
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip("not run: needs named pipes: " + err.Error())
	}
	db := Open(path)
	if len(db.Problems) != 1 || !strings.Contains(db.Problems[0].Error(), "not a regular file") {
		t.Errorf("problems: %v", db.Problems)
	}
	if err := Append(path, "lab", 7422, key, false); err == nil ||
		!strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("Append: %v", err)
	}
}
