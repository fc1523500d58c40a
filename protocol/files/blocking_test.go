//go:build unix

package files

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// soon fails a test whose step waits for somebody who never comes.
func soon(t *testing.T, what string, step func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); step() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		stacks := make([]byte, 1<<16)
		t.Fatalf("%s hangs\n%s", what, stacks[:runtime.Stack(stacks, true)])
	}
}

// A named pipe that nobody writes makes nobody wait, wherever a path leads to it: as a folder of a
// pattern, of a source or of a target, or as the source or target itself (FI11).
func TestPipesKeepNobody(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	must(t, syscall.Mkfifo(pipe, 0o600))
	must(t, os.Symlink("pipe", dir+"/link"))
	write(t, dir+"/src/pipe/x", []byte("x"))
	limit, err := os.OpenRoot(dir)
	must(t, err)
	defer limit.Close()
	for _, name := range []string{"pipe", "link"} {
		for _, pattern := range []string{"*/x", name + "/*", "*/*/*", name + "/.", name + "/x",
			name} {
			soon(t, "Expand "+pattern, func() { Expand(limit, pattern) })
			soon(t, "Expand "+pattern+" without a limit",
				func() { Expand(nil, filepath.Join(dir)+"/"+pattern) })
		}
		for _, source := range []string{name, name + "/x", name + "/.", name + "/"} {
			for _, o := range []Options{{Recursive: true}, {Recursive: true, Resume: true},
				{Recursive: true, Total: true}} {
				soon(t, "sending "+source, func() {
					transfer(t, o, dir+"/src", filepath.Join(dir, "x")+"/../"+source)
					place, err := OpenPlace(nil, dir+"/src", true)
					must(t, err)
					defer place.Root.Close()
					over(o, place, []Source{{Path: source, Limit: limit}})
				})
			}
		}
		for _, target := range []string{name, name + "/", name + "/x", name + "/x/y"} {
			for _, folder := range []bool{false, true} {
				soon(t, "the target "+target, func() {
					OpenPlace(limit, target, folder)
					OpenPlace(nil, dir+"/"+target, folder)
					MakePlace(limit, target)
					MakePlace(nil, dir+"/"+target)
				})
			}
		}
		soon(t, "what belongs below "+name, func() {
			place, err := OpenPlace(nil, dir, true)
			must(t, err)
			defer place.Root.Close()
			place.Rename = name
			if c := over(Options{Recursive: true}, place,
				[]Source{{Path: dir + "/src/pipe"}}); !strings.Contains(failures(c.takenSays),
				"x parent") {
				t.Errorf("%+v", c.takenSays)
			}
			f := feed(t, dir, Options{}, []Record{small(1, name+"/x", "x"), done},
				map[int]string{0: "x"}, nil)
			if f.code(1) != CodeExists && f.code(1) != CodeIO {
				t.Errorf("%q", f.code(1))
			}
		})
	}
}

// Patterns, as a shell and scp understand them: hidden names match only where a dot is written, a
// backslash makes the next character ordinary, and a name that exists is not a pattern (FI1).
func TestExpand(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a1", "a2", ".a3", "sub/x", ".hid/x", `back\slash`, "f[1]", "f1",
		"blank name", "*", "sub/.y", "q?"} {
		write(t, filepath.Join(dir, name), nil)
	}
	limit, err := os.OpenRoot(dir)
	must(t, err)
	defer limit.Close()
	for pattern, want := range map[string]string{
		"a*":               "a1,a2",
		".a*":              ".a3",
		"*/x":              "sub/x",
		".*/x":             ".hid/x",
		"sub/*":            "sub/x",
		"s*/.y":            "sub/.y",
		"./a?":             "./a1,./a2",
		"s*/.":             "sub/.",
		"[as]*/":           "sub/",
		"a[12]":            "a1,a2",
		"f[1]":             "f[1]",
		`f\[1\]`:           "f[1]",
		"f[1]*":            "f1",
		"*":                "*",
		`back\\slash`:      `back\slash`,
		`back\slash`:       `back\slash`,
		`blank\ name`:      "blank name",
		`q\?`:              "q?",
		`none\\here`:       `none\\here`,
		`ends\`:            `ends\`,
		"plain":            "plain",
		"none*":            "not_found",
		"sub/*/../../a[1]": "not_found", // x is not a folder
		"[":                "not_found",
		"a1/*":             "a1/*", // which is told not to be a folder
	} {
		for _, limit := range []*os.Root{nil, limit} {
			name := pattern
			if limit == nil {
				name = dir + "/" + pattern
			}
			found, err := Expand(limit, name)
			got := strings.ReplaceAll(strings.Join(found, ","), dir+"/", "")
			if err != nil {
				got = problem(err).Code
			}
			if got != want {
				t.Errorf("%s (limited: %v): %s, not %s", pattern, limit != nil, got, want)
			}
		}
	}
}

// A message has the system's words, and no function's name (STYLE, messages).
func TestLoopOfLinks(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Symlink("loop", dir+"/loop"))
	for _, source := range []string{dir + "/loop", dir + "/loop/x", dir + "/loop/."} {
		c := transfer(t, Options{Recursive: true}, t.TempDir(), source)
		if len(c.sentSays) != 1 ||
			c.sentSays[0].Err.Message != "too many levels of symbolic links" {
			t.Errorf("%s: %+v", source, c.sentSays)
		}
	}
	_, err := OpenPlace(nil, dir+"/loop", false)
	if err == nil || err.Error() != "too many levels of symbolic links" {
		t.Errorf("as the target: %v", err)
	}
}
