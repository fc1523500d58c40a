//go:build unix

package files

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"
)

// copied is what both ends said about a transfer.
type copied struct {
	sent, taken         Summary
	sentErr, takenErr   error
	sentSays, takenSays []Event
}

// failures are the failed entries, as one side saw them.
func failures(events []Event) string {
	var lines []string
	for _, e := range events {
		if e.What == EventFailed {
			lines = append(lines, fmt.Sprintf("%s %s", e.Name, e.Err.Code))
		}
	}
	return strings.Join(lines, "\n")
}

// transfer copies sources to a target over two pipes.
func transfer(t testing.TB, o Options, target string, sources ...string) copied {
	t.Helper()
	var list []Source
	for _, path := range sources {
		list = append(list, Source{Path: path})
	}
	place, err := OpenPlace(nil, target, false)
	if err != nil {
		t.Fatal(err)
	}
	defer place.Root.Close()
	return over(o, place, list)
}

func over(o Options, place *Place, list []Source) (c copied) {
	there, here := io.Pipe()
	back, forth := io.Pipe()
	var both sync.WaitGroup
	both.Go(func() {
		defer here.Close()
		c.sent, c.sentErr = Send(Stream{In: back, Out: here,
			Abort: func() { back.Close(); here.CloseWithError(io.ErrUnexpectedEOF) }}, list, o,
			func(e Event) { c.sentSays = append(c.sentSays, e) })
	})
	both.Go(func() {
		defer forth.Close()
		defer there.Close()
		c.taken, c.takenErr = Receive(there, forth, place, o,
			func(e Event) { c.takenSays = append(c.takenSays, e) })
	})
	both.Wait()
	return c
}

// fine ends the test unless all went well.
func (c copied) fine(t testing.TB) copied {
	t.Helper()
	if c.sentErr != nil || c.takenErr != nil || c.sent.Failed+c.taken.Failed > 0 {
		t.Fatalf("sender: %+v %v\n%s\nreceiver: %+v %v\n%s", c.sent, c.sentErr,
			failures(c.sentSays), c.taken, c.takenErr, failures(c.takenSays))
	}
	return c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, name string, content []byte) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(name), 0o755))
	must(t, os.WriteFile(name, content, 0o644))
}

func noise(n int, seed byte) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

// oddTree has what trips up copying.
func oddTree(t testing.TB, top string) {
	for i, name := range []string{
		"0 bytes", "1 byte", "-rf", "--", "中文/文件.txt", "emoji 🦀/🐚", "new\nline", "tab\there",
		"\x1b[31mred", "q'uo\"te\\s", "not utf-8 \xff\xfe", "C:", `a\b`, "CON", "nul.txt",
		"* ? [x]", "Case", "case", strings.Repeat("n", 255), strings.Repeat("deep/", 60) + "bottom",
		" lead", "trail ", "...", "~", "$HOME", "#x#", "exact piece",
	} {
		content := noise(i*1000, byte(i))
		switch i {
		case 1:
			content = []byte{'x'}
		case 26:
			content = noise(pieceSize, 1)
		}
		write(t, filepath.Join(top, name), content)
	}
	write(t, filepath.Join(top, "large"), noise(3<<20+17, 9))
	must(t, os.MkdirAll(filepath.Join(top, "empty/inside"), 0o755))
	must(t, os.Symlink("1 byte", filepath.Join(top, "link")))
	must(t, os.Symlink("nowhere", filepath.Join(top, "dangling")))
	must(t, os.Symlink("/etc/passwd", filepath.Join(top, "absolute")))
	must(t, os.Symlink("中文", filepath.Join(top, "to folder")))
	must(t, os.Symlink("../..", filepath.Join(top, "empty/up")))
	for name, mode := range map[string]fs.FileMode{"1 byte": 0, "-rf": 0o777, "--": 0o421,
		"exact piece": 0o400, "large": 0o444, "empty/inside": 0o700} {
		must(t, os.Chmod(filepath.Join(top, name), mode))
	}
	for name, at := range map[string]time.Time{"case": time.Unix(1, 5),
		"Case": time.Unix(-86400, 0), "large": time.Unix(4102444800, 123456789),
		"empty": time.Unix(1e9, 1)} {
		must(t, os.Chtimes(filepath.Join(top, name), at, at))
	}
	must(t, os.Chmod(filepath.Join(top, "emoji 🦀"), 0o555))
	t.Cleanup(func() { os.Chmod(filepath.Join(top, "emoji 🦀"), 0o755) })
}

// look describes a tree: names, kinds, modes, contents, targets, and with times the times.
func look(t testing.TB, top string, times bool) string {
	t.Helper()
	var out strings.Builder
	must(t, filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "%q %v", strings.TrimPrefix(name, top), info.Mode())
		switch {
		case info.Mode().IsRegular():
			content, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			fmt.Fprintf(&out, " %d %x", len(content), sha256.Sum256(content))
		case info.Mode()&fs.ModeSymlink != 0:
			target, _ := os.Readlink(name)
			fmt.Fprintf(&out, " -> %q", target)
		}
		if times {
			fmt.Fprintf(&out, " %d", info.ModTime().UnixNano())
		}
		out.WriteByte('\n')
		return nil
	}))
	return out.String()
}

func same(t testing.TB, a, b string, times bool) {
	t.Helper()
	x, y := strings.Split(look(t, a, times), "\n"), strings.Split(look(t, b, times), "\n")
	for i := range max(len(x), len(y)) {
		if i >= len(x) || i >= len(y) || x[i] != y[i] {
			t.Fatalf("line %d: %q and %q", i, x[min(i, len(x)-1)], y[min(i, len(y)-1)])
		}
	}
}

// readable skips a file of mode 0 unless we are root, who can read it.
func readable(t testing.TB, top string) {
	if os.Getuid() != 0 {
		must(t, os.Chmod(filepath.Join(top, "1 byte"), 0o400))
	}
}

func TestTree(t *testing.T) {
	for name, o := range map[string]Options{"plain": {}, "preserve": {Preserve: true},
		"resume": {Preserve: true, Resume: true}, "sync": {Preserve: true, Sync: true},
		"total": {Total: true}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			oddTree(t, dir+"/src")
			readable(t, dir+"/src")
			o.Recursive = true
			transfer(t, o, dir+"/dst", dir+"/src").fine(t)
			if o.Preserve {
				same(t, dir+"/src", dir+"/dst", true)
			}
			must(t, os.Mkdir(dir+"/into", 0o755))
			c := transfer(t, o, dir+"/into", dir+"/src").fine(t)
			if c.sent != c.taken {
				t.Errorf("sender: %+v, receiver: %+v", c.sent, c.taken)
			}
			if o.Preserve {
				same(t, dir+"/src", dir+"/into/src", true)
			}
			again := transfer(t, o, dir+"/into", dir+"/src").fine(t)
			if o.Resume && again.sent.Bytes != 0 || !o.Resume && again.sent.Bytes != c.sent.Bytes {
				t.Errorf("the second time %d bytes went, the first time %d", again.sent.Bytes,
					c.sent.Bytes)
			}
			os.Chmod(dir+"/dst/emoji 🦀", 0o755)
			os.Chmod(dir+"/into/src/emoji 🦀", 0o755)
		})
	}
}

// Special files are reported, and nothing waits for them.
func TestSpecial(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/src/a", []byte("a"))
	must(t, syscall.Mkfifo(dir+"/src/fifo", 0o600))
	write(t, dir+"/src/z", []byte("z"))
	c := transfer(t, Options{Recursive: true}, dir+"/dst", dir+"/src")
	if want := "src/fifo not_copied"; failures(c.sentSays) != want ||
		failures(c.takenSays) != want {
		t.Errorf("sender: %s, receiver: %s", failures(c.sentSays), failures(c.takenSays))
	}
	if c.sent.Stored != 3 || c.taken.Stored != 3 || c.sent.Failed != 1 {
		t.Errorf("%+v %+v", c.sent, c.taken)
	}
	c = transfer(t, Options{}, dir+"/dst", dir+"/src", dir+"/none", dir+"/src/a")
	if want := "src is_folder\n" + dir + "/none not_found"; failures(c.sentSays) != want {
		t.Errorf("sender: %s", failures(c.sentSays))
	}
	if got, _ := os.ReadFile(dir + "/dst/a"); !bytes.Equal(got, []byte("a")) {
		t.Errorf("the last source did not come: %q", got)
	}
}

// gone is a sender that hears nothing any more.
type gone struct{}

func (gone) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// What came before the link was lost is put in place although nobody can be told (FI10): a failed
// answer does not end the reading of what was said.
func TestUnheardAnswers(t *testing.T) {
	dir := t.TempDir()
	const many = 3 * ackEvery
	var stream []byte
	for i := range int64(many) {
		rec := small(i+1, fmt.Sprint("f", i), "x")
		rec.Body = 1
		stream = append(stream, frame(string(rec.append(nil)), "x")...)
	}
	place, err := OpenPlace(nil, dir, true)
	must(t, err)
	defer place.Root.Close()
	s, err := Receive(iotest.OneByteReader(bytes.NewReader(stream)), gone{}, place, Options{}, nil)
	if err != io.ErrUnexpectedEOF || s.Stored != many {
		t.Errorf("%+v %v", s, err)
	}
	if _, err := Receive(bytes.NewReader(frame(`{"kind":"done"}`, "")), gone{}, place, Options{},
		nil); err != io.ErrClosedPipe {
		t.Errorf("the end, unheard: %v", err)
	}
}

// Resume costs one round trip for many sources too, not one for each (FI10): the receiver answers
// nothing before it has heard of more.
func TestResumeManySources(t *testing.T) {
	dir := t.TempDir()
	var list []Source
	for i := range mostRoots {
		name := fmt.Sprint(dir, "/src/", i, "/f", i)
		write(t, name, []byte("x"))
		list = append(list, Source{Path: name})
	}
	list = append(list, Source{Path: dir + "/none"})
	must(t, os.Mkdir(dir+"/dst", 0o755))
	place, err := OpenPlace(nil, dir+"/dst", true)
	must(t, err)
	defer place.Root.Close()
	there, here := io.Pipe()
	back, forth := io.Pipe()
	var both sync.WaitGroup
	both.Go(func() {
		defer forth.Close()
		offers, heard := 0, new(bytes.Buffer)
		in := NewReader(io.TeeReader(there, heard))
		for rec := (Record{}); offers < mostRoots; offers++ {
			if err := in.Next(&rec); err != nil || rec.Kind != KindOffer {
				t.Errorf("%+v %v", rec, err)
			}
		}
		if _, err := Receive(io.MultiReader(heard, there), forth, place, Options{},
			nil); err != nil {
			t.Error(err)
		}
	})
	sum, err := Send(Stream{In: back, Out: here,
		Abort: func() { back.Close(); here.Close() }}, list, Options{Resume: true}, nil)
	here.Close()
	both.Wait()
	if err != nil || sum.Stored != mostRoots || sum.Failed != 1 {
		t.Errorf("%+v %v", sum, err)
	}
}
