//go:build unix

package files

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
)

// The numbers that the protocol's page states for files, once more and not by their names: a test
// that uses a constant follows it wherever it goes.
func TestNumbers(t *testing.T) {
	for name, c := range map[string]struct{ got, want int64 }{
		"MaxHeader": {MaxHeader, 16_384},
		"MaxBody":   {MaxBody, 262_144},
		"MaxName":   {MaxName, 4_096},
		"Window":    {Window, 16_384},
		"ackEvery":  {ackEvery, 64},
		"ahead":     {ahead, 8_192},
		"twinsMost": {twinsMost, 4_194_304},
	} {
		if c.got != c.want {
			t.Errorf("%s is %d instead of %d", name, c.got, c.want)
		}
	}
	if name := partialName("a.txt"); name != ".minissh-18b7cb099a9ea3f5.part" {
		t.Errorf("a partial file is called %q", name)
	}
}

// A record's header has 2 to 16,384 bytes and its body at most 262,144; nsec is below 10^9.
func TestRecordAtTheEdges(t *testing.T) {
	header := func(n int) []byte {
		text := `{"kind":"done"` + strings.Repeat(" ", n-len(`{"kind":"done"}`)) + "}"
		return frame(text, "")
	}
	for _, c := range []struct {
		stream []byte
		ok     bool
	}{
		{header(16_384), true},
		{header(16_385), false},
		{frame("{}", ""), true},
		{frame("{", ""), false},
		{frame(`{"kind":"file","size":262144,"body":262144}`, ""), true},
		{frame(`{"kind":"file","size":262145,"body":262145}`, ""), false},
		{frame(`{"kind":"dir","nsec":999999999}`, ""), true},
		{frame(`{"kind":"dir","nsec":1000000000}`, ""), false},
	} {
		if err := NewReader(bytes.NewReader(c.stream)).Next(new(Record)); (err == nil) != c.ok {
			t.Errorf("%.50q of %d bytes: %v", c.stream, len(c.stream), err)
		}
	}
}

// Names have at most 4,096 bytes, and targets of links too.
func TestNameAtTheEdges(t *testing.T) {
	for n, ok := range map[int]bool{4_096: true, 4_097: false} {
		name := strings.Repeat("a/", 2_047) + strings.Repeat("b", n-2*2_047)
		if _, err := localName(name, "linux"); (err == nil) != ok {
			t.Errorf("%d bytes: %v", n, err)
		}
		target := t.TempDir()
		link := Record{Kind: KindLink, ID: 1, Name: named("l"), Target: named(name)}
		f := feed(t, target, Options{}, []Record{link, done}, nil, nil)
		if refused := f.code(1) == CodeNameRefused; refused == ok {
			t.Errorf("a link's target of %d bytes: %q", n, f.code(1))
		}
	}
}

// A receiver says how far it is after 64 entries at latest, also while more can be read; and when
// it has read all that there is.
func TestStoredEvery64(t *testing.T) {
	dir := t.TempDir()
	var stream []byte
	for i := range int64(130) {
		rec := Record{Kind: KindDir, ID: i + 1, Name: named(fmt.Sprint("d", i)), Mode: 0o755}
		stream = append(stream, frame(string(rec.append(nil)), "")...)
	}
	stream = append(stream, frame(`{"kind":"done"}`, "")...)
	place, err := OpenPlace(nil, dir, true)
	must(t, err)
	defer place.Root.Close()
	var out bytes.Buffer
	_, err = Receive(bytes.NewReader(stream), &out, place, Options{}, nil)
	must(t, err)
	var told []int64
	for r := NewReader(&out); ; {
		var rec Record
		if r.Next(&rec) != nil {
			break
		}
		if rec.Kind == KindStored {
			told = append(told, rec.ID)
		}
	}
	if fmt.Sprint(told) != "[64 128 130]" {
		t.Errorf("stored %d", told)
	}
}

// Whatever a sender says of them, set-user-id, set-group-id and sticky bits are never taken: for a
// small file, one that replaces another, a large one, one that is there, a folder.
func TestSpecialBitsAreNotTaken(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	const special = 0o7755
	whole := func(id int64, name string) Record {
		rec := small(id, name, "x")
		rec.Mode = special
		return rec
	}
	for _, o := range []Options{{}, {Preserve: true}, {Sync: true}, {Sync: true, Preserve: true}} {
		target := t.TempDir()
		write(t, target+"/old", []byte("old"))
		write(t, target+"/same", []byte("x"))
		records := []Record{
			{Kind: KindDir, ID: 1, Name: named("d"), Mode: special},
			whole(2, "small"), whole(3, "old"),
			{Kind: KindFile, ID: 4, Name: named("large"), Size: 2, Mode: special},
			{Kind: KindData},
			{Kind: KindEnd, Digest: sum("xy")},
			{Kind: KindOffer, ID: 5, Name: named("same"), Size: 1, Mode: special},
			{Kind: KindFile, ID: 5, Name: named("same"), Size: 1, Mode: special,
				Offset: 1, Digest: sum("x")},
			done,
		}
		partial := fs.FileMode(0)
		bodies := map[int]string{1: "x", 2: "x", 3: "x", 4: "y"}
		f := feed(t, target, o, records, bodies, func(i int) {
			info, err := os.Stat(target + "/" + partialName("large"))
			if i == 5 && err == nil {
				partial = info.Mode()
			}
		})
		if f.err != nil || f.sum.Failed != 0 {
			t.Fatalf("%+v: %+v, %v, %+v", o, f.sum, f.err, f.answers)
		}
		if partial != 0o600 {
			t.Errorf("%+v: while it comes, a file has mode %v", o, partial)
		}
		for _, name := range []string{"d", "small", "old", "large", "same"} {
			info, err := os.Stat(target + "/" + name)
			must(t, err)
			if info.Mode()&(fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) != 0 {
				t.Errorf("%+v: %s has mode %v", o, name, info.Mode())
			}
		}
	}
}

// What is sent of a mode is permission bits alone.
func TestSpecialBitsAreNotSent(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/src/f", []byte("x"))
	must(t, os.Chmod(dir+"/src/f", fs.ModeSetuid|fs.ModeSetgid|0o755))
	must(t, os.Chmod(dir+"/src", fs.ModeSticky|0o711))
	there, here := io.Pipe()
	back, forth := io.Pipe()
	modes := make(chan string, 1)
	go func() {
		var got []string
		in := NewReader(there)
		for rec := (Record{}); in.Next(&rec) == nil && rec.Kind != KindDone; {
			if rec.Kind == KindDir || rec.Kind == KindFile {
				got = append(got, fmt.Sprintf("%s %o", rec.Name, rec.Mode))
			}
		}
		modes <- strings.Join(got, ", ")
		out := NewWriter(forth)
		out.Write(&Record{Kind: KindDone}, nil)
		out.Flush()
	}()
	all := []Source{{Path: dir + "/src"}}
	_, err := Send(Stream{In: back, Out: here}, all, Options{Recursive: true, Preserve: true}, nil)
	must(t, err)
	if got := <-modes; got != "src 711, src/f 755" {
		t.Errorf("%s", got)
	}
}
