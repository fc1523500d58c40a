//go:build linux

package conform

import (
	"context"
	"path/filepath"
	"testing"
	"time"
)

// copyMutants are of testdata/copy.py.
var copyMutants = []mutant{
	{"FI1", "asks for another place", `{"target": remote}`, `{"target": "elsewhere"}`},
	{"FI2", "keeps the daemon's name", `if os.path.isdir(local) else local`,
		`if os.path.isdir(local) else os.path.dirname(local) + "/" + name`},
	{"FI3", "sends more than it says", `say({"kind": "data", "body": len(piece)}, piece)`,
		`say({"kind": "data", "body": len(piece)}, piece + b"x")`},
	{"FI4", "gives each entry the same id", `    last += 1`, `    last = 1`},
	{"FI4", "follows links", `os.lstat(path)`, `os.stat(path)`},
	{"FI5", "exits with 0 whatever happened", `sys.exit(0 if good and exit_code == 0 else 1)`,
		`sys.exit(0)`},
	{"FI5", "waits for no done", `sys.exit("copy.py: the copy has ended early")`, `sys.exit(0)`},
	{"FI6", "takes any name", `if not inside(name):`, `if False:`},
	{"FI6", "follows a link that it was sent", `    if os.path.realpath(`,
		`    if False and os.path.realpath(`},
	{"FI7", "writes into what is there", `    os.rename(part, path)`,
		`    os.remove(part); open(path, "wb").write(data)`},
	{"FI8", "does not look at the digest", `    if digest(data) != sent:`, `    if False:`},
	{"FI9", "writes at once", `name, ident, data = header["name"], header["id"], body`,
		`name, ident, data = header["name"], header["id"], body; open(local, "wb").write(body)`},
	{"FI11", "reads whatever is there", `elif not stat.S_ISREG(info.st_mode):`, `elif False:`},
	{"FI13", "takes any record", `    send(CLOSE, {"code": "bad_record"})`, `    sys.exit(0)`},
}

// copying tells the kit how a copy.py is asked for copies.
func copying(t *testing.T, file string, o Options) Options {
	t.Helper()
	for mode, words := range map[string]*[]string{"put": &o.Put, "get": &o.Get} {
		*words = []string{needsPython(t), "-I", "-S", file, mode, "{address}", "{local}",
			"{remote}"}
	}
	o.Patience = 5 * time.Second
	return o
}

// A client with the least that there is of copies passes; each mutant of it is caught, by its rule.
func TestCopyMutants(t *testing.T) {
	t.Parallel()
	all := append([]mutant{{rule: "FI"}}, copyMutants...)
	if testing.Short() {
		all = all[:2]
	}
	for _, m := range all {
		t.Run(m.rule+" "+m.name, func(t *testing.T) {
			t.Parallel()
			if m.old == "" {
				r, err := Client(t.Context(), copying(t, "testdata/copy.py",
					Options{Only: m.rule}))
				grade(t, r, err, "")
				return
			}
			file := filepath.Join(t.TempDir(), "copy.py")
			changed(t, "testdata/copy.py", file, m.old, m.new)
			isCaught(t, m.rule, func(ctx context.Context, tell func(Result)) {
				Client(ctx, copying(t, file, Options{Only: m.rule, Tell: tell}))
			})
		})
	}
}
