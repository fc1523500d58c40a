package process

import (
	"os"
	"path/filepath"
	"testing"
)

// A program is found by its name without .exe, in the Path, however that is written.
func TestLookPathAddsTheExtension(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"tool.exe", "script.bat", "plain"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"Path=" + dir}
	for _, name := range []string{"tool", "tool.exe", "TOOL.EXE"} {
		if got, err := LookPath(name, `C:\`, env); err != nil ||
			filepath.Dir(got) != dir || runnable(got) != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for _, name := range []string{`.\tool`, "./tool"} {
		got, err := LookPath(name, dir, nil)
		if err != nil || got != filepath.Join(dir, "tool.exe") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"script", "script.bat", "plain", "no-such", ""} {
		if got, err := LookPath(name, `C:\`, env); err == nil {
			t.Errorf("%q is found: %q", name, got)
		}
	}
}
