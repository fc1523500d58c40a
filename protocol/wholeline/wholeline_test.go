//go:build unix

package wholeline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"minissh/protocol/fulldisk"
)

// A line that does not fit on the disk leaves nothing behind; a shorter one after it is whole.
func TestAppendOnAFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lines")
	before := strings.Repeat("x", 79) + "\n"
	if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	fulldisk.Run(t, 100, func(t *testing.T) {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := Append(f, strings.Repeat("y", 30)+"\n"); err == nil {
			t.Error("it fits")
		}
		if text, _ := os.ReadFile(path); string(text) != before {
			t.Errorf("%q", text)
		}
		if err := Append(f, "short\n"); err != nil {
			t.Error(err)
		}
		if text, _ := os.ReadFile(path); string(text) != before+"short\n" {
			t.Errorf("%q", text)
		}
	})
}
