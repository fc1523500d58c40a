//go:build unix

package files

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What was planted under the names of partial files is not written to, and nothing is said about
// it, whichever way a file comes.
func TestPlantedPartials(t *testing.T) {
	target, untouched := victim(t)
	secret := filepath.Join(filepath.Dir(target), "outside/secret")
	var records []Record
	bodies := map[int]string{}
	for i, kind := range []string{"link", "hard", "inside", "fifo"} {
		for j, way := range []string{"small", "large", "offered"} {
			name := kind + way
			partial := filepath.Join(target, partialName(name))
			switch kind {
			case "link":
				must(t, os.Symlink(secret, partial))
			case "hard":
				must(t, os.Link(secret, partial))
			case "inside":
				must(t, os.Symlink("there", partial))
			case "fifo":
				must(t, syscall.Mkfifo(partial, 0o600))
			}
			id := int64(3*i + j + 1)
			switch way {
			case "small":
				bodies[len(records)] = "evil"
				records = append(records, small(id, name, "evil"))
			case "large":
				bodies[len(records)+1] = "evilevil"
				records = append(records, Record{Kind: KindFile, ID: id, Name: named(name), Size: 8,
					Mode: 0o600}, Record{Kind: KindData},
					Record{Kind: KindEnd, Digest: sum("evilevil")})
			default:
				records = append(records, Record{Kind: KindOffer, ID: id, Name: named(name),
					Size: 100})
			}
		}
	}
	f := feed(t, target, Options{Preserve: true}, append(records, done), bodies, nil)
	if f.err != nil || f.sum.Stored != 8 || f.sum.Failed != 0 {
		t.Errorf("%+v %v", f.sum, f.err)
	}
	for _, rec := range f.answers {
		if rec.Offset != 0 || rec.Digest != "" || rec.Kind == KindHave {
			t.Errorf("%+v", rec)
		}
	}
	untouched()
}

// What has the name and is not a file is not there already, however much it looks like it.
func TestOfferedWhatIsNoFile(t *testing.T) {
	target, untouched := victim(t)
	at := time.Unix(1_700_000_000, 0)
	must(t, os.Symlink("there", target+"/link"))
	must(t, os.Mkdir(target+"/dir", 0o755))
	must(t, syscall.Mkfifo(target+"/fifo", 0o600))
	linkTime(mustRoot(t, target), "link", at)
	records := []Record{}
	for i, name := range []string{"link", "dir", "fifo"} {
		if name != "link" {
			must(t, os.Chtimes(filepath.Join(target, name), at, at))
		}
		info, err := os.Lstat(filepath.Join(target, name))
		must(t, err)
		rec := Record{Kind: KindOffer, ID: int64(i + 1), Name: named(name), Size: info.Size()}
		rec.stamp(at)
		records = append(records, rec)
	}
	f := feed(t, target, Options{}, append(records, done), nil, nil)
	for i, rec := range f.answers[:3] {
		if rec.Kind != KindWant || rec.Offset != 0 {
			t.Errorf("%s: %+v", records[i].Name, rec)
		}
	}
	untouched()
}

func mustRoot(t *testing.T, dir string) *os.Root {
	root, err := os.OpenRoot(dir)
	must(t, err)
	t.Cleanup(func() { root.Close() })
	return root
}

// However many beginnings are found, few are open at once.
func TestManyOffers(t *testing.T) {
	target, untouched := victim(t)
	var records []Record
	for i := range int64(10 * mostRemains) {
		name := fmt.Sprint("f", i)
		write(t, filepath.Join(target, partialName(name)), []byte("begun"))
		records = append(records, Record{Kind: KindOffer, ID: i + 1, Name: named(name), Size: 100})
	}
	f := feed(t, target, Options{}, append(records, done), nil, nil)
	begun := 0
	for _, rec := range f.answers {
		if rec.Offset > 0 {
			begun++
		}
	}
	if f.err != nil || begun != mostRemains {
		t.Errorf("%d open, %v", begun, f.err)
	}
	untouched()
}

// A name that is longer than the file system takes, and a link's target too: the rest goes on.
func TestLongNames(t *testing.T) {
	target, untouched := victim(t)
	long := strings.Repeat("n", 300)
	f := feed(t, target, Options{}, []Record{
		small(1, long, "x"), {Kind: KindDir, ID: 2, Name: named(long + "d")},
		small(3, long+"d/x", "x"), {Kind: KindLink, ID: 4, Name: named(long + "l"),
			Target: named("x")},
		{Kind: KindFile, ID: 5, Name: named(long + "f"), Size: 1}, {Kind: KindData},
		{Kind: KindEnd, Digest: sum("x")}, {Kind: KindLink, ID: 6, Name: named("l"),
			Target: named(strings.Repeat("x/", 2049))},
		{Kind: KindLink, ID: 7, Name: named("e")}, small(8, "ok", "x"), done,
	}, map[int]string{0: "x", 2: "x", 5: "x", 9: "x"}, nil)
	for id, want := range map[int64]string{1: CodeNameTooLong, 2: CodeNameTooLong, 3: CodeParent,
		4: CodeNameTooLong, 5: CodeNameTooLong, 6: CodeNameRefused, 7: CodeNameRefused, 8: ""} {
		if got := f.code(id); got != want {
			t.Errorf("entry %d: %q, not %q", id, got, want)
		}
	}
	if left, _ := filepath.Glob(target + "/.minissh*"); f.err != nil || f.sum.Stored != 1 ||
		len(left) > 0 {
		t.Errorf("%+v %v, left %v", f.sum, f.err, left)
	}
	untouched()
}
