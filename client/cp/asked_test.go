package cp

import (
	"strings"
	"testing"

	"minissh/protocol/files"
)

// What was asked for is accepted, and nothing else that a hostile daemon sends.
func TestAsked(t *testing.T) {
	// a slash at the end: a folder; @: a link; what is below a slash: a file
	for _, c := range []struct{ line, taken, refused string }{
		{"h:a .", "a", "b .a a/ a/b a@ .bashrc .ssh/ .ssh/authorized_keys"},
		{"-r h:a .", "a a/ a/b a/b@ a/.c", "b b/ a@ .ssh/ .ssh/authorized_keys"},
		{"h:x/a h:~/y/b.txt .", "a b.txt", "x y b .bashrc"},
		{"h:x/*.gz .", "a.gz", "a .a.gz a.gz/ a.gz@"},
		{"h:* .", "a b", ".bashrc a/"},
		{"h:.* .", ".bashrc", "a"},
		{"h:f[1].txt .", "f[1].txt f1.txt", "f2.txt"},
		{"h:[ .", "[", "a"},
		{`h:C:\x\a .`, "a", "x C:"},
		{"-r h:a/ .", "a a/b", "b"},
		{"-r h: .", "a a/ a/b .bashrc a@", ""},
		{"-r h:x/. .", "a a/ a/b .bashrc a@", ""},
		{"h:. .", "", "a a/"},
	} {
		p, err := Parse(strings.Fields(c.line))
		if err != nil {
			t.Fatal(err)
		}
		asked := p.Asked(p.Sources)
		for want, names := range map[bool]string{true: c.taken, false: c.refused} {
			for name := range strings.FieldsSeq(names) {
				kind := files.KindFile
				if plain, link := strings.CutSuffix(name, "@"); link {
					name, kind = plain, files.KindLink
				} else if plain, dir := strings.CutSuffix(name, "/"); dir {
					name, kind = plain, files.KindDir
				}
				top, _, below := strings.Cut(name, "/")
				if asked(top, below, kind) != want {
					t.Errorf("%s: %s %q: not %v", c.line, kind, name, want)
				}
			}
		}
	}
}
