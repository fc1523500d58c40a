//go:build linux

package hostile_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"minissh/scripts/testhost"
)

// Names of files are anybody's text too. They are copied as they are, and what is said about them
// is quoted: here each is the name of a file, and for a pipe that cannot be copied and must be
// named.
func TestLyingNames(t *testing.T) {
	p := testhost.New(t)
	p.Daemon()
	names := map[string]bool{}
	for i, evil := range evils {
		name := strings.NewReplacer("/", "", "\x00", "").Replace(evil)
		names[name] = true
		p.Write(filepath.Join("src", name), "text")
		if i%3 == 0 {
			p.Must(syscall.Mkfifo(filepath.Join(p.Path("src"), "pipe"+name), 0o600))
		}
	}
	lines := regexp.MustCompile(ours.String() + `|^[0-9]+ files?`)
	for _, args := range [][]string{{"cp", "-r", "box:" + p.Path("src"), "down"},
		{"cp", "-v", "-r", "src", "box:" + p.Path("up")},
		{"cp", "-v", "-v", "-v", "-r", "box:" + p.Path("src"), "again"}} {
		r := p.Run("minissh", args...)
		if r.Code != 1 || r.Out != "" || !strings.Contains(r.Err, "EVIL") {
			t.Errorf("%q: exit code %d, %q, %s", args, r.Code, r.Out, r.Err)
		}
		harmless(t, strings.Join(args, " "), []byte(r.Err), lines)
	}
	unseen(t, "cp on a terminal",
		onTerminal(t, p, []string{"cp", "-r", "box:" + p.Path("src"), "shown"}))
	for _, copy := range []string{"down", "up", "again", "shown"} {
		entries, err := os.ReadDir(p.Path(copy))
		p.Must(err)
		if len(entries) == 1 && entries[0].Name() == "src" {
			entries, err = os.ReadDir(filepath.Join(p.Path(copy), "src"))
			p.Must(err)
		}
		if len(entries) != len(names) {
			t.Errorf("%s holds %d files of %d", copy, len(entries), len(names))
		}
		for _, entry := range entries {
			if !names[entry.Name()] {
				t.Errorf("%s holds %q", copy, entry.Name())
			}
		}
	}
}
