//go:build unix

package authorized

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"minissh/protocol/fulldisk"
)

// A key that does not fit on the disk is not listed, the file stays as it was, and nothing else is
// left next to it.
func TestEditOnAFullDisk(t *testing.T) {
	key, _ := newKey(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "authorized_keys")
	before := "# " + strings.Repeat("x", 60) + "\n"
	if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	fulldisk.Run(t, 100, func(t *testing.T) {
		if err := Append(path, "", key, "comment"); err == nil ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%v", err)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != before {
			t.Errorf("%q, %v", after, err)
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Errorf("%v is left", left)
		}
	})
}
