package process

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// runLine runs one line of a prompt as the daemon does.
func runLine(t *testing.T, shell, line, dir, oldDir string) (Result, string, string) {
	t.Helper()
	p := startLine(t, shell, line, dir, oldDir)
	p.Stdin.Close()
	out, errs := make(chan string, 1), rest(t, p.Stderr)
	go func() { out <- rest(t, p.Stdout) }()
	return result(t, p), <-out, errs
}

func startLine(t *testing.T, shell, line, dir, oldDir string) *Process {
	t.Helper()
	args, reports := ShellLine(shell, line, oldDir)
	if !reports {
		t.Fatalf("%s does not report", shell)
	}
	return start(t, Spec{Path: shell, Args: args, Dir: dir, OldDir: oldDir, ReportDir: true,
		Env: []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "HOME=" + dir, "PWD=/wrong",
			"OLDPWD=/wrong"}})
}

// eachShell runs a test with every shell on this machine.
func eachShell(t *testing.T, names string, test func(t *testing.T, shell string)) {
	for _, name := range strings.Fields(names) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shell, err := exec.LookPath(name)
			if err != nil {
				t.Skipf("not run: no %s on this machine", name)
			}
			if real, err := filepath.EvalSymlinks(shell); name == "sh" && err == nil &&
				filepath.Base(real) == "dash" {
				return // tested under that name
			}
			test(t, shell)
		})
	}
}

const (
	trapShells  = "sh dash bash zsh" // report after `exit` too
	plainShells = "ksh93 mksh"       // report at the end of a line only
	posixShells = trapShells + " " + plainShells
	allShells   = posixShells + " fish"
)

// TestLineReports: what a line leaves as directory and exit status. $D stands
// for the directory the line starts in.
func TestLineReports(t *testing.T) {
	const none = "" // no report: the directory is unchanged
	for _, c := range []struct {
		shells, line string
		code         int
		out          string
		dir, old     string
	}{
		{allShells, `cd a && echo hi`, 0, "hi\n", "$D/a", "$D"},
		{allShells, `cd a; cd b; true`, 0, "", "$D/a/b", "$D/a"},
		{posixShells, ``, 0, "", "$D", "/usr"},
		{posixShells, `# nothing`, 0, "", "$D", "/usr"},
		{allShells, `false`, 1, "", "$D", "/usr"},
		{allShells, `cd a; sh -c 'exit 7'`, 7, "", "$D/a", "$D"},
		{allShells, `cd a; nosuchprogram`, 127, "", "$D/a", "$D"},
		{trapShells + " fish", `cd a; exit 3`, 3, "", "$D/a", "$D"},
		{plainShells, `cd a; exit 3`, 3, "", none, none},
		{trapShells, `exec 9>a/lock; cd a; echo x >&9; cat lock`, 0, "x\n", "$D/a", "$D"},
		{trapShells, `cd a; set -e; false; echo no`, 1, "", "$D/a", "$D"},
		{allShells, `cd a; exec true`, 0, "", none, none},
		{posixShells, `cd a; exec sh -c 'exit 5'`, 5, "", none, none},
		{trapShells, `cd a; trap 'echo bye' EXIT`, 0, "bye\n", none, none},
		{plainShells, `cd a; trap 'echo bye' EXIT`, 0, "bye\n", "$D/a", "$D"},
		{posixShells, `(cd a; exit 9)`, 9, "", "$D", "/usr"},
		{posixShells, `cd - >/dev/null`, 0, "", "/usr", "$D"},
		{posixShells, `cd a; set -u; true`, 0, "", "$D/a", "$D"},
		{posixShells, `echo "$#,$1,$2"`, 0, "0,,\n", "$D", "/usr"},
		{posixShells, `exec 3>"$HOME/three"; echo x >&3; cd a`, 0, "", "$D/a", "$D"},
		{posixShells, `exec 3>&-; cd a`, 0, "", "$D/a", "$D"},
		{posixShells, `cd a; echo '"' "'" '$HOME' \\; echo "e"`, 0, "\" ' $HOME \\\ne\n", "$D/a", "$D"},
		{posixShells, `unset PWD`, 0, "", none, none},
	} {
		eachShell(t, c.shells, func(t *testing.T, shell string) {
			dir := tree(t)
			r, out, errs := runLine(t, shell, c.line, dir, "/usr")
			want := func(s string) string { return strings.Replace(s, "$D", dir, 1) }
			if r.How != Exited || r.Code != c.code || out != c.out {
				t.Errorf("%q: %+v %q %q", c.line, r, out, errs)
			}
			if string(r.Dir) != want(c.dir) || string(r.OldDir) != want(c.old) {
				t.Errorf("%q: directory %q, before it %q", c.line, r.Dir, r.OldDir)
			}
		})
	}
}

// tree makes a/b under a directory whose name is far from plain text: a newline, a quote, an escape
// sequence, and bytes that are not UTF-8.
func tree(t *testing.T) string {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(top, "x\n'\"$y \x1b[2J\xff\xfe")
	if err := os.MkdirAll(filepath.Join(dir, "a", "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestLineSyntaxError: an unbalanced line is an error of its own, and cannot
// reach our script.
func TestLineSyntaxError(t *testing.T) {
	eachShell(t, allShells, func(t *testing.T, shell string) {
		for _, line := range []string{`if true; then (`, `echo "`, `)`, `"; cd /; echo broken; "`} {
			if r, out, _ := runLine(t, shell, line, tree(t), ""); r.How != Exited || r.Code == 0 ||
				out != "" || bytes.Equal(r.Dir, []byte("/")) {
				t.Errorf("%q: %+v %q", line, r, out)
			}
		}
	})
}

// TestLineSameAsPlain: exit status and output are those of shell -c line.
func TestLineSameAsPlain(t *testing.T) {
	eachShell(t, posixShells, func(t *testing.T, shell string) {
		for _, line := range []string{
			`exit 300`, `true && false`, `! true`, `echo "$0"`, `kill -TERM $$`, `kill -KILL $$`,
			`f() { return 4; }; f`, `set -e; (exit 6); echo no`, `echo a | cat | grep b`,
			"echo a\necho b", "cat <<X\nhere\nX",
			`sh -c 'kill -TERM $$'; exit`, `sh -c 'exit 300'`, `set -u; echo "$nosuch"; echo after`,
			`umask 077; umask`,
		} {
			dir := tree(t)
			r, out, _ := runLine(t, shell, line, dir, "")
			p := start(t, Spec{Path: shell, Args: ShellCommand(shell, line), Dir: dir,
				Env: []string{"PATH=/usr/bin:/bin"}})
			p.Stdin.Close()
			plainOut := rest(t, p.Stdout)
			if plain := result(t, p); plain.How != r.How || plain.Code != r.Code ||
				plain.Signal != r.Signal || plainOut != out {
				t.Errorf("%q: %+v %q, plainly %+v %q", line, r, out, plain, plainOut)
			}
		}
	})
}

// TestLineLogicalPath: a path through a symbolic link stays as it was typed.
func TestLineLogicalPath(t *testing.T) {
	eachShell(t, allShells, func(t *testing.T, shell string) {
		dir := tree(t)
		if err := os.Symlink("a/b", filepath.Join(dir, "link")); err != nil {
			t.Fatal(err)
		}
		r, _, errs := runLine(t, shell, "cd link", dir, "")
		if string(r.Dir) != dir+"/link" {
			t.Fatalf("%q %q", r.Dir, errs)
		}
		r, _, errs = runLine(t, shell, "cd ..", string(r.Dir), string(r.OldDir))
		if string(r.Dir) != dir || string(r.OldDir) != dir+"/link" {
			t.Errorf("%q %q %q", r.Dir, r.OldDir, errs)
		}
	})
}

// TestLineBack: `cd -` goes back and forth over three lines.
func TestLineBack(t *testing.T) {
	eachShell(t, allShells, func(t *testing.T, shell string) {
		top := tree(t)
		dir, old := top, ""
		for _, c := range []struct{ line, want string }{{"cd a", top + "/a"}, {"cd -", top},
			{"cd -", top + "/a"}} {
			r, _, errs := runLine(t, shell, c.line, dir, old)
			if string(r.Dir) != c.want {
				t.Fatalf("%s in %q after %q: %q %q", c.line, dir, old, r.Dir, errs)
			}
			dir, old = string(r.Dir), string(r.OldDir)
		}
		// The directory before is gone: the line here runs all the same.
		if r, _, errs := runLine(t, shell, "true", top, top+"/none"); string(r.Dir) != top ||
			r.Code != 0 {
			t.Errorf("%+v %q", r, errs)
		}
	})
}

// TestLineHidesReport: programs of the line do not get the report's
// descriptor; those of fish do, and cannot spoil much with it.
func TestLineHidesReport(t *testing.T) {
	eachShell(t, posixShells, func(t *testing.T, shell string) {
		p := startLine(t, shell, `tail -f /dev/null & echo $!; cd a; read x; exit 0`, tree(t), "")
		pid := number(t, lines(t, p.Stdout, 1)[0])
		waitComm(t, pid, "tail") // not a builtin anywhere
		names, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/fd/*")
		if err != nil {
			t.Fatal(err)
		}
		var pipes []string
		for _, name := range names {
			target, err := os.Readlink(name)
			// Its libraries come and go while it starts.
			if err == nil && strings.HasPrefix(target, "pipe:") {
				pipes = append(pipes, filepath.Base(name))
			}
		}
		// A background job's stdin is /dev/null in some shells.
		pipes = slices.DeleteFunc(pipes, func(s string) bool { return s == "0" })
		if !slices.Equal(pipes, []string{"1", "2"}) {
			t.Errorf("a child has the pipes %v", pipes)
		}
		p.Stdin.Close()
		result(t, p)
	})
}

// TestLineDoesNotWait: a background child, even one that holds the report's pipe, does not delay
// the end of the line.
func TestLineDoesNotWait(t *testing.T) {
	eachShell(t, "dash bash fish", func(t *testing.T, shell string) {
		dir := tree(t)
		p := startLine(t, shell, `cd a; sleep 1000 &`, dir, "")
		if r := result(t, p); string(r.Dir) != dir+"/a" || r.Code != 0 {
			t.Errorf("%+v", r)
		}
		stop(t, p, long)
		rest(t, p.Stdout)
	})
}

// TestLineInterrupt: a signal ends the line as it would end a plain one.
func TestLineInterrupt(t *testing.T) {
	const line = `cd a; sh -c 'echo; exec sleep 1000'; echo no`
	eachShell(t, posixShells, func(t *testing.T, shell string) {
		for _, name := range []string{"INT", "TERM", "HUP"} {
			dir := tree(t)
			hit := func(p *Process) (Result, string) {
				lines(t, p.Stdout, 1)
				if err := p.Signal(name); err != nil {
					t.Fatal(err)
				}
				r := result(t, p)
				return r, rest(t, p.Stdout)
			}
			r, out := hit(startLine(t, shell, line, dir, ""))
			plain, plainOut := hit(
				start(t, Spec{Path: shell, Args: ShellCommand(shell, line), Dir: dir,
					Env: []string{"PATH=/usr/bin:/bin"}}))
			if r.How != plain.How || r.Code != plain.Code || r.Signal != plain.Signal ||
				out != plainOut {
				t.Errorf("%s: %s %d %q %q, plainly %s %d %q %q", name, r.How, r.Code, r.Signal, out,
					plain.How, plain.Code, plain.Signal, plainOut)
			}
		}
	})
}

func TestUnknownShell(t *testing.T) {
	args, reports := ShellLine("/bin/tcsh", "ls 'x'", "/usr")
	if reports || !slices.Equal(args, []string{"tcsh", "-c", "ls 'x'"}) {
		t.Errorf("%v %q", reports, args)
	}
}

func TestParseReport(t *testing.T) {
	for _, c := range []struct{ data, dir, old string }{
		{"", "", ""},
		{"/a", "", ""},
		{"/a\x00", "", ""},
		{"/a\x00/b", "", ""},
		{"/a\x00/b\x00", "/a", "/b"},
		{"/a\x00\x00", "/a", ""},
		{"\x00\x00", "", ""},
		{"a\x00/b\x00", "", ""},
		{"/a\x00b\x00", "/a", ""},
		{"/a\x00/b\x00/c\x00/d\x00", "/c", "/d"},
		{"/\n\xff\x00/\x1b\x00", "/\n\xff", "/\x1b"},
	} {
		dir, old := parseReport([]byte(c.data))
		if string(dir) != c.dir || string(old) != c.old || dir != nil && len(dir) == 0 ||
			old != nil && len(old) == 0 {
			t.Errorf("%q: %q %q", c.data, dir, old)
		}
	}
}

func FuzzParseReport(f *testing.F) {
	f.Add([]byte("/a\x00/b\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir, old := parseReport(data)
		if dir != nil && dir[0] != '/' || old != nil && (old[0] != '/' || dir == nil) {
			t.Errorf("%q: %q %q", data, dir, old)
		}
	})
}
