//go:build linux

package copying_test

import (
	"os"
	"strings"
	"testing"

	"minissh/scripts/testhost"
)

// folding is a folder whose file system takes capital and small letters for the same, as those of
// macOS and Windows do: NTFS in a file, mounted so.
func folding(t *testing.T, p *testhost.Place) string {
	t.Helper()
	mount, make := testhost.Need(t, "lowntfs-3g"), testhost.Need(t, "mkntfs")
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	image, dir := p.Write("image", ""), p.Path("folding")
	p.Must(os.Truncate(image, 8<<20))
	p.Must(os.Mkdir(dir, 0o755))
	if ran := p.Run(make, "-q", "-F", image); ran.Code != 0 {
		t.Fatalf("%+v", ran)
	}
	if ran := p.Run(mount, "-o", "ignore_case", image, dir); ran.Code != 0 {
		t.Skip("not run: needs the right to mount: " + ran.Err)
	}
	t.Cleanup(func() {
		if ran := p.Run("umount", dir); ran.Code != 0 {
			p.Run("umount", "-l", dir)
		}
	})
	return dir
}

// Names that differ at the source and are one where they go: the second is an error that names the
// first, the rest goes on, and what came first stays, however often one tries (FI7).
func TestFoldedTwins(t *testing.T) {
	p := testhost.New(t)
	p.Daemon()
	dir := folding(t, p)
	twins := [][2]string{{"A.txt", "a.TXT"}, {"Größe", "GRÖSSE"}, {"d/É", "d/é"},
		{"Two/x", "two/X"}}
	for _, pair := range twins {
		for _, name := range pair {
			p.Write("src/"+name, "content of "+name)
		}
	}
	p.Write("src/alone", "content of alone")
	for what, args := range map[string][]string{"put": {"src", "box:" + dir + "/put"},
		"get": {"box:" + p.Path("src"), dir + "/get"}} {
		t.Run(what, func(t *testing.T) {
			kept := map[string]string{}
			for _, options := range []string{"-r", "-rp", "--resume"} {
				ran := p.Run("minissh", append([]string{"cp", "-r", options}, args...)...)
				if n := strings.Count(ran.Err,
					": here its name is the same as that of "); ran.Code != 1 || n != 3 ||
					strings.Count(ran.Err, "\n") != n {
					t.Errorf("%s: %+v", options, ran)
				}
				for _, pair := range append(twins, [2]string{"alone", "alone"}) {
					text := p.Read("folding/" + what + "/" + pair[0])
					if text != "content of "+pair[0] && text != "content of "+pair[1] {
						t.Errorf("%s: %q holds %q", options, pair[0], text)
					}
					if options == "--resume" && text != kept[pair[0]] {
						t.Errorf("%q was %q, and now it is %q", pair[0], kept[pair[0]], text)
					}
					kept[pair[0]] = text
				}
			}
		})
	}
}
