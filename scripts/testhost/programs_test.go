package testhost

import (
	"os"
	"strings"
	"testing"
)

// Two trees are alike only if names, kinds, modes, contents and the targets of links are.
func TestDifferences(t *testing.T) {
	for name, change := range map[string]func(p *Place) error{
		"":       func(p *Place) error { return nil },
		"file":   func(p *Place) error { return os.Truncate(p.Path("b/file"), 2) },
		"mode":   func(p *Place) error { return os.Chmod(p.Path("b/mode"), 0o640) },
		"gone":   func(p *Place) error { return os.Remove(p.Path("b/gone")) },
		"folder": func(p *Place) error { return os.Mkdir(p.Path("b/folder"), 0o700) },
		"link": func(p *Place) error {
			os.Remove(p.Path("b/link"))
			return os.Symlink("mode", p.Path("b/link"))
		},
	} {
		p := &Place{t: t, Dir: t.TempDir()}
		for _, top := range []string{"a/", "b/"} {
			for _, file := range []string{"file", "mode", "gone"} {
				p.Write(top+file, "one")
			}
			p.Must(os.Symlink("file", p.Path(top+"link")))
		}
		p.Must(change(p))
		differ, err := Differences(p.Path("a"), p.Path("b"))
		if err != nil || (differ == "") != (name == "") || !strings.Contains(differ, name) {
			t.Errorf("%q: %q, %v", name, differ, err)
		}
	}
}
