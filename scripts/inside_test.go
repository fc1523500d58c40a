package scripts_test

import (
	"go/parser"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// inside is the table of imports within a layer: which of the layer's packages each of its packages
// may import. There is a way in and no way back, so a package may use those above it in the table.
// TestInside wants a row for each package of a layer that has any.
var inside = map[string][]string{
	"client":            {}, // its doc.go is the walk through the rest
	"client/options":    {},
	"client/knownhosts": {},
	"client/atexit":     {},
	"client/syntax":     {},
	"client/report":     {"options"},
	"client/terminal":   {"atexit", "report"},
	"client/dial":       {"options", "knownhosts", "atexit", "report", "terminal"},
	"client/forward":    {"options", "report", "dial"},
	"client/master":     {"atexit", "options", "report"},
	"client/editor":     {"syntax", "terminal"},
	"client/run":        {"options", "atexit", "report", "terminal", "dial", "forward", "master"},
	"client/job":        {"atexit", "options", "report", "terminal", "dial", "run"},
	"client/nodeset":    {},
	"client/groups":     {},
	"client/lan":        {"knownhosts"},
	"client/outcome":    {"report", "dial", "run"},
	"client/fanout": {"options", "knownhosts", "atexit", "nodeset", "report", "terminal", "dial",
		"run", "outcome"},
	"client/cp": {"atexit", "report", "terminal", "dial", "run"},
	"client/prompt": {"options", "atexit", "syntax", "nodeset", "report", "terminal", "dial",
		"editor", "job", "run", "cp", "fanout"},
	"client/completion": {"options", "knownhosts"},
	// Of tests alone:
	"client/fakedaemon":   {"options", "report", "terminal", "dial", "run"},
	"client/faketerminal": {},

	"daemon/audit":         {},
	"daemon/turns":         {},
	"daemon/authorized":    {},
	"daemon/logbook":       {},
	"daemon/process/stage": {},
	"daemon/process":       {"process/stage"},
	"daemon/logins":        {},
	"daemon/supervise":     {"process"},
	"daemon/pam":           {"turns", "process/stage", "process"},
	"daemon/announce":      {},
	"daemon/match":         {"authorized"},
	"daemon/access":        {"audit", "turns", "authorized", "logbook", "process", "match"},
	"daemon/sftp":          {},
	"daemon/keeper":        {"process/stage", "process"},
	"daemon/service": {"audit", "authorized", "logbook", "logins", "process/stage", "process",
		"access", "sftp", "keeper"},
	"daemon/control": {"audit", "logbook", "process", "supervise", "access"},
	"daemon": {"audit", "authorized", "logbook", "logins", "process", "supervise", "pam", "access",
		"service", "control"},
}

// within says why from may not import to, "" if it may. Both are paths in the module.
func within(from, to string) string {
	layer, name, _ := strings.Cut(to, "/")
	if above, _, _ := strings.Cut(from, "/"); above != layer || from == to {
		return ""
	}
	row, there := inside[from]
	switch {
	case !there:
		return "there is no row for " + from
	case !slices.Contains(row, name):
		return "its row does not name " + name
	}
	return ""
}

func TestInside(t *testing.T) {
	opened := map[string]bool{} // layers that the table is about
	for from, row := range inside {
		layer, _, _ := strings.Cut(from, "/")
		opened[layer] = true
		for _, name := range row {
			back := inside[layer+"/"+name]
			if slices.Contains(back, strings.TrimPrefix(from, layer+"/")) {
				t.Errorf("%s and %s may import each other", from, name)
			}
		}
	}
	found := map[string]bool{}
	for _, file := range sources(t) {
		from := path.Dir(file)
		layer, _, _ := strings.Cut(from, "/")
		if !opened[layer] || strings.HasSuffix(file, "_test.go") {
			continue
		}
		found[from] = true
		if _, there := inside[from]; !there {
			t.Errorf("%s: the table has no row for %s", file, from)
		}
		_, tree := parse(t, file, parser.ImportsOnly)
		for _, spec := range tree.Imports {
			to, _ := strconv.Unquote(spec.Path.Value)
			own, is := strings.CutPrefix(to, module+"/")
			if !is {
				continue
			}
			if why := within(from, own); why != "" {
				t.Errorf("%s imports %s: %s", file, to, why)
			}
			if own == "client/fakedaemon" || own == "client/faketerminal" {
				t.Errorf("%s imports %s, which is for tests", file, to)
			}
		}
	}
	for from := range inside {
		if !found[from] {
			t.Errorf("there is no package %s", from)
		}
	}
}

// The table itself, on imports that do not exist.
func TestInsideTable(t *testing.T) {
	for _, c := range []struct {
		from, to string
		ok       bool
	}{
		{"client/run", "client/dial", true},
		{"client/dial", "client/run", false},
		{"client/prompt", "client/cp", true},
		{"client/cp", "client/prompt", false},
		{"client/editor", "client/prompt", false},
		{"client/options", "client/report", false},
		{"client/nowhere", "client/dial", false},
		{"client/dial", "protocol/mux", true}, // of another table
		{"daemon", "daemon/control", true},
		{"daemon/control", "daemon/access", true},
		{"daemon/access", "daemon/control", false},
		{"daemon/service", "daemon/control", false},
		{"daemon/process", "daemon/logbook", false},
	} {
		if why := within(c.from, c.to); (why == "") != c.ok {
			t.Errorf("%s imports %s: %q", c.from, c.to, why)
		}
	}
}

// named finds names of Go files in a text: run/shell.go, keyboard_*.go.
var named = regexp.MustCompile(`[\w*][\w*/.-]*\.go\b`)

// Each Go file that a package's comment names exists: in the package, or at that path from the top
// or from the package.
func TestNamedFilesExist(t *testing.T) {
	count := 0
	for _, file := range sources(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		_, tree := parse(t, file, parser.ParseComments|parser.PackageClauseOnly)
		if tree.Doc == nil {
			continue
		}
		for _, name := range named.FindAllString(tree.Doc.Text(), -1) {
			count++
			here, _ := filepath.Glob(filepath.Join("..", path.Dir(file), name))
			top, _ := filepath.Glob(filepath.Join("..", name))
			if len(here)+len(top) == 0 {
				t.Errorf("%s names %s, which does not exist", file, name)
			}
		}
	}
	if count < 50 {
		t.Errorf("only %d names were found", count)
	}
}
