//go:build linux

package copying_test

import (
	"os"
	"strings"
	"testing"

	"minissh/scripts/testhost"
)

// What fingers know from cp and scp: where things go, what is made, and what is refused before
// anything is damaged.
func TestHabits(t *testing.T) {
	p := testhost.New(t)
	p.Daemon()
	for _, c := range []struct {
		// DIR: where the test's files are; each begins with src/a, src/b, src/sub/c, and old, an
		// old file
		args string
		want string // files below new and old, with their content
		err  string // part of what is told; then the exit code is not 0
	}{
		{"-r src/. BOXnew", "new/a:a new/b:b new/sub/c:c", ""},
		{"-r src BOXnew/", "new/a:a new/b:b new/sub/c:c", ""},
		{"-r src BOXnew", "new/a:a new/b:b new/sub/c:c", ""},
		{"src/a src/b BOXnew", "new/a:a new/b:b", ""},
		{"src/a BOXnew/", "", "there is no such folder"},
		{"-r src/a BOXnew/", "", "there is no such folder"},
		{"src/a src/b BOXnew/below", "", "the folder that it would be in is not there"},
		{"src/a src/b BOXold", "", "it is not a folder"},
		{"-r BOXsrc/. new", "new/a:a new/b:b new/sub/c:c", ""},
		{"-r BOXsrc new/", "new/a:a new/b:b new/sub/c:c", ""},
		{"BOXsrc/a BOXsrc/b new", "new/a:a new/b:b", ""},
		{"BOXsrc/[ab] old", "", "2 names match, and the target is not a folder"},
		{"BOXsrc/[ab] new", "", "2 names match, and the target is not a folder"},
		{"BOXsrc/[a] new", "new:a", ""},
		{"BOXsrc/a new/", "", "there is no such folder"},
		{"-r BOXsrc/. BOXnew", "new/a:a new/b:b new/sub/c:c", ""},
		{"BOXsrc/[ab] BOXnew", "new:a", "more than one comes"},
		{"-r BOXsrc BOXsrc/sub/new", "", "a folder cannot be copied into itself"},
		{"BOXsrc/a BOXsrc", "", "source and target are the same file"},
	} {
		for _, name := range []string{"a", "b", "sub/c"} {
			p.Write("src/"+name, name[len(name)-1:])
		}
		p.Write("old", "old")
		cmd := p.Command("minissh",
			append([]string{"cp"},
				strings.Fields(strings.ReplaceAll(c.args, "BOX", "box:"+p.Dir+"/"))...)...)
		ran := p.RunCmd(cmd)
		if (ran.Code == 0) != (c.err == "") || !strings.Contains(ran.Err, c.err) {
			t.Errorf("%s: %+v", c.args, ran)
		}
		var found []string
		for _, name := range []string{"new", "new/a", "new/b", "new/sub/c", "new/below",
			"src/sub/new"} {
			if content, err := os.ReadFile(p.Path(name)); err == nil {
				found = append(found, name+":"+string(content))
			}
		}
		if got := strings.Join(found, " "); got != c.want || p.Read("old") != "old" {
			t.Errorf("%s: %q, not %q; %s", c.args, got, c.want, ran.Err)
		}
		p.Must(os.RemoveAll(p.Path("new")))
	}
}

// From one machine to another, what is there already is counted as such, also where that is known
// from its content; and who said what is told.
func TestBetweenSummary(t *testing.T) {
	p := testhost.New(t)
	p.Daemon()
	from := "box:" + p.Write("from/file", "content")
	to := "box:" + p.Path("to/")
	p.Must(os.Mkdir(p.Path("to"), 0o755))
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--json", from, to}, `"summary":true,"stored":1,"skipped":0,"failed":0,"bytes":7`},
		{[]string{"--json", "--checksum", from, to}, `"summary":true,"stored":0,"skipped":1,"failed":0,"bytes":0`},
		{[]string{"--json", from + "none", to}, `"host":"box","code":"not_found"`},
	} {
		if ran := p.Run("minissh", append([]string{"cp"}, c.args...)...); !strings.Contains(ran.Out,
			c.want) {
			t.Errorf("%q: %+v", c.args, ran)
		}
	}
	if ran := p.Run("minissh", "cp", from+"none", to); !strings.HasPrefix(ran.Err,
		"minissh: box: ") || ran.Code != 1 {
		t.Errorf("%+v", ran)
	}
}

// When one of two machines is lost, that one is named, whichever it is.
func TestBetweenNamesTheLost(t *testing.T) {
	p := testhost.New(t)
	d := p.Daemon()
	r := newRelay(t, "127.0.0.1:"+d.Port)
	knowsCut(p, "lost", r)
	file := p.Write("file", string(noise(8<<20, 1)))
	for _, args := range [][]string{{"lost:" + file, "box:" + p.Path("copy")},
		{"box:" + file, "lost:" + p.Path("copy")}} {
		r.set(1<<20, 1<<20, false, nil)
		if ran := p.Run("minissh", append([]string{"cp"}, args...)...); ran.Code != 255 ||
			!strings.HasPrefix(ran.Err, "minissh: the connection to lost was lost: ") {
			t.Errorf("%q: %+v", args, ran)
		}
	}
}
