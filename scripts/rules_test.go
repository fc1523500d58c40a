// Package scripts_test holds the rules of the tree's layout: who may import whom, what is at the
// top, and what no file may hold.
package scripts_test

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "minissh"

// layer is the first part of a package's path in the module, "protocol" apart from what lies below
// it.
func layer(name string) string {
	rest := strings.TrimPrefix(name, module+"/")
	first, below, _ := strings.Cut(rest, "/")
	if first == "protocol" && below != "" {
		return "protocol/..."
	}
	return first
}

// mayImport is the table: which layers of the module each layer may use. Packages of one layer may
// use each other, except in cmd (see forbidden).
var mayImport = map[string][]string{
	"protocol":     {},
	"protocol/...": {"protocol"},
	"daemon":       {"protocol", "protocol/..."},
	"client":       {"protocol", "protocol/..."},
	"cmd":          {"daemon", "client", "protocol", "protocol/..."},
	"scripts":      {"client", "protocol", "protocol/..."},
}

// forbidden says why `from` may not import `to`, "" if it may. Both are full import paths; test
// files obey the same, but those of protocol may use what they like of the standard library and of
// the module's own protocol packages.
func forbidden(from, to string, inTest bool) string {
	own := to == module || strings.HasPrefix(to, module+"/")
	if !own {
		if external := strings.Contains(strings.Split(to, "/")[0], "."); external &&
			from == module+"/protocol" {
			return "protocol imports the standard library only"
		}
		return ""
	}
	a, b := layer(from), layer(to)
	switch {
	case b == "cmd":
		program := strings.Join(strings.Split(from, "/")[:min(3, strings.Count(from, "/")+1)], "/")
		lab := module + "/cmd/minissh-lab"
		if (program == lab || inTest && a == "scripts") && strings.HasPrefix(to, lab+"/") {
			return ""
		}
		return "nothing imports cmd (the lab's packages apart, by the lab and tests in scripts)"
	case a == b:
		return ""
	case inTest && a == "protocol" && b == "protocol/...":
		return ""
	case !slices.Contains(mayImport[a], b):
		return a + " may not import " + b
	}
	return ""
}

// bothEnds is the one package that may hold a daemon and a client: `minissh try` runs both.
const bothEnds = module + "/cmd/minissh"

func TestImports(t *testing.T) {
	uses := map[string][]string{} // by package: what its files import, tests apart
	for _, file := range sources(t) {
		from := module + "/" + path.Dir(file)
		if mayImport[layer(from)] == nil {
			t.Errorf("%s is in no layer of the table", file)
			continue
		}
		_, tree := parse(t, file, parser.ImportsOnly)
		inTest := strings.HasSuffix(file, "_test.go")
		for _, spec := range tree.Imports {
			to, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if why := forbidden(from, to, inTest); why != "" {
				t.Errorf("%s imports %s: %s", file, to, why)
			}
			if !inTest {
				uses[from] = append(uses[from], to)
			}
		}
	}
	for from, imports := range uses {
		if ends(imports) == 2 && from != bothEnds {
			t.Errorf("%s imports daemon and client; only %s may", from, bothEnds)
		}
	}
}

// ends counts which of daemon and client are imported.
func ends(imports []string) int {
	seen := map[string]bool{}
	for _, to := range imports {
		if l := layer(to); strings.HasPrefix(to, module+"/") && (l == "daemon" || l == "client") {
			seen[l] = true
		}
	}
	return len(seen)
}

// The table itself, on imports that do not exist: a rule that nothing breaks yet has to be shown to
// hold.
func TestImportTable(t *testing.T) {
	for _, c := range []struct {
		from, to string
		ok       bool
	}{
		{"protocol", "encoding/json", true},
		{"protocol", "golang.org/x/crypto/ssh", false},
		{"protocol", module + "/protocol/mux", false},
		{"protocol/mux", module + "/protocol", true},
		{"protocol/keys", "golang.org/x/crypto/ssh", true},
		{"protocol/keys", module + "/daemon", false},
		{"daemon", module + "/protocol/mux", true},
		{"daemon", module + "/client", false},
		{"daemon/process", module + "/client/options", false},
		{"client", module + "/daemon", false},
		{"client", module + "/cmd/minissh", false},
		{"cmd/minissh", module + "/daemon", true},
		{"cmd/minissh", module + "/cmd/minisshd", false},
		{"cmd/minissh-lab", module + "/cmd/minissh-lab/speak", true},
		{"cmd/minissh-lab/dialect", module + "/cmd/minissh-lab/speak", true},
		{"cmd/minissh-lab/dialect", module + "/cmd/minissh", false},
		{"scripts/benchmark", module + "/daemon", false},
		{"scripts/benchmark", module + "/protocol", true},
	} {
		if why := forbidden(module+"/"+c.from, c.to, false); (why == "") != c.ok {
			t.Errorf("%s imports %s: %q", c.from, c.to, why)
		}
	}
	if forbidden(module+"/protocol", module+"/protocol/mux", true) != "" {
		t.Error("a test of protocol may use mux")
	}
	for _, to := range []string{"/cmd/minissh-lab/pcap", "/cmd/minissh"} {
		may := forbidden(module+"/scripts/wireshark", module+to, true) == ""
		if may != strings.Contains(to, "lab") ||
			forbidden(module+"/scripts", module+to, false) == "" {
			t.Errorf("a test in scripts uses %s: %v", to, may)
		}
	}
}

// The package protocol starts no goroutine: whoever uses it owns them all.
func TestProtocolStartsNoGoroutine(t *testing.T) {
	for _, file := range sources(t) {
		if path.Dir(file) != "protocol" || strings.HasSuffix(file, "_test.go") {
			continue
		}
		fset, tree := parse(t, file, 0)
		ast.Inspect(tree, func(n ast.Node) bool {
			if g, ok := n.(*ast.GoStmt); ok {
				t.Errorf("%v: starts a goroutine", fset.Position(g.Pos()))
			}
			return true
		})
	}
}

// A test waits for an event, never for a time.
func TestNoTestSleeps(t *testing.T) {
	for _, file := range sources(t) {
		if !strings.HasSuffix(file, "_test.go") {
			continue
		}
		fset, tree := parse(t, file, 0)
		ast.Inspect(tree, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok || call.Sel.Name != "Sleep" {
				return true
			}
			if x, ok := call.X.(*ast.Ident); ok && x.Name == "time" {
				t.Errorf("%v: a test sleeps; wait for the event instead", fset.Position(call.Pos()))
			}
			return true
		})
	}
}

// At the top are these names and hidden files, and nothing else.
func TestTopLevel(t *testing.T) {
	allowed := []string{"cmd", "daemon", "client", "protocol", "scripts", "go.mod", "go.sum",
		"README.md"}
	for _, file := range tracked(t) {
		top, _, _ := strings.Cut(filepath.ToSlash(file), "/")
		if !strings.HasPrefix(top, ".") && !slices.Contains(allowed, top) {
			t.Errorf("%s: %s does not belong at the top level", file, top)
		}
	}
}

// No file names a place on the machine that it was written on: neither the tree's own directory,
// nor the one above it (unless that is a place that every machine has), nor a home. The pattern is
// in two parts so that it does not find itself.
func TestNoPathOfABuildMachine(t *testing.T) {
	top, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	patterns := []*regexp.Regexp{
		regexp.MustCompile(`/(root|home/[a-z][a-z0-9_-]*)/` + `(go|\.cache|\.config/go|src|work)/`)}
	common := []string{"/", "/tmp", "/var/tmp", "/private/tmp", "/home", "/root", "/opt", "/srv",
		"/mnt", "/usr/src", "/usr/local/src", filepath.Clean(os.TempDir())}
	for _, place := range []string{top, filepath.Dir(top)} {
		if !slices.Contains(common, place) {
			patterns = append(patterns,
				regexp.MustCompile(`(^|[^\w.-])`+regexp.QuoteMeta(filepath.ToSlash(place))+`/`))
		}
	}
	for _, file := range tracked(t) {
		data, err := os.ReadFile(filepath.Join("..", file))
		if errors.Is(err, os.ErrNotExist) {
			continue // removed, and not yet committed
		}
		if err != nil {
			t.Error(err)
			continue
		}
		for _, p := range patterns {
			if at := p.FindIndex(data); at != nil {
				t.Errorf("%s:%d: %q is a path of one machine", file,
					1+bytes.Count(data[:at[0]], []byte("\n")), data[at[0]:at[1]])
			}
		}
	}
}

// No file holds what git writes into one that was not merged to the end: a manual page with such
// lines is shown with them.
func TestNoMarksOfAConflict(t *testing.T) {
	mark := regexp.MustCompile(`(?m)^(<{7}|>{7}|\|{7}) `)
	for _, file := range tracked(t) {
		data, err := os.ReadFile(filepath.Join("..", file))
		if errors.Is(err, os.ErrNotExist) {
			continue // removed, and not yet committed
		}
		if err != nil {
			t.Error(err)
			continue
		}
		if at := mark.FindIndex(data); at != nil {
			t.Errorf("%s:%d: a conflict that was not resolved", file,
				1+bytes.Count(data[:at[0]], []byte("\n")))
		}
	}
}

// sources are all Go files below the top, for every system and build tag, but not what the go
// command passes over. They are found by walking, not by `go list`: what a test reads itself
// decides whether its result may be taken from the cache.
func sources(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir("..", func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		passed := strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") ||
			d.Name() == "testdata"
		switch {
		case d.IsDir() && passed && name != "..":
			return filepath.SkipDir
		case !d.IsDir() && !passed && strings.HasSuffix(name, ".go"):
			files = append(files, strings.TrimPrefix(filepath.ToSlash(name), "../"))
		}
		return nil
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("%d Go files, %v", len(files), err)
	}
	return files
}

// tracked are the files that git knows; in a tree without git, all that are not hidden.
func tracked(t *testing.T) []string {
	t.Helper()
	// Looking at the index makes it an input of the test: what git itself reads does not count for
	// the cache.
	if _, err := os.Stat("../.git/index"); err == nil {
		if _, err := exec.LookPath("git"); err == nil {
			cmd := exec.CommandContext(t.Context(), "git", "ls-files", "-z")
			cmd.Dir = ".."
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("git ls-files: %v", err)
			}
			return strings.Split(strings.TrimRight(string(out), "\x00"), "\x00")
		}
	}
	var files []string
	err := filepath.WalkDir("..", func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(d.Name(), ".") && name != ".."
		switch {
		case hidden && d.IsDir():
			return filepath.SkipDir
		case !hidden && d.Type().IsRegular():
			files = append(files, strings.TrimPrefix(filepath.ToSlash(name), "../"))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// parse reads a Go file named from the top of the tree.
func parse(t *testing.T, file string, mode parser.Mode) (*token.FileSet, *ast.File) {
	t.Helper()
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, filepath.Join("..", file), nil,
		mode|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return fset, tree
}

// The daemon's signatures are made by the standard library: what makes a client start sooner is not
// in it.
func TestDaemonSignsWithTheStandardLibrary(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", module+"/cmd/minisshd").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if deps := string(out); !strings.Contains(deps, "crypto/ed25519\n") ||
		strings.Contains(deps, "cloudflare/circl") {
		t.Error("minisshd holds circl")
	}
}
