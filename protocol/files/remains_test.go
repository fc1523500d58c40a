//go:build unix

package files

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// However many files are there already with another time, their contents are compared and not sent
// again, whether they are one record or more.
func TestManyUnchanged(t *testing.T) {
	dir := t.TempDir()
	const many = 5 * mostRemains
	for i := range many {
		write(t, filepath.Join(dir, "src", fmt.Sprint(i)), noise(1+i%2*MaxBody, byte(i)))
	}
	transfer(t, Options{Recursive: true}, dir+"/dst", dir+"/src").fine(t)
	then := time.Unix(1_500_000_000, 0)
	for i := range many {
		must(t, os.Chtimes(filepath.Join(dir, "src", fmt.Sprint(i)), then, then))
	}
	write(t, dir+"/src/7", noise(1+MaxBody, 200))
	c := transfer(t, Options{Recursive: true, Resume: true, Checksum: true, Preserve: true},
		dir+"/dst", dir+"/src/.").fine(t)
	if c.sent.Skipped != many-1 || c.taken.Skipped != many-1 || c.sent.Stored != 1 ||
		c.sent.Bytes != 1+MaxBody {
		t.Errorf("sender: %+v, receiver: %+v", c.sent, c.taken)
	}
	if info, err := os.Stat(dir + "/dst/5"); err != nil || !info.ModTime().Equal(then) {
		t.Errorf("%v %v", info.ModTime(), err)
	}
}

// A whole file is not written to by a sender that changes its mind about the size, or lies about
// the digest.
func TestStandingIsNotWritten(t *testing.T) {
	target, untouched := victim(t)
	write(t, target+"/f", []byte("0123456789"))
	for what, c := range map[string]struct {
		records []Record
		code    string
	}{
		"longer": {[]Record{{Kind: KindFile, ID: 1, Name: named("f"), Offset: 10, Size: 12},
			{Kind: KindData}, {Kind: KindEnd, Digest: sum("0123456789ab")}}, CodeChanged},
		"digest": {[]Record{{Kind: KindFile, ID: 1, Name: named("f"), Offset: 10, Size: 10},
			{Kind: KindEnd, Digest: sum("x")}}, CodeDigest},
		"gives up": {[]Record{{Kind: KindFile, ID: 1, Name: named("f"), Offset: 10, Size: 10},
			{Kind: KindEnd, Code: CodeChanged}}, ""},
	} {
		offer := Record{Kind: KindOffer, ID: 1, Name: named("f"), Size: 10}
		bodies := map[int]string{}
		if what == "longer" {
			bodies[2] = "ab"
		}
		f := feed(t, target, Options{Checksum: true}, append(append([]Record{offer}, c.records...),
			done), bodies, nil)
		content, err := os.ReadFile(target + "/f")
		if f.err != nil || f.code(1) != c.code || err != nil || string(content) != "0123456789" ||
			f.sum.Failed != 1 {
			t.Errorf("%s: %v, %q, %+v, %q", what, f.err, f.code(1), f.sum, content)
		}
	}
	untouched()
}

// If something is missing in a read-only folder, because the stream broke off or the file failed,
// the folder stays writable for its owner until another transfer finishes it.
func TestReadOnlyFolderCut(t *testing.T) {
	target, untouched := victim(t)
	folder := func(name string) Record {
		return Record{Kind: KindDir, ID: 1, Name: named(name),
			Mode: 0o500}
	}
	file := Record{Kind: KindFile, ID: 2, Size: 8, Mode: 0o400}
	for name, want := range map[string]os.FileMode{"cut": 0o700, "failed": 0o700, "whole": 0o500} {
		for _, o := range []Options{{}, {Preserve: true}} {
			file.Name = named(name + "/x")
			records := []Record{folder(name), file, {Kind: KindData}}
			bodies := map[int]string{2: "12345678"}
			switch name {
			case "failed":
				records = append(records, Record{Kind: KindEnd, Digest: sum("x")}, done)
			case "whole":
				records = append(records, Record{Kind: KindEnd, Digest: sum("12345678")}, done)
			}
			feed(t, target, o, records, bodies, nil)
			info, err := os.Stat(filepath.Join(target, name))
			must(t, err)
			if info.Mode().Perm() != want {
				t.Errorf("%s, %+v: %v", name, o, info.Mode())
			}
			must(t, os.RemoveAll(filepath.Join(target, name)))
		}
	}
	untouched()
}
