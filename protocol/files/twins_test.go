//go:build unix

package files

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Names that are one for the file system: the later does not replace the earlier, whatever both are
// and in whatever way they come, and the rest goes on. The test gives the first file a second name
// as soon as it is there: a folder that takes both names for one looks the same.
func TestTwins(t *testing.T) {
	long := strings.Repeat("x", 300_000)
	kinds := map[string]func(id int64, name string) []byte{
		"small": func(id int64, name string) []byte {
			rec := small(id, name, "text"+name)
			rec.Body = rec.Size
			return frame(string(rec.append(nil)), "text"+name)
		},
		"large": func(id int64, name string) []byte {
			rec := Record{Kind: KindFile, ID: id, Name: named(name), Size: int64(len(long)),
				Mode: 0o600}
			stream := frame(string(rec.append(nil)), "")
			for rest := long; rest != ""; {
				piece := rest[:min(len(rest), MaxBody)]
				rest = rest[len(piece):]
				data := Record{Kind: KindData, Body: int64(len(piece))}
				stream = append(stream, frame(string(data.append(nil)), piece)...)
			}
			end := Record{Kind: KindEnd, Digest: sum(long)}
			return append(stream, frame(string(end.append(nil)), "")...)
		},
		"link": func(id int64, name string) []byte {
			rec := Record{Kind: KindLink, ID: id, Name: named(name), Target: named("nowhere")}
			return frame(string(rec.append(nil)), "")
		},
	}
	for first, make1 := range kinds {
		for second, make2 := range kinds {
			t.Run(first+", "+second, func(t *testing.T) {
				dir := t.TempDir()
				place, err := OpenPlace(nil, dir, true)
				must(t, err)
				defer place.Root.Close()
				stream := append(make1(1, "A\x1b"), make2(2, "a")...)
				stream = append(append(stream, kinds["small"](3, "b")...),
					frame(`{"kind":"done"}`, "")...)
				var out bytes.Buffer
				var before string
				s, err := Receive(bytes.NewReader(stream), &out, place, Options{}, func(e Event) {
					switch {
					case e.ID == 1 && e.What == EventStored:
						must(t, os.Link(dir+"/A\x1b", dir+"/a"))
						before = look(t, dir, true)
					case e.ID == 2 && e.What == EventFailed:
						if want :=
							`here its name is the same as that of A\x1b, which was copied before it`; e.Err.Code != CodeExists || e.Err.Message != want {
							t.Errorf("%+v", e.Err)
						}
						if now := look(t, dir, true); now != before &&
							strings.TrimPrefix(now, now[:strings.IndexByte(now,
								'\n')]) != strings.TrimPrefix(before,
								before[:strings.IndexByte(before, '\n')]) {
							t.Errorf("%s\nand before\n%s", now, before)
						}
					}
				})
				if err != nil || s.Stored != 2 || s.Failed != 1 {
					t.Errorf("%+v %v", s, err)
				}
				if text, _ := os.ReadFile(dir + "/b"); string(text) != "textb" {
					t.Errorf("the rest: %q", text)
				}
				if left, _ := filepath.Glob(dir + "/.minissh*"); len(left) > 0 {
					t.Errorf("left: %v", left)
				}
			})
		}
	}
}

// The same name twice, as of two folders copied into one, is something else: the later replaces the
// earlier.
func TestSameNameTwice(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/1/a", []byte("1"))
	write(t, dir+"/2/a", []byte("2"))
	must(t, os.Symlink("x", dir+"/1/l"))
	must(t, os.Symlink("y", dir+"/2/l"))
	must(t, os.Mkdir(dir+"/dst", 0o755))
	for range 2 {
		transfer(t, Options{Recursive: true}, dir+"/dst", dir+"/1/.", dir+"/2/.").fine(t)
		if text, _ := os.ReadFile(dir + "/dst/a"); string(text) != "2" {
			t.Errorf("%q", text)
		}
		if target, _ := os.Readlink(dir + "/dst/l"); target != "y" {
			t.Errorf("%q", target)
		}
	}
}

// With Resume, a file that was there already counts too: its twin is not skipped, and does not
// replace it.
func TestTwinsResumed(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/src/A", []byte("text"))
	o := Options{Recursive: true, Preserve: true, Resume: true}
	transfer(t, o, dir+"/dst", dir+"/src").fine(t)
	must(t, os.Link(dir+"/dst/A", dir+"/dst/a"))
	must(t, os.Link(dir+"/src/A", dir+"/src/a"))
	c := transfer(t, o, dir+"/dst/.", dir+"/src/.")
	if c.taken.Failed != 1 || c.taken.Skipped != 1 || !strings.Contains(failures(c.takenSays),
		CodeExists) {
		t.Errorf("%+v %s", c.taken, failures(c.takenSays))
	}
}

// The names that are kept are bounded in number, and the latest are known.
func TestTwinsBounded(t *testing.T) {
	var w twins
	name := strings.Repeat("n", 4000)
	const many = 10_000
	for i := range uint64(many) {
		w.add(fileID{1, i}, fmt.Sprint(name, i))
	}
	kept := 0
	for _, m := range []map[fileID]string{w.now, w.before} {
		for _, path := range m {
			kept += len(path)
		}
	}
	if kept > 2*twinsMost || kept < twinsMost {
		t.Errorf("%d bytes", kept)
	}
	if w.check(fileID{1, many - 1}, "x") == nil || w.check(fileID{1, many - 900}, "x") == nil ||
		w.check(fileID{1, 0}, "x") != nil || w.check(fileID{2, many - 1}, "x") != nil ||
		w.check(fileID{1, many - 1}, fmt.Sprint(name, many-1)) != nil {
		t.Error("not the latest, or not only they")
	}
}
