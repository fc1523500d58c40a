package options

import (
	"path/filepath"
	"testing"
)

// What is kept for the next time is in XDG_STATE_HOME, if that is a whole path, else in the home
// directory.
func TestStateFile(t *testing.T) {
	home, state := t.TempDir(), t.TempDir()
	usual := filepath.Join(home, ".local", "state", "minissh", "history")
	for _, variable := range []string{"HOME", "USERPROFILE"} {
		t.Setenv(variable, home)
	}
	for value, want := range map[string]string{
		"": usual, "relative": usual, state: filepath.Join(state, "minissh", "history"),
	} {
		t.Setenv("XDG_STATE_HOME", value)
		if got := StateFile("history"); got != want {
			t.Errorf("%q: %s, not %s", value, got, want)
		}
	}
	for _, variable := range []string{"HOME", "USERPROFILE", "home", "XDG_STATE_HOME"} {
		t.Setenv(variable, "")
	}
	if got := StateFile("history"); got != "" {
		t.Errorf("without a home directory: %s", got)
	}
}
